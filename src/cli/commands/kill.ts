import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { print } from "../session.ts";
import { reportWaiting } from "../report-waiting.ts";

export function addKill(program: Command, dependencies: Dependencies): void {
  program
    .command("kill")
    .description("Ask jobs to stop, kill them after their grace period, and print each ID when nothing of the job is left")
    .argument("<id...>", "The jobs' IDs, or their beginnings")
    .option("--force", "Send SIGKILL at once, and run no clean-up steps")
    .action(async (prefixes: string[], { force: isForced = false, ...options }: ConnectionOptions & { force?: boolean }) => {
      await runCommand(dependencies, options, {
        run: async (context) => {
          const { session, client } = context;
          const act = async (id: string): Promise<void> => {
            await client.job(id, { isRetried: true }); // fails if there is no such job; the kill itself would succeed
            await reportWaiting(context, id, client.kill(id, { isForced }));
            await print(session, id);
          };
          return statusOf(await forEach(context, { prefixes, isRetried: true, act }));
        },
      });
    });
}
