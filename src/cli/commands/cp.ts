import type { Command } from "commander";
import { type Dependencies, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";

export function addCp(program: Command, dependencies: Dependencies): void {
  program
    .command("cp")
    .description(
      "Copy files and folders with their permissions into or out of a job's workspace; name what was omitted, and then exit with 1",
    )
    .argument("<from>", "A file or folder here, - for standard input, or JOB:PATH in a workspace, by ID or name")
    .argument("<to>", "JOB:PATH in a workspace, a file or folder here, or - for standard output")
    .addHelpText("after", "\n  jobrunner cp 019a0f3e:out/report.txt .\n  jobrunner cp data 019a0f3e:in/")
    .action(async (from: string, to: string, options: ConnectionOptions) => {
      await runCommand(dependencies, options, { run: async (context) => await (await import("../copy.ts")).copy(context, { from, to }) });
    });
}
