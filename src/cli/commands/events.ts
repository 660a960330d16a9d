import type { Command } from "commander";
import type { Job } from "../../client/index.ts";
import { type ConnectionOptions, type Means, type Work, work } from "../command.ts";
import { changeOf } from "../job-words.ts";
import { print, printJson, untilLeft } from "../session.ts";

export function addEvents(program: Command, means: Means): void {
  program
    .command("events")
    .description("prints a line for every change of a job's state, from now on")
    .option("--json", "the job as a line of JSON")
    .action(async ({ json: isJson = false, ...options }: ConnectionOptions & { json?: boolean }) => {
      await work(means, options, { run: async (work) => await printEvents(work, { isJson }) });
    });
}

/** Until they are left. `fits`: which jobs are meant. */
export async function printEvents({ session, client }: Work, { isJson, fits = () => true }: { isJson: boolean; fits?: (job: Job) => boolean }): Promise<number> {
  const run = async (signal: AbortSignal): Promise<void> => {
    for await (const event of client.events({ signal })) {
      if (event.kind !== "job" || !fits(event.job)) continue;
      await (isJson ? printJson(session, event.job, { isLine: true }) : print(session, changeOf(event.job)));
    }
  };
  await untilLeft(session, { run });
  return 0;
}
