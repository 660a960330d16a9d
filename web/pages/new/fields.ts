import type { JobSpec } from "../../../src/client/index.ts";
import { jobLeaves } from "../../../src/fields/job-table.ts";
import { type Step, stepLeaves } from "../../../src/fields/step-table.ts";
import { type FormValues, objectOfValues, textAt, valuesOfObject } from "./values.ts";

/** A job in the fields of the form: all of it as it was typed, so that nothing is lost that does not fit (yet). */

/** What runs: a command line, an argument vector, or the image's own command. */
type StepKind = "line" | "args" | "image";
export type StepFields = { kind: StepKind; isContainer: boolean; values: FormValues };
export type Fields = { isSequence: boolean; steps: StepFields[]; values: FormValues };

export const emptyStep: StepFields = { kind: "line", isContainer: false, values: {} };
export const emptyFields: Fields = { isSequence: false, steps: [emptyStep], values: {} };

export function specOfFields({ isSequence, steps, values }: Fields): JobSpec {
  const leaves = jobLeaves.filter(({ path }) => path !== "CommandLine" || !isSequence);
  return { ...objectOfValues(leaves, values), ...(isSequence ? { Commands: steps.map(commandOf) } : {}) };
}

/** What is hidden because of the other fields is not said. */
function commandOf({ kind, isContainer, values }: StepFields): Step {
  const hidden = new Set(kind === "line" ? ["Args"] : kind === "args" ? ["CommandLine", "Shell"] : ["CommandLine", "Shell", "Args"]);
  const leaves = stepLeaves.filter(({ path, field }) => !hidden.has(path) && (isContainer || field.place !== "container"));
  return objectOfValues(leaves, values);
}

/** As much of the job as fields can say; values that are not shown are empty. */
export function fieldsOf(spec: ShownSpec): Fields {
  const { Commands } = spec;
  return {
    isSequence: Commands !== undefined,
    steps: Array.isArray(Commands) ? Commands.map(stepOf) : [emptyStep],
    values: valuesOfObject(jobLeaves, spec),
  };
}

type Hidden<Part> = Omit<Part, "Environment"> & { Environment?: Record<string, string | null> };
export type ShownSpec = Omit<Hidden<JobSpec>, "Commands" | "Secrets"> & {
  Commands?: Hidden<Step>[];
  Secrets?: Record<string, string | null>;
};

function stepOf(command: Hidden<Step>): StepFields {
  const values = valuesOfObject(stepLeaves, command);
  const kind = textAt(values, "CommandLine") !== "" ? "line" : textAt(values, "Args") !== "" ? "args" : "image";
  return { kind, isContainer: textAt(values, "Image") !== "", values };
}
