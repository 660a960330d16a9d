import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RecordedView } from "../job/recorded-view.ts";
import { recordedViewOf, viewColumns } from "./view-columns.ts";

/** How many ends are remembered. */
const keptEnds = 10_000;

/**
 * The last ends of jobs in the order of their commits, numbered without gaps across restarts. The number of an end tells which jobs have
 * ended since, independent of any clock.
 */
export class Ends {
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;
  readonly #first: StatementSync;
  readonly #next: StatementSync;
  readonly #nextOf: StatementSync;
  #last: number;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare("INSERT INTO ends (seq) VALUES (?)");
    this.#forget = database.prepare("DELETE FROM ends WHERE number <= ?");
    this.#first = database.prepare("SELECT min(number) AS number FROM ends");
    const next = (condition: string): string =>
      `SELECT e.number, ${viewColumns} FROM ends e JOIN jobs j ON j.seq = e.seq
      WHERE e.number > ? AND j.view IS NOT NULL ${condition} ORDER BY e.number LIMIT 1`;
    this.#next = database.prepare(next(""));
    this.#nextOf = database.prepare(next("AND j.owner = ?"));
    this.#last = Number(database.prepare("SELECT max(number) AS number FROM ends").get()?.["number"] ?? 0);
  }

  /** The number of the last committed end; 0: none. */
  get last(): number {
    return this.#last;
  }

  /** Call within the transaction that records the end. Returns its number. */
  add(seq: number): number {
    const number = Number(this.#insert.run(seq).lastInsertRowid);
    this.#forget.run(number - keptEnds);
    return number;
  }

  committed(number: number): void {
    this.#last = Math.max(this.#last, number);
  }

  /** Whether all ends after this one are remembered, except those of removed jobs. */
  hasAllAfter(number: number): boolean {
    const first = Number(this.#first.get()?.["number"] ?? 1);
    return number <= this.#last && first <= number + 1;
  }

  /** The next end after this one with its job; null: there is none. `owner` null: of every owner. */
  after(number: number, owner: string | null): { number: number; view: RecordedView } | null {
    const row = (owner === null ? this.#next.get(number) : this.#nextOf.get(number, owner)) ?? {};
    const view = recordedViewOf(row);
    return view === null ? null : { number: Number(row["number"]), view };
  }
}
