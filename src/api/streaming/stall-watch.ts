import type { ServerResponse } from "node:http";
import type { Unacknowledged } from "./pace.ts";

const checksPerTimeout = 8;

/**
 * Resets the connection of a client that takes nothing for `timeoutMs` while something is being sent. A client that waits for a quiet job
 * stays connected.
 */
export class StallWatch {
  isStalled = false;
  readonly #response: ServerResponse;
  readonly #unacknowledged: Unacknowledged;
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  #isSending = false;
  #sends = 0;
  #seen = "";
  #lastProgressMs = performance.now();

  constructor(response: ServerResponse, unacknowledged: Unacknowledged, timeoutMs: number) {
    this.#response = response;
    this.#unacknowledged = unacknowledged;
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => void this.#poll(), timeoutMs / checksPerTimeout);
  }

  /** Watches until `sending` resolves. */
  async during(sending: Promise<void>): Promise<void> {
    this.#sends += 1;
    this.#isSending = true;
    await sending;
    this.#isSending = false;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * A sent chunk is progress, and so is an acknowledgement of some of its bytes: the kernel holds megabytes for a connection and takes more
   * only when a third of that is free, which can take minutes with a slow client.
   */
  async #poll(): Promise<void> {
    const seen = this.#isSending ? `${this.#sends} ${await this.#unacknowledged(this.#response)}` : "";
    const nowMs = performance.now();
    if (seen === "" || seen !== this.#seen) {
      this.#seen = seen;
      this.#lastProgressMs = nowMs;
    } else if (this.#isSending && nowMs - this.#lastProgressMs >= this.#timeoutMs) {
      this.isStalled = true;
      this.#response.socket?.resetAndDestroy(); // after an orderly end the kernel would keep the unsent bytes for minutes
    }
  }
}
