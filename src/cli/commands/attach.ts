import type { Command } from "commander";
import { asJob, type Dependencies, type Work, work } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { conclude, leftStatus } from "../outcome.ts";
import { report, untilLeft } from "../session.ts";

export function addAttach(program: Command, dependencies: Dependencies): void {
  program
    .command("attach")
    .description("shows a job's output from its first byte, then live, and exits as the job does; Ctrl-C leaves the job alone")
    .argument("<id>", "the job, or how its ID begins")
    .action(async (prefix: string, options: ConnectionOptions) => {
      await work(dependencies, options, { ...asJob, run: async (work) => await attach(work, prefix) });
    });
}

async function attach({ session, client }: Work, prefix: string): Promise<number> {
  const { follow } = await import("../follow.ts");
  const id = await client.find(prefix, { isRetried: true });
  const job = await untilLeft(session, { run: async (signal) => await follow(session, client, { id, signal }) });
  if (job !== null) return conclude(session, job);
  report(session, `the job goes on; 'jobrunner kill ${id}' ends it`);
  return leftStatus;
}
