import type { Command } from "commander";
import type { Job } from "../../client/index.ts";
import { type Dependencies, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { isFinished } from "../../client/states.ts";
import { changeOf } from "../job-format.ts";
import { print, printJson, report, untilLeft, whileRead } from "../session.ts";

export function addEvents(program: Command, dependencies: Dependencies): void {
  program
    .command("events")
    .description("Print a line for every change of a job's state from now on, also across restarts of the service")
    .option("--json", "Print each job as a line of JSON")
    .action(async ({ json: isJson = false, ...options }: ConnectionOptions & { json?: boolean }) => {
      await runCommand(dependencies, options, { run: async (context) => await printEvents(context, { isJson }) });
    });
}

/** Prints changes until the user stops the command. `fits`: only those of these jobs. */
export async function printEvents(
  { session, client }: CommandContext,
  { isJson, fits = () => true }: { isJson: boolean; fits?: (job: Job) => boolean },
): Promise<number> {
  const reported = new ReportedJobs();
  const run = async (signal: AbortSignal): Promise<void> => {
    for await (const event of client.events({ signal })) {
      if (event.kind === "missing" && !event.isWhole)
        report(session, "changes may be missing here, also those of finished jobs: jobrunner ps -a lists all");
      if (event.kind !== "job" || !fits(event.job) || !reported.isNew(event.job)) continue;
      await (isJson ? printJson(session, event.job, { isLine: true }) : print(session, changeOf(event.job)));
    }
  };
  await untilLeft(session, { run: async (signal) => await whileRead(session, { signal, run }) });
  return 0;
}

/** After a gap in the events, the service also reports jobs that have not changed. This recognizes them. */
class ReportedJobs {
  readonly #reported = new Map<string, string>(); // of unfinished jobs

  isNew(job: Job): boolean {
    const { ID, State, WaitsFor } = job;
    const said = JSON.stringify([State, WaitsFor]);
    if (this.#reported.get(ID) === said) return false;
    if (!isFinished(State)) this.#reported.set(ID, said);
    else this.#reported.delete(ID);
    return true;
  }
}
