import type { Command } from "commander";
import { forEach, type Dependencies, statusOf, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { referencesOf } from "../job-reference.ts";
import { print, report } from "../session.ts";
import { visible } from "../table.ts";
import { reportWaiting } from "../report-waiting.ts";

export function addRm(program: Command, dependencies: Dependencies): void {
  program
    .command("rm")
    .description("Remove finished jobs with their output and workspaces, and print their IDs")
    .argument("<id...>", "The jobs' IDs, or their beginnings; no names, which may stand for many jobs")
    .option("--force", "Kill jobs that are still running")
    .action(async (words: string[], { force: isForced = false, ...options }: ConnectionOptions & { force?: boolean }) => {
      await runCommand(dependencies, options, {
        run: async (context) => {
          const { session, client } = context;
          const act = async (id: string): Promise<void> => {
            if (isForced) await reportWaiting(context, id, client.kill(id, { isForced }));
            const { Remains } = await client.remove(id);
            await print(session, id);
            if (Remains !== undefined)
              report(session, `${id} is removed, but not yet from the disk: ${visible(Remains.Path)}: ${visible(Remains.Problem)}`);
          };
          return statusOf(await forEach(context, { jobs: referencesOf(words, false), isRetried: true, act }));
        },
      });
    });
}
