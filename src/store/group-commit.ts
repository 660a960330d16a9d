import type { DatabaseSync } from "node:sqlite";

type Write = { run: () => void; resolve: () => void; reject: (error: unknown) => void };

/**
 * Many writes, one fsync: what is asked for within one turn of the event loop shares a transaction. While it waits for the disk
 * the next requests gather in the kernel, so the groups grow with the load.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #onCommit: (ms: number) => void;
  #waiting: Write[] = [];

  constructor(database: DatabaseSync, onCommit: (ms: number) => void) {
    this.#database = database;
    this.#onCommit = onCommit;
  }

  /** `run` executes statements inside the group's transaction. Resolves when it is on disk; rejects with nothing of it written. */
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
      setImmediate(() => this.#onCommit(ms)); // those who wait for the commit go on first
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else this.#commitApart(group);
    }
  }

  /** One bad write must not refuse the others of its group. */
  #commitApart(group: Write[]): void {
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

  /** How long it took. */
  #commit(group: Write[]): number {
    const startMs = performance.now();
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const { run } of group) run();
      this.#database.exec("COMMIT");
      return performance.now() - startMs;
    } catch (error) {
      // A full disk may have rolled back by itself (sqlite.org/lang_transaction.html).
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
