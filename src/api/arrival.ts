import type { IncomingMessage } from "node:http";
import { Problem } from "./problems.ts";

/** The slowest rate that is served. A client that holds many connections open must send at this rate on each of them. */
const bodyBytesPerSecond = 16_384;

/** Whether a request announces a body (RFC 9112, 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

/**
 * Calls `onLate` if a request's body does not arrive in `timeoutSeconds`, plus one second for each `bodyBytesPerSecond` bytes that have
 * arrived. Node.js has one timeout for requests of any size, in which a large file does not arrive over a slow connection.
 */
export function expectBody(request: IncomingMessage, timeoutSeconds: number, onLate: () => void): void {
  // A small body has arrived with the headers and is read before the next tick.
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
 * Calls `then` when a request has been read completely or its connection is closed. The request's own "close" is not enough: Node.js does
 * not emit it if the client leaves after it has the answer.
 */
export function whenRead(request: IncomingMessage, then: () => void): void {
  const { socket } = request;
  const once = (): void => {
    request.off("end", once);
    socket.off("close", once);
    then();
  };
  request.once("end", once);
  socket.setMaxListeners(0).once("close", once); // one for each pipelined request
}

type Timeouts = { headersTimeoutSeconds: number; requestTimeoutSeconds: number };

/** The answer to a request that does not arrive in time. */
export function requestTimeout({ headersTimeoutSeconds, requestTimeoutSeconds }: Timeouts): Problem {
  const headers = `the headers must arrive within ${headersTimeoutSeconds} seconds (JOBRUNNER_HEADERS_TIMEOUT_SECONDS)`;
  const body =
    `the body within ${requestTimeoutSeconds} (JOBRUNNER_REQUEST_TIMEOUT_SECONDS), and a second more for each ` +
    `${bodyBytesPerSecond / 1024} KiB of it`;
  return new Problem("request-timeout", `${headers}, ${body}`);
}
