import { setTimeout } from "node:timers/promises";
import type { Work } from "./command.ts";
import { report } from "./session.ts";
import { visible } from "./table.ts";

const askAgainMs = 2000;

/** Until the kill is over, tells for which processes it waits, each once. */
export async function reportWaiting({ session, client }: Work, id: string, kill: Promise<void>): Promise<void> {
  const over = new AbortController();
  const reported = new Set<string>();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await setTimeout(askAgainMs, undefined, { signal: over.signal });
      // Of a service that does not answer the kill itself tells.
      const { WaitsFor: waited = null, Message = null } = (await client.job(id, { signal: over.signal }).catch(() => null)) ?? {};
      if (waited === null || Message === null || reported.has(Message)) continue;
      reported.add(Message);
      report(session, `${id} ${visible(Message)}`);
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
