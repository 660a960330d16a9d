import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, type Work, work } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { printJson } from "../session.ts";

export function addInspect(program: Command, dependencies: Dependencies): void {
  program
    .command("inspect")
    .description("prints all about a job, with what was submitted, as JSON; of several jobs a list")
    .argument("<id...>", "the jobs, or how their IDs begin")
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
