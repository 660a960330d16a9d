import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { lastFlag, referencesOf } from "../job-reference.ts";
import { print } from "../session.ts";
import { reportWaiting } from "../report-waiting.ts";
import { signalOf } from "../signal-name.ts";
import { UsageError } from "../usage-error.ts";

type Options = ConnectionOptions & { force?: boolean; signal?: string; last?: boolean };

export function addKill(program: Command, dependencies: Dependencies): void {
  program
    .command("kill")
    .description("Ask jobs to stop, kill them after their grace period, and print each ID when nothing of the job is left")
    .argument("[id...]", "The jobs' IDs, their beginnings, or names: each the one unfinished job of that name")
    .option(lastFlag, "Kill the newest unfinished job")
    .option("--force", "Send SIGKILL at once, and run no clean-up steps")
    .option("--signal <sent-signal>", "Send only this signal, such as SIGUSR1, to the running step; the job continues")
    .action(async (words: string[], { force: isForced = false, signal: name, last, ...options }: Options) => {
      if (isForced && name !== undefined) throw new UsageError("--force kills the job, --signal does not: give one of them");
      const signal = name === undefined ? null : signalOf(name);
      const jobs = referencesOf(words, last);
      await runCommand(dependencies, options, {
        run: async (context) => {
          const { session, client } = context;
          const act = async (id: string): Promise<void> => {
            if (signal !== null) {
              await client.signal(id, signal);
              return await print(session, id);
            }
            await client.job(id, { isRetried: true }); // fails if there is no such job; the kill itself would succeed
            await reportWaiting(context, id, client.kill(id, { isForced }));
            await print(session, id);
          };
          return statusOf(await forEach(context, { jobs, byName: "unfinished", isRetried: signal === null, act }));
        },
      });
    });
}
