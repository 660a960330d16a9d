import type { IncomingMessage } from "node:http";

/** A poor line carries so much; whoever would hold many connections for nothing has to send it on each. */
export const bodyBytesPerSecond = 16_384;

/**
 * Calls `onLate` when a request's body does not arrive in time: in `timeoutSeconds`, and a second more for each `bodyBytesPerSecond` that
 * have come. Node has one time for requests of whatever size, in which a large file does not arrive over a slow line.
 */
export function expectBody(request: IncomingMessage, timeoutSeconds: number, onLate: () => void): void {
  if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined) return;
  // A small one has come with its head, and is read before the next tick.
  process.nextTick(() => {
    if (!request.complete) expectRest(request, timeoutSeconds, onLate);
  });
}

function expectRest(request: IncomingMessage, timeoutSeconds: number, onLate: () => void): void {
  const { socket } = request;
  const [startMs, startBytes] = [performance.now(), socket.bytesRead];
  const leftMs = (): number => startMs + (timeoutSeconds + (socket.bytesRead - startBytes) / bodyBytesPerSecond) * 1000 - performance.now();
  const check = (): void => {
    if (request.complete) return;
    const waitMs = leftMs();
    if (waitMs <= 0) onLate();
    else timer = setTimeout(check, waitMs);
  };
  let timer = setTimeout(check, leftMs());
  whenRead(request, () => clearTimeout(timer));
}

/**
 * Calls `then` when a request has been read whole, or can be no more. Its own "close" does not come where its client goes away when it has
 * the answer.
 */
export function whenRead(request: IncomingMessage, then: () => void): void {
  const { socket } = request;
  const once = (): void => {
    request.off("end", once);
    socket.off("close", once);
    then();
  };
  request.once("end", once);
  socket.setMaxListeners(0).once("close", once); // one for each request of a pipeline
}
