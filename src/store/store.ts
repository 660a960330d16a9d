import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { FinalState } from "../job/job.ts";
import { Ends } from "./ends.ts";
import { GroupCommit } from "./group-commit.ts";
import { openDatabase } from "./open.ts";
import { TokenTable } from "./tokens.ts";

export type NewJob = {
  seq: number;
  id: string;
  state: "Queued" | "Starting";
  bootId: string | null;
  submittedAtMs: number;
  clockTurn: number;
  name: string | null;
  labels: Record<string, string>;
  idempotency: { key: string; fingerprint: string } | null;
  owner: string | null;
  submittedBy: string;
  specJson: string; // without secrets
  secretsJson: string | null;
  accountJson: string | null;
};

/** As which a job was accepted, and when: `seq` is the order, the time is what the clock said, `clockTurn` how often that had been set back before. */
export type Accepted = Pick<NewJob, "seq" | "id" | "submittedAtMs" | "clockTurn">;

/** A job that was not finished when it was last recorded. */
export type UnfinishedJob = {
  seq: number;
  id: string;
  state: "Queued" | "Starting";
  bootId: string | null;
  submittedAtMs: number;
  owner: string | null;
  submittedBy: string | null;
  specJson: string;
};

/** A job as it was recorded; `viewJson` is null until it is finished, `secretsJson` from then on. */
export type RecordedJob = {
  seq: number;
  owner: string | null;
  viewJson: string | null;
  specJson: string;
  secretsJson: string | null;
  accountJson: string | null;
};

/** The database: what was accepted, and how it ended. Every write is durable when its promise resolves. */
export class Store {
  readonly database: DatabaseSync;
  readonly tokens: TokenTable;
  readonly ends: Ends;
  readonly #commits: GroupCommit;
  readonly #insertJob: StatementSync;
  readonly #insertLabel: StatementSync;
  readonly #admit: StatementSync;
  readonly #finish: StatementSync;
  readonly #deleteJob: StatementSync;
  readonly #deleteLabels: StatementSync;
  readonly #insertRemoval: StatementSync;
  readonly #deleteRemoval: StatementSync;
  readonly #updateRemoval: StatementSync;
  readonly #byId: StatementSync;
  readonly #byKey: StatementSync;

  /** `onCommit` hears how long each commit took. */
  constructor(path: string, onCommit: (ms: number) => void = () => undefined) {
    this.database = openDatabase(path);
    this.tokens = new TokenTable(this.database);
    this.ends = new Ends(this.database);
    this.#commits = new GroupCommit(this.database, onCommit);
    const prepare = (sql: string): StatementSync => this.database.prepare(sql);
    this.#insertJob = prepare(`INSERT INTO jobs
      (seq, id, state, boot_id, submitted_at_ms, clock_turn, name, idempotency_key, idempotency_fingerprint, owner, submitted_by, spec, secrets, account)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#insertLabel = prepare("INSERT INTO labels (key, value, seq) VALUES (?, ?, ?)");
    this.#admit = prepare("UPDATE jobs SET state = 'Starting', boot_id = ? WHERE seq = ? AND state = 'Queued'");
    this.#finish = prepare("UPDATE jobs SET state = ?, view = ?, secrets = NULL WHERE seq = ?");
    this.#deleteJob = prepare("DELETE FROM jobs WHERE seq = ?");
    this.#deleteLabels = prepare("DELETE FROM labels WHERE seq = ?");
    this.#insertRemoval = prepare("INSERT OR IGNORE INTO removals (id) VALUES (?)");
    this.#deleteRemoval = prepare("DELETE FROM removals WHERE id = ?");
    this.#updateRemoval = prepare("UPDATE removals SET path = ?, problem = ? WHERE id = ?");
    this.#byId = prepare("SELECT seq, owner, view, spec, secrets, account FROM jobs WHERE id = ?");
    this.#byKey = prepare("SELECT id, idempotency_fingerprint AS fingerprint FROM jobs WHERE idempotency_key = ?");
  }

