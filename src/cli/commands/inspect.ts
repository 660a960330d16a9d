import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, type Work, work } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { printJson } from "../session.ts";

export function addInspect(program: Command, dependencies: Dependencies): void {
  program
    .command("inspect")
    .description("Print everything about a job, with its specification, as JSON; for several jobs, a list")
    .argument("<id...>", "The jobs' IDs, or their beginnings")
    .action(async (prefixes: string[], options: ConnectionOptions) => {
      await work(dependencies, options, { run: async (work) => await inspect(work, prefixes) });
    });
}

async function inspect(work: Work, prefixes: string[]): Promise<number> {
  const results = await forEach(work, { prefixes, act: async (id) => await work.client.job(id) });
  const jobs = results.filter((job) => job !== null);
  if (prefixes.length > 1) await printJson(work.session, jobs);
  else for (const job of jobs) await printJson(work.session, job);
  return statusOf(results);
}
