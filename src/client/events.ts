import type { Body } from "./answered.ts";
import type { Backoff } from "./backoff.ts";
import { Unreachable } from "./errors.ts";
import { type Connecting, eventBatches } from "./stream.ts";
import type { EventsPosition, JobEvent } from "./types.ts";

export type Listening = {
  /** Asks for the events after this one; null: from the present on. */
  open: (lastId: string | null, signal: AbortSignal) => Promise<Body>;
  backoff: Backoff;
  connecting: Connecting;
};

/** Changes of jobs, over as many connections as needed. Each connection continues at `position`, which this keeps up to date. */
export async function* jobEvents({ open, backoff, connecting }: Listening, position: EventsPosition): AsyncGenerator<JobEvent> {
  for (;;) {
    try {
      const batches = eventBatches((signal) => open(position.id, signal), { ...connecting, onId: (id) => (position.id = id) });
      for await (const batch of batches) {
        if (batch.length > 0) backoff.calm();
        else {
          backoff.opened();
          yield { kind: "open" };
        }
        for (const { event, data } of batch) {
          if (event === "missing") yield { kind: "missing", isWhole: JSON.parse(data).IsWhole === true };
          else yield { kind: "job", job: JSON.parse(data) };
        }
      }
      throw new Unreachable(connecting.url, new Error("the service closed the connection"));
    } catch (error) {
      await backoff.after(error);
    }
  }
}
