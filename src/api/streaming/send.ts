import type { ServerResponse } from "node:http";
import { Pace, type Unacknowledged } from "./pace.ts";
import { StallWatch } from "./stall-watch.ts";

/** `gone`: the client closed the connection; `stalled`: the client took nothing for too long, and the service closed the connection. */
export type SendResult = "complete" | "gone" | "stalled";

/** `readsAhead` false: the next chunk is read only when the last one is sent, so that a stalled client holds no second chunk in memory. */
export type SendOptions = { stallTimeoutMs: number; unacknowledged: Unacknowledged; readsAhead?: boolean };

/**
 * Sends chunks at the pace of the client: one chunk is sent while the next one is read, and there is never a third. The signal given to
 * `open` aborts when the connection is closed, from either side. On "complete" the caller ends the response. If reading a chunk fails, the
 * connection is closed, so that the client does not take the part for the whole, and the error is thrown.
 */
export async function sendChunks(
  response: ServerResponse,
  open: (signal: AbortSignal) => AsyncIterable<Buffer>,
  { stallTimeoutMs, unacknowledged, readsAhead = true }: SendOptions,
): Promise<SendResult> {
  const closed = new AbortController();
  const onClose = (): void => closed.abort();
  response.once("close", onClose);
  if (response.destroyed) onClose();
  const stall = new StallWatch(response, unacknowledged, stallTimeoutMs);
  const pace = new Pace(response, unacknowledged);
  try {
    let drained = Promise.resolve();
    for await (const chunk of open(closed.signal)) {
      await drained;
      if (closed.signal.aborted) break;
      drained = stall.during(write(response, chunk, closed.signal).then(() => pace.sent(chunk.length, closed.signal)));
      if (!readsAhead) await drained;
    }
    await drained;
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    stall.close();
    response.off("close", onClose);
  }
  if (!closed.signal.aborted) return "complete";
  return stall.isStalled ? "stalled" : "gone";
}

/** Resolves when the kernel has the bytes or the connection is closed. Node does not always call back after a close. */
function write(response: ServerResponse, chunk: Buffer, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onClosed = (): void => resolve();
    closed.addEventListener("abort", onClosed, { once: true });
    response.write(chunk, () => {
      closed.removeEventListener("abort", onClosed);
      resolve();
    });
  });
}
