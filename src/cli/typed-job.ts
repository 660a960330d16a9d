import type { JobSpec } from "../client/index.ts";
import { type Leaf, longOf, objectOf, valueAt } from "../fields/field.ts";
import { jobLeaves } from "../fields/job-table.ts";
import { stepTable, stepLeaves } from "../fields/step-table.ts";
import { isOptionOf, readField, refuseStdinTwice } from "./read-field.ts";
import { stepOption, type TypedOption } from "./job-options.ts";
import type { Session } from "./session.ts";
import { readJob } from "./typed-text.ts";
import { UsageError } from "./usage-error.ts";

/** `words`: a program and its arguments. `options`: of the job and its steps, in the order in which they were typed. */
export type TypedJob = { words: string[]; file: string | undefined; options: TypedOption[] };

type Fields = Record<string, unknown>;

const commandOption = longOf(stepTable.CommandLine.option);
const argumentOption = longOf(stepTable.Args.option);
const imageOption = longOf(stepTable.Image.option);
/** Of a step in a container, these are meant inside it. */
const insideContainer = new Set([stepTable.User, stepTable.WorkingDir].map(({ option }) => longOf(option)));

/**
 * What was typed, as a job. It is the service that says whether it may be one. Throws UsageError where it contradicts itself, or names what
 * is not here.
 */
export async function jobOf(session: Session, typed: TypedJob): Promise<JobSpec> {
  const { job, steps } = partsOf(typed);
  const { file } = typed;
  if (file !== undefined && steps.length > 0)
    throw new UsageError("with --file, commands and containers must be in the file: remove them here");
  if (file === undefined && steps.length === 0) {
    throw new UsageError(
      "there is no command: jobrunner run -- make, jobrunner run -c 'make && ./bench', or jobrunner run --file job.yaml",
    );
  }
  refuseStdinTwice(typed);
  const start = file === undefined ? {} : await readJob(session.stdin, file);
  const commands = await Promise.all(steps.map(async (options) => await fieldsOf(session, { leaves: stepLeaves, options })));
  const ofSteps = isAlone(typed.options, commands) ? commands[0] : commands.length > 0 ? { Commands: commands } : {};
  return { ...(await fieldsOf(session, { leaves: jobLeaves, options: job, start })), ...ofSteps };
}

/** Whether the job needs no steps, because it is one command line. */
function isAlone(options: TypedOption[], [first, ...others]: Fields[]): boolean {
  const isStep = options.some(({ option }) => option === stepOption);
  return !isStep && first !== undefined && others.length === 0 && Object.keys(first).join() === "CommandLine";
}

type Parts = { job: TypedOption[]; steps: TypedOption[][] };

/** Which options are the job's, and which are those of each step. The words at the end are the last step's. */
function partsOf({ words, options }: TypedJob): Parts {
  const program = words.map((word): TypedOption => ({ option: argumentOption, value: word }));
  const [before = [], ...steps] = splitBySteps([...options, ...program]);
  const parts = steps.length === 0 ? partsOfOneStep(before) : partsOfSteps(before, steps);
  for (const step of parts.steps) {
    const typed = new Set(step.map(({ option }) => option));
    if (typed.has(commandOption) && typed.has(argumentOption)) throw new UsageError("give either --command or a program, not both");
  }
  return parts;
}

function splitBySteps(options: TypedOption[]): TypedOption[][] {
  const parts: TypedOption[][] = [[]];
  for (const typed of options) {
    if (typed.option === stepOption) parts.push([]);
    else parts.at(-1)?.push(typed);
  }
  return parts;
}

/** Without `--step`, options that both have are the job's, unless they are meant inside a container. */
function partsOfOneStep(options: TypedOption[]): Parts {
  const isContainer = options.some(({ option }) => option === imageOption);
  const isStep = ({ option }: TypedOption): boolean =>
    option === commandOption || !isOptionOf(jobLeaves, option) || (isContainer && insideContainer.has(option));
  const step = options.filter(isStep);
  return { job: options.filter((typed) => !isStep(typed)), steps: step.length === 0 ? [] : [step] };
}

/** After `--step`, options that both have are the step's. Those that only a job has may stand anywhere. */
function partsOfSteps(before: TypedOption[], steps: TypedOption[][]): Parts {
  const early = before.find(({ option }) => option === commandOption || !isOptionOf(jobLeaves, option));
  if (early !== undefined) throw new UsageError(`${early.option} is of a step: put it after the --step that it belongs to`);
  const isStep = ({ option }: TypedOption): boolean => isOptionOf(stepLeaves, option);
  return {
    job: [...before, ...steps.flat().filter((typed) => !isStep(typed))],
    steps: steps.map((step) => step.filter(isStep)),
  };
}

/** `start`: what the options add to. */
type FieldsSource = { leaves: Leaf[]; options: TypedOption[]; start?: Fields };

async function fieldsOf(session: Session, { leaves, options, start = {} }: FieldsSource): Promise<Fields> {
  const values = leaves.map(
    async ({ path, field }) => [path, await readField(session, { field, options, before: valueAt(start, path) })] as const,
  );
  return objectOf(await Promise.all(values), start);
}
