import type { Command } from "commander";
import type { WholeJob } from "../../client/index.ts";
import { forEach, type Dependencies, statusOf, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { anyJobs, type JobReference, lastFlag, referencesOf } from "../job-reference.ts";
import { printJson } from "../session.ts";

export function addInspect(program: Command, dependencies: Dependencies): void {
  program
    .command("inspect")
    .description("Print everything about a job, with its specification, as JSON; for several jobs, a list")
    .argument("[id...]", anyJobs)
    .option(lastFlag, "Print the newest job")
    .action(async (words: string[], { last, ...options }: ConnectionOptions & { last?: boolean }) => {
      const jobs = referencesOf(words, last);
      await runCommand(dependencies, options, { run: async (context) => await inspect(context, jobs) });
    });
}

async function inspect(context: CommandContext, references: JobReference[]): Promise<number> {
  const act = async (id: string): Promise<WholeJob> => await context.client.job(id);
  const results = await forEach(context, { jobs: references, byName: "newest", act });
  const jobs = results.filter((job) => job !== null);
  if (references.length > 1) await printJson(context.session, jobs);
  else for (const job of jobs) await printJson(context.session, job);
  return statusOf(results);
}
