import type { ServerResponse } from "node:http";
import type { Unacknowledged } from "./pace.ts";

const checksPerTimeout = 8;

/** Closes the connection of a client that takes nothing of what is being sent for so long. A quiet job's reader has nothing to take. */
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

  /** Watches while something is being sent. */
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
   * A chunk that is finished is progress, and so is any of it that the client has acknowledged: the kernel keeps megabytes for a connection
   * and takes more of us only when a third of that is free, which at a slow client lasts for minutes.
   */
  async #poll(): Promise<void> {
    const seen = this.#isSending ? `${this.#sends} ${await this.#unacknowledged(this.#response)}` : "";
    const nowMs = performance.now();
    if (seen === "" || seen !== this.#seen) {
      this.#seen = seen;
      this.#lastProgressMs = nowMs;
    } else if (this.#isSending && nowMs - this.#lastProgressMs >= this.#timeoutMs) {
      this.isStalled = true;
      this.#response.socket?.resetAndDestroy(); // an orderly end would leave what is unsent with the kernel, for minutes
    }
  }
}
