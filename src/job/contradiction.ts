import { findContainerProblem } from "./container-spec.ts";
import { findSecretsProblem } from "./secrets.ts";
import { findLongString } from "./size.ts";
import type { FieldProblem, JobSpec } from "./spec.ts";

/** What a schema cannot say: the first thing wrong with a spec that fits the schema, or null. */
export function findContradiction(spec: JobSpec): FieldProblem | null {
  if (spec.CommandLine !== undefined && spec.Commands !== undefined) {
    return { field: "CommandLine", message: "give either CommandLine or Commands, not both" };
  }
  if (spec.CommandLine === undefined && spec.Commands === undefined) {
    return { field: "CommandLine", message: "is missing: give CommandLine (one command) or Commands (a sequence)" };
  }
  if (spec.WorkingDir !== undefined && leavesWorkspace(spec.WorkingDir)) return outside("WorkingDir");
  const taken = findReserved(spec.Environment, "Environment");
  if (taken !== null) return taken;
  for (const [index, command] of (spec.Commands ?? []).entries()) {
    const field = `Commands[${index}]`;
    if (command.CommandLine !== undefined && command.Args !== undefined) {
      return { field: `${field}.CommandLine`, message: "give either CommandLine or Args, not both" };
    }
    if (command.CommandLine === undefined && command.Args === undefined && command.Image === undefined) {
      return {
        field: `${field}.CommandLine`,
        message: "is missing: give CommandLine (run by bash), Args (run without a shell), or an Image",
      };
    }
    if (command.Shell !== undefined && command.CommandLine === undefined) {
      return { field: `${field}.Shell`, message: "runs a CommandLine: give one, or leave it out" };
    }
    if (command.Args?.[0] === "" && command.Image === undefined)
      return { field: `${field}.Args[0]`, message: "must name a program, not be empty" };
    const reserved = findReserved(command.Environment, `${field}.Environment`);
    if (reserved !== null) return reserved;
    const directory = command.WorkingDir;
    const isBelowAbsolute = spec.WorkingDir?.startsWith("/") ?? false;
    if (directory !== undefined && !isBelowAbsolute && leavesWorkspace(directory, spec.WorkingDir)) {
      return outside(`${field}.WorkingDir`);
    }
  }
  return findSecretsProblem(spec, findReserved) ?? findLongString(spec) ?? findContainerProblem(spec);
}

/** If a job's supervisor is killed, its processes are found by these variables. */
const reservedVariables = ["JOBRUNNER_JOB_ID", "JOBRUNNER_STEP", "JOBRUNNER_WORKSPACE"];

function findReserved(environment: Record<string, string> | undefined, field: string): FieldProblem | null {
  const name = reservedVariables.find((reserved) => environment !== undefined && Object.hasOwn(environment, reserved));
  return name === undefined ? null : { field: `${field}.${name}`, message: "is set by jobrunner itself: leave it out" };
}

function outside(field: string): FieldProblem {
  return { field, message: "leaves the job's workspace by '..': give a path inside it, or an absolute one" };
}

function leavesWorkspace(directory: string, base = "."): boolean {
  if (directory.startsWith("/")) return false;
  let depth = 0;
  for (const part of `${base}/${directory}`.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
