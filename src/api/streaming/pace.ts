import type { ServerResponse } from "node:http";

/** How many bytes of a response the kernel holds that the client has not acknowledged; null: not known. */
export type Unacknowledged = (response: ServerResponse) => Promise<number | null>;

/**
 * A client is sent so much before its acknowledgements are checked. The kernel would hold 4 MiB for each stalled client; some hundred of
 * them would use most of its memory for all connections. Copying takes time too: with four times this value, hundreds of stalled clients
 * that connect together delayed other clients four times as long.
 */
const freeBytes = 64 * 1024;
/** A client that has acknowledged so much is not a stalled one, and its acknowledgements are not checked any more. */
const provenBytes = 8 * 1024 * 1024;
const shortestPauseMs = 1;
/** Each check is a question to the kernel: thousands of stalled clients must not ask thousands of times per second. */
const longestPauseMs = 2000;

/**
 * Bounds kernel memory: a client is sent about as much as it has acknowledged. A fast client's share doubles with each acknowledgement, as
 * TCP's congestion window does (RFC 5681, slow start); a slow client's share stays small.
 */
export class Pace {
  readonly #response: ServerResponse;
  readonly #unacknowledged: Unacknowledged;
  #sentBytes = 0;
  #freeUntilBytes = freeBytes; // total to send before the next check

  constructor(response: ServerResponse, unacknowledged: Unacknowledged) {
    this.#response = response;
    this.#unacknowledged = unacknowledged;
  }

  /** Call when the kernel has so many more bytes. Resolves when the next chunk may be sent. */
  async sent(bytes: number, closed: AbortSignal): Promise<void> {
    this.#sentBytes += bytes;
    for (let pauseMs = shortestPauseMs; this.#sentBytes > this.#freeUntilBytes; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await this.#poll();
      if (closed.aborted || this.#sentBytes <= this.#freeUntilBytes) return;
      await pause(pauseMs * (0.5 + Math.random() / 2), closed); // random, so that clients that stalled together do not ask together
    }
  }

  async #poll(): Promise<void> {
    const waitingBytes = await this.#unacknowledged(this.#response);
    const takenBytes = this.#sentBytes - (waitingBytes ?? 0);
    this.#freeUntilBytes = waitingBytes === null || takenBytes >= provenBytes ? Infinity : takenBytes + Math.max(freeBytes, takenBytes);
  }
}

/** Ends early when the connection is closed. */
function pause(ms: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    function end(): void {
      clearTimeout(timer);
      closed.removeEventListener("abort", end);
      resolve();
    }
    closed.addEventListener("abort", end, { once: true });
  });
}
