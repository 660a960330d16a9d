import type { Command } from "commander";
import { type ConnectionOptions, forEach, type Means, statusOf, work } from "../command.ts";
import { print, tell } from "../session.ts";
import { visible } from "../table.ts";
import { tellingWhom } from "../telling-whom.ts";

export function addRm(program: Command, means: Means): void {
  program
    .command("rm")
    .description("removes jobs that are over, with their output and workspaces, and prints their IDs")
    .argument("<id...>", "the jobs, or how their IDs begin")
    .option("--force", "kills those that are not over")
    .action(async (prefixes: string[], { force: isForced = false, ...options }: ConnectionOptions & { force?: boolean }) => {
      await work(means, options, {
        run: async (work) => {
          const { session, client } = work;
          const act = async (id: string): Promise<void> => {
            if (isForced) await tellingWhom(work, id, client.kill(id, { isForced }));
            const { Remains } = await client.remove(id);
            await print(session, id);
            if (Remains !== undefined) tell(session, `${id} is removed, but not yet from the disk: ${visible(Remains.Path)}: ${visible(Remains.Problem)}`);
          };
          return statusOf(await forEach(work, { prefixes, isPatient: true, act }));
        },
      });
    });
}
