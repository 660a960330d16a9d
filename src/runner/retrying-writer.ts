import type { Log } from "./log.ts";

const retryMs = 1000;

/** Retries a write until it succeeds: what has happened must be recorded. */
export class RetryingWriter {
  readonly #log: Log;
  #problem: string | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Why the last write failed; null: it succeeded. */
  get problem(): string | null {
    return this.#problem;
  }

  async write(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await write();
        this.#problem = null;
        return;
      } catch (error) {
        this.#problem = error instanceof Error ? error.message : String(error);
        this.#log("error", "the database could not be written; tried again", { err: error });
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}
