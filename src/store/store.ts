import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { FinalState } from "../job/job.ts";
import type { RecordedView } from "../job/recorded-view.ts";
import { Ends } from "./ends.ts";
import { GroupCommit } from "./group-commit.ts";
import { FinishedJobs, type ListQuery } from "./listing.ts";
import { openDatabase } from "./open.ts";
import { TokenTable } from "./tokens.ts";
import { recordedViewOf, viewColumns } from "./view-columns.ts";

export type NewJob = {
  seq: number;
  id: string;
  state: "Queued" | "Starting";
  executorReference: string | null; // of the launch; null while Queued
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

/**
 * The acceptance of a job: `seq` is its order, the time is the clock's, `clockTurn` counts how often the clock had been set back before.
 */
export type Accepted = Pick<NewJob, "seq" | "id" | "submittedAtMs" | "clockTurn">;

/** A job whose end is not recorded. */
export type UnfinishedJob = {
  seq: number;
  id: string;
  state: "Queued" | "Starting";
  executorReference: string | null;
  submittedAtMs: number;
  owner: string | null;
  submittedBy: string | null;
  specJson: string;
};

/** Enough of a recorded job to decide who may see it. */
export type RecordedReference = { seq: number; owner: string | null; isFinished: boolean };

/** What the API shows of a recorded job, as JSON; `viewJson` is null until the job is finished. */
export type RecordedJob = { viewJson: string | null; specJson: string };

/** What a launch needs of a recorded job, as JSON; `secretsJson` is null as soon as the job is finished. */
export type RecordedLaunch = { specJson: string; secretsJson: string | null; accountJson: string | null };

/** The database: which jobs were accepted, and how they ended. Every write is durable when its promise resolves. */
export class Store {
  readonly #database: DatabaseSync;
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
  readonly #referenceById: StatementSync;
  readonly #viewById: StatementSync;
  readonly #jobById: StatementSync;
  readonly #launchById: StatementSync;
  readonly #byKey: StatementSync;

  /** `onCommit` hears how long each commit took. */
  constructor(path: string, onCommit: (ms: number) => void = () => undefined) {
    this.#database = openDatabase(path);
    this.tokens = new TokenTable(this.#database);
    this.ends = new Ends(this.#database);
    this.#commits = new GroupCommit(this.#database, onCommit);
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#insertJob = prepare(`INSERT INTO jobs
      (seq, id, state, executor_reference, submitted_at_ms, clock_turn, name, idempotency_key, idempotency_fingerprint, owner, submitted_by,
        spec, secrets, account)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#insertLabel = prepare("INSERT INTO labels (key, value, seq) VALUES (?, ?, ?)");
    this.#admit = prepare("UPDATE jobs SET state = 'Starting', executor_reference = ? WHERE seq = ? AND state = 'Queued'");
    this.#finish = prepare("UPDATE jobs SET state = ?, view = ?, secrets = NULL WHERE seq = ?");
    this.#deleteJob = prepare("DELETE FROM jobs WHERE seq = ?");
    this.#deleteLabels = prepare("DELETE FROM labels WHERE seq = ?");
    this.#insertRemoval = prepare("INSERT OR IGNORE INTO removals (id) VALUES (?)");
    this.#deleteRemoval = prepare("DELETE FROM removals WHERE id = ?");
    this.#updateRemoval = prepare("UPDATE removals SET path = ?, problem = ? WHERE id = ?");
    this.#referenceById = prepare("SELECT seq, owner, view IS NOT NULL AS is_finished FROM jobs WHERE id = ?");
    this.#viewById = prepare(`SELECT ${viewColumns} FROM jobs j WHERE id = ?`);
    this.#jobById = prepare("SELECT view, spec FROM jobs WHERE id = ?");
    this.#launchById = prepare("SELECT spec, secrets, account FROM jobs WHERE id = ?");
    this.#byKey = prepare("SELECT id, idempotency_fingerprint AS fingerprint FROM jobs WHERE idempotency_key = ?");
  }

  insert(job: NewJob): Promise<void> {
    return this.#commits.write(() => {
      const {
        seq,
        id,
        state,
        executorReference,
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
        executorReference,
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

  /** Records that a queued job is about to be launched, with the executor's reference to the launch. */
  admit(seq: number, executorReference: string): Promise<void> {
    return this.#commits.write(() => void this.#admit.run(executorReference, seq));
  }

  async finish(seq: number, end: { state: FinalState; viewJson: string }): Promise<void> {
    let number = 0;
    await this.#commits.write(() => {
      this.#finish.run(end.state, end.viewJson, seq);
      number = this.ends.add(seq);
    });
    this.ends.committed(number);
  }

  /** Removes the job for readers; `removals` remembers its directory until `removed`. */
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

  /** Records what prevents a removal. */
  notRemoved({ job, path, problem }: { job: string; path: string; problem: string }): Promise<void> {
    return this.#commits.write(() => void this.#updateRemoval.run(path, problem, job));
  }

  unfinishedRemovals(): string[] {
    return this.#database
      .prepare("SELECT id FROM removals")
      .all()
      .map((row) => String(row["id"]));
  }

  /** Shares a commit with whatever is written next to it. */
  markTokenUsed(id: string, atMs: number): Promise<void> {
    return this.#commits.write(() => this.tokens.markUsed(id, atMs));
  }

  /** Unfinished jobs, in order of acceptance. */
  unfinished(): UnfinishedJob[] {
    const rows = this.#database.prepare(`SELECT seq, id, state, executor_reference, submitted_at_ms, owner, submitted_by, spec FROM jobs
      WHERE state IN ('Queued', 'Starting') ORDER BY seq`);
    return rows.all().map((row) => ({
      seq: Number(row["seq"]),
      id: String(row["id"]),
      state: row["state"] === "Queued" ? "Queued" : "Starting",
      executorReference: text(row["executor_reference"]),
      submittedAtMs: Number(row["submitted_at_ms"]),
      owner: text(row["owner"]),
      submittedBy: text(row["submitted_by"]),
      specJson: String(row["spec"]),
    }));
  }

  /** Whether the job exists, whose it is, and whether it is finished. Small: it reads neither spec nor view. */
  find(id: string): RecordedReference | null {
    const row = this.#referenceById.get(id);
    if (row === undefined) return null;
    return { seq: Number(row["seq"]), owner: text(row["owner"]), isFinished: row["is_finished"] === 1 };
  }

  /** A finished job as lists show it; null: no such job, or it is not finished. */
  viewOf(id: string): RecordedView | null {
    return recordedViewOf(this.#viewById.get(id) ?? {});
  }

  jobOf(id: string): RecordedJob | null {
    const row = this.#jobById.get(id);
    return row === undefined ? null : { viewJson: text(row["view"]), specJson: String(row["spec"]) };
  }

  launchOf(id: string): RecordedLaunch | null {
    const row = this.#launchById.get(id);
    if (row === undefined) return null;
    return { specJson: String(row["spec"]), secretsJson: text(row["secrets"]), accountJson: text(row["account"]) };
  }

  /** Pages of the finished jobs that match. */
  finishedJobs(query: ListQuery): FinishedJobs {
    return new FinishedJobs(this.#database, query);
  }

  findByKey(key: string): { id: string; fingerprint: string } | null {
    const row = this.#byKey.get(key);
    return row === undefined ? null : { id: String(row["id"]), fingerprint: String(row["fingerprint"]) };
  }

  /** The job of those in the database that was accepted last; null: there is none. */
  lastAccepted(): Accepted | null {
    const row = this.#database.prepare("SELECT seq, id, submitted_at_ms, clock_turn FROM jobs ORDER BY seq DESC LIMIT 1").get();
    if (row === undefined) return null;
    return {
      seq: Number(row["seq"]),
      id: String(row["id"]),
      submittedAtMs: Number(row["submitted_at_ms"]),
      clockTurn: Number(row["clock_turn"]),
    };
  }

  /** Commits or refuses all earlier writes, and writes nothing after that. */
  close(): void {
    this.#commits.flush();
    this.#database.close();
  }
}

function text(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
