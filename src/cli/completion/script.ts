import type { Command } from "commander";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { levelsOf } from "./level.ts";
import { zshScript } from "./zsh.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
export type Shell = keyof typeof scripts;

/** The script with which a shell completes commands and options, and IDs of jobs by asking the service. */
export function completionScript(program: Command, shell: Shell): string {
  return scripts[shell](levelsOf(program));
}
