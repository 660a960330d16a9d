import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { printJson } from "../session.ts";

export function addInspect(program: Command, dependencies: Dependencies): void {
  program
    .command("inspect")
    .description("Print everything about a job, with its specification, as JSON; for several jobs, a list")
    .argument("<id...>", "The jobs' IDs, or their beginnings")
    .action(async (prefixes: string[], options: ConnectionOptions) => {
      await runCommand(dependencies, options, { run: async (context) => await inspect(context, prefixes) });
    });
}

async function inspect(context: CommandContext, prefixes: string[]): Promise<number> {
  const results = await forEach(context, { prefixes, act: async (id) => await context.client.job(id) });
  const jobs = results.filter((job) => job !== null);
  if (prefixes.length > 1) await printJson(context.session, jobs);
  else for (const job of jobs) await printJson(context.session, job);
  return statusOf(results);
}
