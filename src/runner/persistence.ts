import type { Log } from "./types.ts";

const retryMs = 1000;

/** What has happened must be recorded: tried until the disk takes it. */
export class Persistence {
  readonly #log: Log;
  #trouble: string | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Why the last write failed; null: it did not. */
  get trouble(): string | null {
    return this.#trouble;
  }

  async persist(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await write();
        this.#trouble = null;
        return;
      } catch (error) {
        this.#trouble = error instanceof Error ? error.message : String(error);
        this.#log("error", "the database could not be written; tried again", { err: error });
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}
