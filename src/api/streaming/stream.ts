import type { ServerResponse } from "node:http";
import type { Context } from "../context.ts";
import { sendChunks, type SendResult } from "./send.ts";

export type Streaming = {
  open: (signal: AbortSignal) => AsyncIterable<Buffer>;
  readsAhead?: boolean; // see SendOptions
};

/**
 * Sends the chunks at the pace of the client, and disconnects a client that takes nothing for JOBRUNNER_READER_TIMEOUT_SECONDS. On
 * "complete" the caller ends the response.
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
