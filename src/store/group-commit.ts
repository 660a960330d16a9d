import type { DatabaseSync } from "node:sqlite";

type Write = { run: () => void; resolve: () => void; reject: (error: unknown) => void };

/**
 * Many writes share one fsync: the writes of one turn of the event loop form one transaction. While the disk is busy, the next requests
 * gather in the kernel, so groups grow with the load.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #onCommit: (ms: number) => void;
  #waiting: Write[] = [];

  constructor(database: DatabaseSync, onCommit: (ms: number) => void) {
    this.#database = database;
    this.#onCommit = onCommit;
  }

  /** `run` executes statements inside the group's transaction. Resolves when they are on disk. Rejects if none of them was written. */
  write(run: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({ run, resolve, reject });
    });
  }

  flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      const ms = this.#commit(group);
      for (const { resolve } of group) resolve();
      setImmediate(() => this.#onCommit(ms)); // first the callers that wait for the commit
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else this.#commitEach(group);
    }
  }

  /** One failing write must not fail the others of its group. */
  #commitEach(group: Write[]): void {
    for (const write of group) {
      try {
        const ms = this.#commit([write]);
        write.resolve();
        setImmediate(() => this.#onCommit(ms));
      } catch (error) {
        write.reject(error);
      }
    }
  }

  /** Returns how many milliseconds the commit took. */
  #commit(group: Write[]): number {
    const startMs = performance.now();
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const { run } of group) run();
      this.#database.exec("COMMIT");
      return performance.now() - startMs;
    } catch (error) {
      // On a full disk, SQLite may have rolled back already (sqlite.org/lang_transaction.html).
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
