import type { Command } from "commander";
import { withStatusOfJob, type Dependencies, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { anyJob, idOf, type JobReference, lastFlag, referencesOf } from "../job-reference.ts";
import { conclude, leftStatus } from "../outcome.ts";
import { report, untilLeft } from "../session.ts";

export function addAttach(program: Command, dependencies: Dependencies): void {
  program
    .command("attach")
    .description("Show a job's output from its first byte, then live, and exit with its exit status; Ctrl-C leaves the job running")
    .argument("[id]", anyJob)
    .option(lastFlag, "Attach to the newest job")
    .action(async (word: string | undefined, { last, ...options }: ConnectionOptions & { last?: boolean }) => {
      const [job] = referencesOf(word, last);
      await runCommand(dependencies, options, { ...withStatusOfJob, run: async (context) => await attach(context, job) });
    });
}

async function attach({ session, client }: CommandContext, reference: JobReference): Promise<number> {
  const { follow } = await import("../follow.ts");
  const id = await idOf(client, reference, { byName: "newest", isRetried: true });
  const job = await untilLeft(session, { run: async (signal) => await follow(session, client, { id, signal }) });
  if (job !== null) return conclude(session, job);
  report(session, `the job continues; 'jobrunner kill ${id}' ends it`);
  return leftStatus;
}
