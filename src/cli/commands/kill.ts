import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, work } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { print } from "../session.ts";
import { reportWaiting } from "../report-waiting.ts";

export function addKill(program: Command, dependencies: Dependencies): void {
  program
    .command("kill")
    .description("asks jobs to stop, kills them when their time for that is over, and prints each ID when nothing of it is left")
    .argument("<id...>", "the jobs, or how their IDs begin")
    .option("--force", "SIGKILL at once, and no step that cleans up")
    .action(async (prefixes: string[], { force: isForced = false, ...options }: ConnectionOptions & { force?: boolean }) => {
      await work(dependencies, options, {
        run: async (work) => {
          const { session, client } = work;
          const act = async (id: string): Promise<void> => {
            await client.job(id, { isRetried: true }); // to be told where there is none: the service has then killed it, too
            await reportWaiting(work, id, client.kill(id, { isForced }));
            await print(session, id);
          };
          return statusOf(await forEach(work, { prefixes, isRetried: true, act }));
        },
      });
    });
}
