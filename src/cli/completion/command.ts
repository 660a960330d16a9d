import { Argument, type Command } from "commander";
import type { Shell } from "./script.ts";

const shells: Shell[] = ["bash", "zsh", "fish"];

/** Adds `completion`, which prints the script of a shell. It covers all commands that were added before. */
export function addCompletion(program: Command, { print }: { print: (text: string) => void }): void {
  program
    .command("completion")
    .description("Print a script that makes a shell complete commands, options and job IDs")
    .addArgument(new Argument("<shell>", "The shell").choices(shells))
    .addHelpText("after", places)
    .exitOverride()
    .action(async (shell: Shell) => {
      const { completionScript } = await import("./script.ts");
      print(completionScript(program, shell).trimEnd());
    });
}

const places = `
Where the shells look for it, in a user's home:

  jobrunner completion bash > ~/.local/share/bash-completion/completions/jobrunner
  jobrunner completion zsh > ~/.zfunc/_jobrunner      # and in ~/.zshrc, before compinit: fpath=(~/.zfunc $fpath)
  jobrunner completion fish > ~/.config/fish/completions/jobrunner.fish`;
