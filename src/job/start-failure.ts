import { constants } from "node:os";
import { explainErrno } from "./shortage.ts";

/** Explains to people why a step could not start. */

export type StartFailure = { stage: string; errno: number };

/** What a step tried to execute: the program as the job names it, and the working directory. */
export type Attempt = { program: string; workingDirectory: string };

const maxProgramLength = 200;

/** `attempt` null: unknown. supervisor/formats.h draws the stages. */
export function explainStartFailure({ stage, errno }: StartFailure, attempt: Attempt | null): string {
  const why = errno > 0 ? explainErrno(errno) : "not usable";
  switch (stage) {
    case "workdir":
      return `working directory${attempt === null ? "" : ` ${attempt.workingDirectory}`}: ${why}`;
    case "exec":
      return `command${described(attempt)}: ${why}`;
    case "interpreter":
      return (
        `command${described(attempt)}: the file exists, but the interpreter that it names, in its first line (#!) or in its ` +
        "ELF header, does not; a carriage return at the end of that line counts as part of the name"
      );
    default:
      return `${stageNames.get(stage) ?? stage}: ${why}`;
  }
}

/** What kept the command from being executed, as shells distinguish it: they exit with 127 and 126 (POSIX, "Exit Status for Commands"). */
export const startErrors = ["NotFound", "NotExecutable"] as const;
export type StartError = (typeof startErrors)[number];

/** Null: not the command, but something else. */
export function startErrorOf({ stage, errno }: StartFailure): StartError | null {
  if (stage !== "exec") return stage === "interpreter" ? "NotExecutable" : null;
  return errno === constants.errno.ENOENT || errno === constants.errno.ENOTDIR ? "NotFound" : "NotExecutable";
}

/** `exitCode`: of the container's init; `refusal`: what it said. */
export function startErrorInContainer(exitCode: number | null, refusal: string | null): StartError | null {
  if (exitCode === 127) return "NotFound";
  return exitCode !== 126 || /^(?:working directory|streams|new process): /.test(refusal ?? "") ? null : "NotExecutable";
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
