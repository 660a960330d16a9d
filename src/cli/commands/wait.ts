import type { Command } from "commander";
import { NotFinishedInTime } from "../../client/errors.ts";
import type { WholeJob } from "../../client/index.ts";
import { withStatusOfJob, forEach, type Dependencies, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { anyJobs, type JobReference, lastFlag, referencesOf } from "../job-reference.ts";
import { exitText } from "../job-format.ts";
import { exitStatusOf, ownStatus } from "../outcome.ts";
import { print, printJson, report, whileRead } from "../session.ts";
import { seconds } from "../values.ts";
import { visible } from "../table.ts";

type WaitOptions = { timeout?: number; json?: boolean };

/** The exit status of timeout(1). */
const timeoutStatus = 124;

export function addWait(program: Command, dependencies: Dependencies): void {
  program
    .command("wait")
    .description("Wait until jobs are finished, and exit like the first of them, in this order, that did not succeed")
    .argument("[id...]", anyJobs)
    .option(lastFlag, "Wait for the newest job")
    .option("--timeout <duration>", "Wait no longer than this; then exit with 124", seconds)
    .option("--json", "Print each job as a line of JSON")
    .action(async (words: string[], { last, ...options }: ConnectionOptions & WaitOptions & { last?: boolean }) => {
      const jobs = referencesOf(words, last);
      await runCommand(dependencies, options, {
        ...withStatusOfJob,
        run: async (context) => await waitForAll(context, { jobs, ...options }),
      });
    });
}

async function waitForAll(
  context: CommandContext,
  { jobs, timeout = Infinity, json = false }: WaitOptions & { jobs: JobReference[] },
): Promise<number> {
  const { session, client } = context;
  const endMs = performance.now() + timeout * 1000;
  const act = async (id: string, signal: AbortSignal): Promise<number> => {
    try {
      const job = await client.wait(id, { signal, timeoutSeconds: Math.max(0, (endMs - performance.now()) / 1000) });
      await (json ? printJson(session, job, { isLine: true }) : print(session, lineOf(job)));
      return exitStatusOf(job);
    } catch (error) {
      if (!(error instanceof NotFinishedInTime)) throw error;
      report(session, `${id} is not finished after ${timeout} s`);
      return timeoutStatus;
    }
  };
  const statuses = await whileRead(session, {
    run: async (signal) => await forEach(context, { jobs, byName: "newest", isRetried: true, act: async (id) => await act(id, signal) }),
  });
  return statuses.map((status) => status ?? ownStatus).find((status) => status !== 0) ?? 0;
}

function lineOf(job: WholeJob): string {
  const { ID, State, Message } = job;
  return [ID, State, exitText(job), visible(Message ?? "")].filter((text) => text !== "").join("  ");
}
