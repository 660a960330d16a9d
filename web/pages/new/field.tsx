import type { ComponentChildren } from "preact";
import { useContext, useId } from "preact/hooks";
import { Problems } from "./problems.ts";

/** What a field's control is to have so that it is labelled, and says what is wrong with it. */
type ControlProps = { id: string; "aria-invalid": boolean; "aria-describedby": string | undefined };

/** `path`: as the API names it in what it refuses. */
function Field({
  path,
  label,
  hint,
  children,
}: {
  path: string;
  label: string;
  hint?: string;
  children: (props: ControlProps) => ComponentChildren;
}) {
  const id = useId();
  const problem = useContext(Problems).at(path);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        "aria-invalid": problem !== null,
        "aria-describedby": problem === null && hint === undefined ? undefined : `${id}-said`,
      })}
      {(problem !== null || hint !== undefined) && (
        <p id={`${id}-said`} class={problem === null ? "muted hint" : "wrong"}>
          {problem ?? hint}
        </p>
      )}
    </div>
  );
}

type TextProps = {
  path: string;
  label: string;
  hint?: string;
  value: string;
  onValue: (value: string) => void;
  isMono?: boolean;
  placeholder?: string;
};

export function TextField({ path, label, hint, value, onValue, isMono = false, placeholder }: TextProps) {
  return (
    <Field path={path} label={label} {...(hint === undefined ? {} : { hint })}>
      {(props) => (
        <input
          {...props}
          class={isMono ? "mono" : ""}
          value={value}
          placeholder={placeholder}
          onInput={(event) => onValue(event.currentTarget.value)}
          spellcheck={false}
          autocomplete="off"
        />
      )}
    </Field>
  );
}

export function AreaField({ path, label, hint, value, onValue, rows = 3, placeholder }: TextProps & { rows?: number }) {
  return (
    <Field path={path} label={label} {...(hint === undefined ? {} : { hint })}>
      {(props) => (
        <textarea
          {...props}
          rows={rows}
          value={value}
          placeholder={placeholder}
          onInput={(event) => onValue(event.currentTarget.value)}
          spellcheck={false}
        />
      )}
    </Field>
  );
}

export function ChoiceField({ path, label, hint, value, onValue, choices }: TextProps & { choices: [string, string][] }) {
  return (
    <Field path={path} label={label} {...(hint === undefined ? {} : { hint })}>
      {(props) => (
        <select {...props} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
          {!choices.some(([choice]) => choice === value) && <option value={value}>{value}</option>}
          {choices.map(([choice, words]) => (
            <option key={choice} value={choice}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

type FlagProps = Pick<TextProps, "path" | "label" | "hint"> & { isSet: boolean; onSet: (isSet: boolean) => void };

export function FlagField({ path, label, hint, isSet, onSet }: FlagProps) {
  const id = useId();
  const problem = useContext(Problems).at(path);
  const said = problem ?? hint ?? null;
  return (
    <div class="field">
      <label class="check">
        <input
          type="checkbox"
          checked={isSet}
          aria-invalid={problem !== null}
          aria-describedby={said === null ? undefined : `${id}-said`}
          onChange={(event) => onSet(event.currentTarget.checked)}
        />{" "}
        {label}
      </label>
      {said !== null && (
        <p id={`${id}-said`} class={problem === null ? "muted hint" : "wrong"}>
          {said}
        </p>
      )}
    </div>
  );
}
