import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Attempt } from "../../job/start-failure.ts";
import { codeOf } from "../../lib/error-code.ts";

/** Reads from the plan (supervisor/formats.h) what each step was to execute, by its number; empty if the plan is gone. */
export function readAttempts(directory: string): Map<number, Attempt> {
  const attempts = new Map<number, Attempt>();
  let step: { program: string | null; workingDirectory: string | null } = { program: null, workingDirectory: null };
  let number = 0;
  for (const line of planOf(directory)) {
    if (line === "step") {
      number += 1;
      step = { program: null, workingDirectory: null };
    } else if (line.startsWith("arg=")) {
      step.program ??= line.slice("arg=".length);
    } else if (line.startsWith("workdir=")) {
      step.workingDirectory ??= line.slice("workdir=".length);
    }
    const { program, workingDirectory } = step;
    if (program !== null && workingDirectory !== null && !attempts.has(number)) attempts.set(number, { program, workingDirectory });
  }
  return attempts;
}

function planOf(directory: string): string[] {
  try {
    return readFileSync(join(directory, "plan"), "utf8").split("\0");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
