import type { ServerResponse } from "node:http";
import { Pace, type Unacknowledged } from "./pace.ts";
import { StallWatch } from "./stall-watch.ts";

/** `gone`: the client closed the connection; `stalled`: it took nothing for too long, and the connection was closed here. */
export type SendResult = "complete" | "gone" | "stalled";

/** `readsAhead` false: no chunk is held while another is sent, so that a reader that takes nothing holds none. */
export type SendOptions = { stallTimeoutMs: number; unacknowledged: Unacknowledged; readsAhead?: boolean };

/**
 * Sends chunks at the pace at which the client takes them: one is sent while the next is read, and no third is held. The signal given to
 * `open` aborts when the connection is closed, from either side. On "complete" the response is the caller's to end. When the chunks fail,
 * the connection is closed, so that the client does not take what it has for the whole, and the error is thrown.
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

/** Resolves when the kernel has the bytes, or the connection is closed: then Node does not always call back. */
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
