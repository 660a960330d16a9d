import type { ServerResponse } from "node:http";
import { sendChunks, type SendResult } from "../output/send.ts";
import type { Context } from "./context.ts";

export type Streaming = {
  open: (signal: AbortSignal) => AsyncIterable<Buffer>;
  readsAhead?: boolean; // as sendChunks says
};

/**
 * Sends what is opened at the pace of its reader, and cuts off one that takes nothing for too long. On "complete" the response is the
 * caller's to end.
 */
export async function stream(
  { limits, sockets, metrics }: Context,
  response: ServerResponse,
  { open, readsAhead = true }: Streaming,
): Promise<SendResult> {
  const unacknowledged = ({ socket }: ServerResponse): Promise<number | null> => sockets.unacknowledgedBytes(socket);
  const result = await sendChunks(response, open, { stallTimeoutMs: limits.readerTimeoutSeconds * 1000, unacknowledged, readsAhead });
  if (result === "stalled") metrics.dropped("stalled");
  return result;
}
