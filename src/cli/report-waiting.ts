import { setTimeout } from "node:timers/promises";
import type { CommandContext } from "./command.ts";
import { report } from "./session.ts";
import { visible } from "./table.ts";

const askAgainMs = 2000;

/** Until the kill is finished, reports the processes that it waits for, each once. */
export async function reportWaiting({ session, client }: CommandContext, id: string, kill: Promise<void>): Promise<void> {
  const finished = new AbortController();
  const reported = new Set<string>();
  const watch = async (): Promise<void> => {
    while (!finished.signal.aborted) {
      await setTimeout(askAgainMs, undefined, { signal: finished.signal });
      // If the service does not answer, the kill itself reports that.
      const { WaitsFor: waited = null, Message = null } = (await client.job(id, { signal: finished.signal }).catch(() => null)) ?? {};
      if (waited === null || Message === null || reported.has(Message)) continue;
      reported.add(Message);
      report(session, `${id} ${visible(Message)}`);
    }
  };
  const watching = watch().catch(() => undefined); // aborted
  try {
    await kill;
  } finally {
    finished.abort();
    await watching;
  }
}
