import type { DatabaseSync, StatementSync } from "node:sqlite";

/** So many ends are remembered in their order. */
const keptEnds = 10_000;

/**
 * The last ends of jobs in the order in which they were committed, numbered without a gap over restarts: by such a number it is known what has ended
 * since, whatever clocks say.
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
      `SELECT e.number, j.view FROM ends e JOIN jobs j ON j.seq = e.seq WHERE e.number > ? AND j.view IS NOT NULL ${condition} ORDER BY e.number LIMIT 1`;
    this.#next = database.prepare(next(""));
    this.#nextOf = database.prepare(next("AND j.owner = ?"));
    this.#last = Number(database.prepare("SELECT max(number) AS number FROM ends").get()?.["number"] ?? 0);
  }

  /** The number of the last end that is committed; 0: none. */
  get last(): number {
    return this.#last;
  }

  /** Within the transaction of the end itself. Its number. */
  add(seq: number): number {
    const number = Number(this.#insert.run(seq).lastInsertRowid);
    this.#forget.run(number - keptEnds);
    return number;
  }

  committed(number: number): void {
    this.#last = Math.max(this.#last, number);
  }

  /** Whether all ends after this one are remembered, those of jobs that were removed aside. */
  hasAllAfter(number: number): boolean {
    const first = Number(this.#first.get()?.["number"] ?? 1);
    return number <= this.#last && first <= number + 1;
  }

  /** The end behind this one, of the owner's jobs where one is given: with the job as it ended, as JSON; null: there is none. */
  after(number: number, owner: string | null): { number: number; viewJson: string } | null {
    const row = owner === null ? this.#next.get(number) : this.#nextOf.get(number, owner);
    return row === undefined ? null : { number: Number(row["number"]), viewJson: String(row["view"]) };
  }
}
