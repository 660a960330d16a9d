import type { JobSpec } from "../../../src/client/index.ts";
import { isObject, type Leaf, type LeafField, longOf, valueAt } from "../../../src/fields/field.ts";
import { jobTable, jobLeaves } from "../../../src/fields/job-table.ts";
import { stepLeaves } from "../../../src/fields/step-table.ts";

/** The options of `jobrunner run` that say a job. */

/**
 * The words of the job, then those of each step; standard input has the job's. Null: options cannot say all of it. Of secrets they have the
 * names alone.
 */
export function optionGroupsOf(spec: JobSpec): string[][] | null {
  const { CommandLine, Commands, ...job } = spec;
  const ofJob = wordsOf(job, jobLeaves);
  const line = CommandLine === undefined ? [] : wordsOf({ CommandLine }, jobLeaves);
  const steps = Commands === undefined ? [] : Array.isArray(Commands) && Commands.length > 0 ? Commands.map(wordsOfStep) : [null];
  if (ofJob === null || line === null || (line.length === 0) === (steps.length === 0)) return null;
  return allOf([[...ofJob, ...line], ...steps]);
}

function wordsOfStep(step: unknown, index: number, steps: readonly unknown[]): string[] | null {
  if (!isObject(step)) return null;
  const { Args, ...others } = step;
  const isLast = index === steps.length - 1;
  const options = wordsOf(isLast ? others : step, stepLeaves);
  const program = isLast ? programOf(Args) : [];
  return options === null || program === null ? null : [longOf(jobTable.Commands.option), ...options, ...program];
}

function programOf(args: unknown): string[] | null {
  if (args === undefined) return [];
  return isTexts(args) && args.length > 0 ? ["--", ...args] : null;
}

/** Null: there are no options for all of it. */
function wordsOf(object: Record<string, unknown>, leaves: readonly Leaf[]): string[] | null {
  if (
    !isCovered(
      object,
      leaves.map(({ path }) => path),
    )
  )
    return null;
  const said = leaves.map(({ path, field }) => optionsOf(field, valueAt(object, path)));
  return allOf(said)?.flat() ?? null;
}

/** Whether every field of the object has a path. */
function isCovered(object: Record<string, unknown>, paths: readonly string[]): boolean {
  return Object.entries(object).every(([name, value]) => {
    const below = paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1));
    return paths.includes(name) || (below.length > 0 && isObject(value) && isCovered(value, below));
  });
}

/** Null: the option cannot say it, or it is no value of such a field. */
function optionsOf(field: LeafField, value: unknown): string[] | null {
  const option = field.option === jobTable.CommandLine.option ? "-c" : longOf(field.option);
  if (value === undefined) return [];
  switch (field.kind) {
    case "text":
    case "choice":
      return typeof value === "string" ? [option, value] : null;
    case "contents":
      return typeof value === "string" && !value.includes("\0") ? [option, "-"] : null;
    case "seconds":
    case "bytes":
    case "number":
    case "integer": {
      if (typeof value === "number") return /^\d+(\.\d+)?$/.test(String(value)) ? [option, String(value)] : null;
      return typeof value === "string" ? [option, value] : null; // as it was typed
    }
    case "flag":
      return typeof value === "boolean" ? (value ? [option] : []) : null;
    case "list":
      return isTexts(value) && value.length > 0 ? value.flatMap((text) => [option, text]) : null;
    case "items":
      return Array.isArray(value) && value.length > 0 ? (allOf(value.map(field.format))?.flatMap((word) => [option, word]) ?? null) : null;
    case "map":
    case "variables":
      return pairsOf(value)?.flatMap(([name, text]) => [option, `${name}=${text}`]) ?? null;
    case "secrets":
      return isObject(value) && Object.keys(value).every(isName) ? Object.keys(value).flatMap((name) => [option, name]) : null;
  }
}

/** The option takes name and value apart at the first "=". */
function pairsOf(value: unknown): [string, string][] | null {
  if (!isObject(value)) return null;
  return allOf(
    Object.entries(value).map(([name, text]): [string, string] | null => (typeof text === "string" && isName(name) ? [name, text] : null)),
  );
}

function isName(name: string): boolean {
  return name !== "" && !name.includes("=");
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function allOf<Value>(values: readonly (Value | null)[]): Value[] | null {
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? known : null;
}
