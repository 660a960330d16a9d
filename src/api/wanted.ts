import type { FastifyRequest } from "fastify";

type Wanted<Result> = { timeoutSeconds?: number | null; work: (signal: AbortSignal) => Promise<Result> };

/** Runs work that may wait as long as a job runs. The signal aborts when the client disconnects or the timeout is over. */
export async function whileWanted<Result>(
  { raw: { socket } }: FastifyRequest,
  { timeoutSeconds = null, work }: Wanted<Result>,
): Promise<Result> {
  const unwanted = new AbortController();
  const abort = (): void => unwanted.abort();
  const timer = timeoutSeconds === null ? null : setTimeout(abort, timeoutSeconds * 1000);
  if (socket.destroyed) abort();
  socket.once("close", abort);
  try {
    return await work(unwanted.signal);
  } finally {
    if (timer !== null) clearTimeout(timer);
    socket.off("close", abort);
  }
}
