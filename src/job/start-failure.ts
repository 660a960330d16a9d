import { explainErrno } from "./shortage.ts";

/** Why a step could not start, for people. */

export type StartFailure = { stage: string; errno: number };

/** What a step was to execute: its program as it was named, and the working directory. */
export type Attempt = { program: string; workingDirectory: string };

const maxProgramLength = 200;

/** `attempt` null: not known any more. The stages are drawn in supervisor/formats.h. */
export function explainStartFailure({ stage, errno }: StartFailure, attempt: Attempt | null): string {
  const why = errno > 0 ? explainErrno(errno) : "not usable";
  switch (stage) {
    case "workdir":
      return `working directory${attempt === null ? "" : ` ${attempt.workingDirectory}`}: ${why}`;
    case "exec":
      return `command${described(attempt)}: ${why}`;
    case "interpreter":
      return `command${described(attempt)}: it is there, but what it names as its interpreter, in its first line (#!) or in itself, is not; a carriage return at that line's end counts`;
    default:
      return `${stageNames.get(stage) ?? stage}: ${why}`;
  }
}

const stageNames = new Map([
  ["pipes", "pipes for its output"],
  ["stdin", "standard input"],
  ["fork", "new process"],
]);

function described(attempt: Attempt | null): string {
  if (attempt === null) return "";
  const { program, workingDirectory } = attempt;
  const name = program.length > maxProgramLength ? `${program.slice(0, maxProgramLength)}…` : program;
  return ` ${name} (${program.includes("/") ? "" : "looked for in PATH, "}working directory ${workingDirectory})`;
}
