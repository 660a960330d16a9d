import { useKnown } from "../../parts/use-known.ts";
import type { Leaf } from "../../../src/fields/field.ts";
import { stepTable, stepLeaves } from "../../../src/fields/step-table.ts";
import { ChoiceField } from "./field.tsx";
import type { StepFields } from "./fields.ts";
import { type FormPart, LeafControl, LeafControls } from "./leaf-controls.tsx";

const more = stepLeaves.filter(({ field }) => field.place === "more");
const container = stepLeaves.filter(({ field }) => field.place === "container");

type StepCardProps = {
  index: number;
  count: number;
  step: StepFields;
  onStep: (step: StepFields) => void;
  onMove: (by: -1 | 1) => void;
  onCopy: () => void;
  onRemove: () => void;
};

/** A step of a sequence, on the box or in a container. */
export function StepCard({ index, count, step, onStep, onMove, onCopy, onRemove }: StepCardProps) {
  const { kind, isContainer, values } = step;
  const base = `Commands[${index}].`;
  const set = (part: Partial<StepFields>): void => onStep({ ...step, ...part });
  const where = (inContainer: boolean): void => set({ isContainer: inContainer, kind: !inContainer && kind === "image" ? "line" : kind });
  const props: FormPart = { base, values, onValues: (changed) => set({ values: changed }) };
  return (
    <fieldset class="card step">
      <legend>Step {index + 1}</legend>
      <div class="row">
        <LeafControl leaf={leafOf("Name")} {...props} />
        <ChoiceField
          path={`${base}kind`}
          label="What runs"
          value={kind}
          onValue={(chosen) => set({ kind: chosen === "args" || chosen === "image" ? chosen : "line" })}
          choices={[
            ["line", "a command line"],
            ["args", "a program and its arguments"],
            ...(isContainer ? [["image", "the image's own command"] as [string, string]] : []),
          ]}
        />
        <ChoiceField
          path={`${base}where`}
          label="Where"
          value={isContainer ? "container" : "box"}
          onValue={(chosen) => where(chosen === "container")}
          choices={[
            ["box", "on the host"],
            ["container", "in a container"],
          ]}
        />
        <span class="grow" />
        <button type="button" class="small" disabled={index === 0} aria-label={`Step ${index + 1}: move up`} onClick={() => onMove(-1)}>
          ↑
        </button>
        <button
          type="button"
          class="small"
          disabled={index === count - 1}
          aria-label={`Step ${index + 1}: move down`}
          onClick={() => onMove(1)}
        >
          ↓
        </button>
        <button type="button" class="small" aria-label={`Step ${index + 1}: copy`} onClick={onCopy}>
          Copy
        </button>
        <button type="button" class="small" disabled={count === 1} aria-label={`Step ${index + 1}: remove`} onClick={onRemove}>
          Remove
        </button>
      </div>
      {kind === "line" && <LeafControl leaf={leafOf("CommandLine")} {...props} rows={3} />}
      {kind === "args" && <LeafControl leaf={leafOf("Args")} {...props} rows={3} />}
      {isContainer && <Container {...props} />}
      <details>
        <summary>More options</summary>
        <LeafControls leaves={kind === "line" ? [...more, leafOf("Shell")] : more} {...props} />
      </details>
    </fieldset>
  );
}

function Container(props: FormPart) {
  const { Engine, Problem } = useKnown().box.Containers;
  return (
    <>
      {Engine === null && <p class="notice warn">No container can run here now: {Problem}</p>}
      <LeafControls leaves={container} {...props} />
    </>
  );
}

function leafOf(path: "Name" | "CommandLine" | "Args" | "Shell"): Leaf {
  return { path, field: stepTable[path] };
}
