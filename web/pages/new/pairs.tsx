import { useContext, useId, useRef } from "preact/hooks";
import type { Pair } from "./values.ts";
import { Problems } from "./problems.ts";

type PairsProps = {
  path: string;
  label: string;
  what: string;
  pairs: Pair[];
  onPairs: (pairs: Pair[]) => void;
  isSecret?: boolean;
  hint?: string;
};

/** Names with values, a row for each. Lines such as `A=b` that are pasted as a name fill rows. */
export function Pairs({ path, label, what, pairs, onPairs, isSecret = false, hint }: PairsProps) {
  const id = useId();
  const box = useRef<HTMLFieldSetElement>(null);
  const problem = useContext(Problems).at(path) ?? repeatedIn(pairs);
  const change = (index: number, part: Partial<Pair>): void =>
    onPairs(pairs.map((pair, at) => (at === index ? { ...pair, ...part } : pair)));
  const focusLast = (): void =>
    void requestAnimationFrame(() =>
      [...(box.current?.querySelectorAll<HTMLElement>("input, .add") ?? [])].at(pairs.length === 0 ? 0 : -3)?.focus(),
    );
  const add = (): void => {
    onPairs([...pairs, { name: "", value: "" }]);
    requestAnimationFrame(() => box.current?.querySelector<HTMLInputElement>(".pair:last-of-type input")?.focus());
  };
  const remove = (index: number): void => {
    onPairs(pairs.filter((_, at) => at !== index));
    focusLast();
  };
  const paste = (event: ClipboardEvent, index: number): void => {
    const lines = (event.clipboardData?.getData("text/plain") ?? "").split(/\r?\n/).filter((line) => line.includes("="));
    if (lines.length === 0) return;
    event.preventDefault();
    const pasted = lines.map((line): Pair => ({
      name: line
        .slice(0, line.indexOf("="))
        .trim()
        .replace(/^export /, ""),
      value: line.slice(line.indexOf("=") + 1),
    }));
    onPairs([...pairs.slice(0, index), ...pasted, ...pairs.slice(index + 1)]);
  };
  return (
    <fieldset
      ref={box}
      class="pairs"
      aria-invalid={problem !== null}
      aria-describedby={problem === null && hint === undefined ? undefined : `${id}-said`}
    >
      <legend>{label}</legend>
      {pairs.map(({ name, value }, index) => (
        <div key={index} class="pair">
          <input
            class="mono"
            aria-label={`${what} ${index + 1}: name`}
            placeholder="name"
            value={name}
            onInput={(event) => change(index, { name: event.currentTarget.value })}
            onPaste={(event) => paste(event, index)}
            spellcheck={false}
            autocomplete="off"
          />
          <Value
            isSecret={isSecret}
            label={`${what} ${index + 1}: value`}
            value={value}
            onValue={(changed) => change(index, { value: changed })}
          />
          <button type="button" class="plain small" aria-label={`${what} ${index + 1}: remove`} onClick={() => remove(index)}>
            ✕
          </button>
        </div>
      ))}
      <button type="button" class="small add" onClick={add}>
        Add {what.toLowerCase()}
      </button>
      {(problem !== null || hint !== undefined) && (
        <p id={`${id}-said`} class={problem === null ? "muted hint" : "wrong"}>
          {problem ?? hint}
        </p>
      )}
    </fieldset>
  );
}

/** What is there twice has one value. */
function repeatedIn(pairs: readonly Pair[]): string | null {
  const names = pairs.map(({ name }) => name);
  const repeated = names.find((name, index) => name !== "" && names.indexOf(name) !== index);
  return repeated === undefined ? null : `${repeated} is there twice: the last one counts`;
}

function Value({ isSecret, label, value, onValue }: { isSecret: boolean; label: string; value: string; onValue: (value: string) => void }) {
  const onInput = (event: { currentTarget: HTMLInputElement }): void => onValue(event.currentTarget.value);
  if (isSecret)
    return (
      <input
        class="mono"
        type="password"
        aria-label={label}
        placeholder="value"
        value={value}
        onInput={onInput}
        autocomplete="new-password"
      />
    );
  return (
    <input class="mono" aria-label={label} placeholder="value" value={value} onInput={onInput} spellcheck={false} autocomplete="off" />
  );
}
