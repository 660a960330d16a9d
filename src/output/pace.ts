import type { ServerResponse } from "node:http";

/** How many bytes of a response the kernel has and the client has not acknowledged; null: not known. */
export type Unacknowledged = (response: ServerResponse) => Promise<number | null>;

/**
 * The kernel would keep 4 MiB for each reader that takes nothing: of some hundreds, most of what it has for all connections of the box.
 * Giving it that is work too: with four times as much as this, hundreds of such readers that come at once held up others four times as
 * long.
 */
const freeBytes = 64 * 1024;
/** Who has taken so much is no reader that takes nothing. */
const provenBytes = 8 * 1024 * 1024;
const shortestPauseMs = 1;
/** Each look costs a question to the kernel: thousands of readers that take nothing must not make it thousands a moment. */
const longestPauseMs = 2000;

/**
 * Gives the kernel no more for a client than it has taken before, or a little: so a fast one's share doubles with each answer of its, as
 * TCP's own window does (RFC 5681, slow start), and a slow one's stays small.
 */
export class Pace {
  readonly #response: ServerResponse;
  readonly #unacknowledged: Unacknowledged;
  #sentBytes = 0;
  #freeUntilBytes = freeBytes; // of what is sent, without another look

  constructor(response: ServerResponse, unacknowledged: Unacknowledged) {
    this.#response = response;
    this.#unacknowledged = unacknowledged;
  }

  /** The kernel has taken so many bytes more. Resolves when it may be given the next. */
  async sent(bytes: number, closed: AbortSignal): Promise<void> {
    this.#sentBytes += bytes;
    for (let pauseMs = shortestPauseMs; this.#sentBytes > this.#freeUntilBytes; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await this.#poll();
      if (closed.aborted || this.#sentBytes <= this.#freeUntilBytes) return;
      await pause(pauseMs * (0.5 + Math.random() / 2), closed); // not all that stall at once
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
