import type { JobState, JobView, WholeJobView } from "../job/job.ts";
import type { FieldProblem, JobSpec } from "../job/spec.ts";
import type { EngineHealth } from "./containers/finder.ts";

export type { Log } from "./log.ts";

export type Submission = {
  spec: JobSpec;
  submitter: Submitter;
  /** From the Idempotency-Key header; the fingerprint is of the body. */
  idempotency: { key: string; fingerprint: string } | null;
};

/** Who submits. `owner` is the key of an identity that sees its own jobs alone; null: of one that may see and do everything. */
export type Submitter = { name: string; owner: string | null };

/** StatusUpdate of what is worth counting. */
export type Observer = {
  submitted: () => void;
  /** A job is given to a supervisor, so long after it was accepted. */
  admitted: (waitedMs: number | null) => void;
  finished: (job: JobView) => void;
  /** A commit of the database took so long. */
  committed: (ms: number) => void;
};

export type SubmitResult =
  | { kind: "accepted"; id: string }
  | { kind: "conflict" } // the key was used with another body
  | { kind: "disk-full" }
  | { kind: "user-refused"; problem: string } // no job may run as that user
  | { kind: "too-large"; problem: FieldProblem } // the kernel would not take a step's arguments and variables
  | { kind: "no-engine"; problem: string } // nothing on this box runs containers
  | { kind: "silent-engine"; problem: string }; // what does is not running, or not reached

export type JobQuery = {
  idPrefix: string | null;
  states: JobState[];
  labels: { key: string; value: string | null }[]; // all of them must match; null: any value
  name: string | null;
  text: string | null; // in the name, the ID or a label as key=value, whatever its case
  owner: string | null; // null: anybody's
  sinceMs: number | null; // submitted at or after
  untilMs: number | null; // submitted before
  limit: number;
  cursor: string | null; // from the page before; opaque
};

export type Removed = { kind: "removed"; remains: Remains | null } | { kind: "unknown" } | { kind: "not-finished" };

/** What is still on disk of a deleted job: where something stopped its removal, and why. */
export type Remains = { job: string; path: string; problem: string };

/** `root`: the folder, as steps see it; it need not be there yet. `draft` gives a path of its file system, in a folder of the service's alone, which goes with the job. */
export type Workspace = { root: string; draft: () => string };

/** What a reader of output needs to know of a job. */
export type JobHandle = { id: string; directory: string };

/** `NextCursor` null: there is no page behind it. */
export type JobPage = { Jobs: JobView[]; NextCursor: string | null };

/** The runner as routes see it. IDs are well-formed UUIDs when they come here. */
export interface JobRunner {
  /** Resolves when the job is committed to disk; then it exists until it is deleted. */
  submit(submission: Submission): Promise<SubmitResult>;
  /** Jobs that are Starting, Running or Stopping, oldest first; of the owner, where one is given. */
  activeIds(owner: string | null): string[];
  get(id: string): WholeJobView | null;
  exists(id: string): boolean;
  /** Whose it is (see Submitter); undefined: no such job. */
  ownerOf(id: string): string | null | undefined;
  /** `pause` is asked for between two turns of the event loop, where many jobs have to be looked at. A page without jobs may have another behind it. */
  list(query: JobQuery, pause: () => Promise<void>): Promise<JobPage>;
  /** Resolves with the job when it is finished and recorded; null: no such job. The signal ends the wait (resolves with the job as it is). */
  whenFinished(id: string, signal: AbortSignal): Promise<WholeJobView | null>;
  /** Stops a job; resolves when nothing of it is left. No such job, or over: at once. `force`: SIGKILL at once, no step any more. The signal ends the wait alone. */
  kill(id: string, options: { force: boolean; signal: AbortSignal }): Promise<void>;
  /** Removes a finished job, its output and workspace. `remains`: what of that could not be removed yet. */
  remove(id: string): Promise<Removed>;
  /** How many jobs are not finished, by state. */
  countStates(): Map<JobState, number>;
  handle(id: string): JobHandle | null;
  /** Where its steps start; null: no such job. */
  workspace(id: string): Workspace | null;
  /** Without I/O; true too where the job is unknown. When it is true, the output is whole. */
  isFinished(id: string): boolean;
  /** Every state change, from now on. Returns the function that ends it. */
  subscribe(listener: (job: JobView, owner: string | null) => void): () => void;
  /** The number of the last end that is committed: ends are numbered, over restarts of the service. */
  lastEnd(): number;
  /**
   * What a subscriber may have missed since that end was the last: every job that is not finished, and those whose ends came after it, as they are when
   * they are taken, as JSON; of the owner, where one is given. `isWhole` false: so far back it is not known what has ended.
   */
  missedSince(end: number, owner: string | null): { isWhole: boolean; jobs: Iterable<string> };
  /** `database` and `launcher`: "ok", or what is wrong. */
  health(): Health;
}

export type Health = {
  database: string;
  launcher: string;
  cgroups: string | null;
  containers: EngineHealth;
  running: number;
  queued: number;
  remains: Remains[];
};
