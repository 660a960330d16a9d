import { spawnSync } from "node:child_process";

/** Programs on a terminal, by the program script, which is everywhere where there is util-linux. */

/** For tests that need one. */
export const needsScript = {
  skip:
    spawnSync("script", ["--version"]).status === 0 || process.env["CI"] !== undefined
      ? false
      : "the program script is missing (Debian: bsdutils)",
};

/** The words that run a command line on a terminal of its own; what it says comes from standard output, and its exit status is theirs. */
export function onTerminal(commandLine: string): string[] {
  return ["script", "-qefc", commandLine, "/dev/null"];
}
