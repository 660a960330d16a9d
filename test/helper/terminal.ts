import { spawnSync } from "node:child_process";

/** Runs programs on a terminal, with the program script of util-linux. */

/** For tests that need a terminal. */
export const needsScript = {
  skip:
    spawnSync("script", ["--version"]).status === 0 || process.env["CI"] !== undefined
      ? false
      : "the program script is missing (Debian: bsdutils)",
};

/** The words that run a command line on a terminal: its output is on standard output, and its exit status is returned. */
export function onTerminal(commandLine: string): string[] {
  return ["script", "-qefc", commandLine, "/dev/null"];
}