  insert(job: NewJob): Promise<void> {
    return this.#commits.write(() => {
      const {
        seq,
        id,
        state,
        bootId,
        submittedAtMs,
        clockTurn,
        name,
        idempotency,
        owner,
        submittedBy,
        specJson,
        secretsJson,
        accountJson,
      } = job;
      const { key = null, fingerprint = null } = idempotency ?? {};
      this.#insertJob.run(
        seq,
        id,
        state,
        bootId,
        submittedAtMs,
        clockTurn,
        name,
        key,
        fingerprint,
        owner,
        submittedBy,
        specJson,
        secretsJson,
        accountJson,
      );
      for (const [key, value] of Object.entries(job.labels)) this.#insertLabel.run(key, value, seq);
    });
  }

  /** A queued job is about to be given to a supervisor, in the boot named. */
  admit(seq: number, bootId: string): Promise<void> {
    return this.#commits.write(() => void this.#admit.run(bootId, seq));
  }

  async finish(seq: number, end: { state: FinalState; viewJson: string }): Promise<void> {
    let number = 0;
    await this.#commits.write(() => {
      this.#finish.run(end.state, end.viewJson, seq);
      number = this.ends.add(seq);
    });
    this.ends.committed(number);
  }

  /** The job is gone for readers; `removals` remembers its directory until `removed`. */
  remove(seq: number, id: string): Promise<void> {
    return this.#commits.write(() => {
      this.#insertRemoval.run(id);
      this.#deleteLabels.run(seq);
      this.#deleteJob.run(seq);
    });
  }

  removed(id: string): Promise<void> {
    return this.#commits.write(() => void this.#deleteRemoval.run(id));
  }

  /** What stands in the way of a removal. */
  notRemoved({ job, path, problem }: { job: string; path: string; problem: string }): Promise<void> {
    return this.#commits.write(() => void this.#updateRemoval.run(path, problem, job));
  }

  unfinishedRemovals(): string[] {
    return this.database
      .prepare("SELECT id FROM removals")
      .all()
      .map((row) => String(row["id"]));
  }

  /** Shares a commit with whatever is written next to it. */
  markTokenUsed(id: string, atMs: number): Promise<void> {
    return this.#commits.write(() => this.tokens.markUsed(id, atMs));
  }

  /** Jobs that are not finished, in order of acceptance. */
  unfinished(): UnfinishedJob[] {
    const rows = this.database.prepare(`SELECT seq, id, state, boot_id, submitted_at_ms, owner, submitted_by, spec FROM jobs
      WHERE state IN ('Queued', 'Starting') ORDER BY seq`);
    return rows.all().map((row) => ({
      seq: Number(row["seq"]),
      id: String(row["id"]),
      state: row["state"] === "Queued" ? "Queued" : "Starting",
      bootId: text(row["boot_id"]),
      submittedAtMs: Number(row["submitted_at_ms"]),
      owner: text(row["owner"]),
      submittedBy: text(row["submitted_by"]),
      specJson: String(row["spec"]),
    }));
  }

  find(id: string): RecordedJob | null {
    const row = this.#byId.get(id);
    if (row === undefined) return null;
    return {
      seq: Number(row["seq"]),
      owner: text(row["owner"]),
      viewJson: text(row["view"]),
      specJson: String(row["spec"]),
      secretsJson: text(row["secrets"]),
      accountJson: text(row["account"]),
    };
  }

  findByKey(key: string): { id: string; fingerprint: string } | null {
    const row = this.#byKey.get(key);
    return row === undefined ? null : { id: String(row["id"]), fingerprint: String(row["fingerprint"]) };
  }

  /** The last job accepted, of those that are there; null: there is none. */
  last(): Accepted | null {
    const row = this.database.prepare("SELECT seq, id, submitted_at_ms, clock_turn FROM jobs ORDER BY seq DESC LIMIT 1").get();
    if (row === undefined) return null;
    return {
      seq: Number(row["seq"]),
      id: String(row["id"]),
      submittedAtMs: Number(row["submitted_at_ms"]),
      clockTurn: Number(row["clock_turn"]),
    };
  }

  /** What was asked before is committed or refused; nothing more is written. */
  close(): void {
    this.#commits.flush();
    this.database.close();
  }
}

function text(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
