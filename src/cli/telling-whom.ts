import { setTimeout } from "node:timers/promises";
import type { Work } from "./command.ts";
import { tell } from "./session.ts";
import { visible } from "./table.ts";

const askAgainMs = 2000;

/** Until the kill is over, tells for which processes it waits, each once. */
export async function tellingWhom({ session, client }: Work, id: string, kill: Promise<void>): Promise<void> {
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
