import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { type ConnectionOptions, forEach, type Means, statusOf, type Work, work } from "../command.ts";
import { print, tell } from "../session.ts";
import { visible } from "../table.ts";

export function addKill(program: Command, means: Means): void {
  program
    .command("kill")
    .description("asks jobs to stop, kills them when their time for that is over, and prints each ID when nothing of it is left")
    .argument("<id...>", "the jobs, or how their IDs begin")
    .option("--force", "SIGKILL at once, and no step that cleans up")
    .action(async (prefixes: string[], { force: isForced = false, ...options }: ConnectionOptions & { force?: boolean }) => {
      await work(means, options, {
        run: async (work) => {
          const { session, client } = work;
          const act = async (id: string): Promise<void> => {
            await client.job(id); // to be told where there is none: the service has then killed it, too
            await tellingWhom(work, id, client.kill(id, { isForced }));
            await print(session, id);
          };
          return statusOf(await forEach(work, { prefixes, act }));
        },
      });
    });
}

const askAgainMs = 2000;

/** Until the kill is over, tells for which processes it waits, each once. */
async function tellingWhom({ session, client }: Work, id: string, kill: Promise<void>): Promise<void> {
  const over = new AbortController();
  const told = new Set<string>();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await setTimeout(askAgainMs, undefined, { signal: over.signal });
      // Of a service that does not answer the kill itself tells.
      const { WaitsFor: waited = null, Message = null } = (await client.job(id, { signal: over.signal }).catch(() => null)) ?? {};
      if (waited === null || Message === null || told.has(Message)) continue;
      told.add(Message);
      tell(session, `${id} ${visible(Message)}`);
    }
  };
  const watching = watch().catch(() => undefined); // aborted
  try {
    await kill;
  } finally {
    over.abort();
    await watching;
  }
}
