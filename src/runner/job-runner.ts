import type { JobState, JobView, WholeJobView } from "../job/job.ts";
import type { SentSignal } from "../job/signals.ts";
import type { EngineHealth } from "./containers/finder.ts";
import type { Signalled } from "./executor.ts";
import type { JobPage, JobQuery } from "./list.ts";
import type { Remains, Removed } from "./removal.ts";
import type { Submission, SubmitResult } from "./submission.ts";
import type { Workspace } from "./workspaces.ts";

/** A job that exists: enough to decide who may see it, and where it stands. `seq` is the order of acceptance; `owner` is a Submitter's. */
export type JobReference = { id: string; seq: number; owner: string | null; isFinished: boolean };

/** The runner as its callers see it. Only `find` takes an ID; everything else about one job takes the reference that `find` returned. */
export interface JobRunner {
  /** Resolves when the job is committed to disk. From then on it exists until it is removed. */
  submit(submission: Submission): Promise<SubmitResult>;
  /** IDs of the jobs that are Starting, Running or Stopping, oldest first; null: of every owner. */
  activeIds(owner: string | null): string[];
  /**
   * Looks up whether a job exists and whose it is. The ID is a well-formed UUID. It costs no statement for an active job and one small
   * statement for a finished one.
   */
  find(id: string): JobReference | null;
  /** The job as lists show it, brought up to date; null: it was removed. */
  view(job: JobReference): JobView | null;
  /** The job with its spec, brought up to date; null: it was removed. */
  get(job: JobReference): WholeJobView | null;
  /**
   * `pause` is called between two turns of the event loop when many jobs have to be checked. A page without jobs may have another one
   * behind it.
   */
  list(query: JobQuery, pause: () => Promise<void>): Promise<JobPage>;
  /** Resolves with the job when its end is recorded; null: it was removed. When the signal aborts, resolves with the job as it is. */
  whenFinished(job: JobReference, signal: AbortSignal): Promise<WholeJobView | null>;
  /**
   * Stops a job and resolves when nothing of it is left; at once if it is finished. `force`: SIGKILL at once,
   * and no further step. When the signal aborts, the wait ends and the job is stopped all the same.
   */
  kill(job: JobReference, options: { force: boolean; signal: AbortSignal }): Promise<void>;
  /** Sends a signal to the processes of the running step. */
  signal(job: JobReference, signal: SentSignal): Signalled;
  /** Removes a finished job, its output and its workspace. */
  remove(job: JobReference): Promise<Removed>;
  /** How many unfinished jobs are in each state. */
  countStates(): Map<JobState, number>;
  directoryOf(job: JobReference): string;
  workspaceOf(job: JobReference): Workspace;
  /** Does no I/O. True also for a job that was removed. When it is true, the output is complete. */
  isFinished(job: JobReference): boolean;
  /** Calls the listener for every state change from now on. Returns the function that ends the subscription. */
  subscribe(listener: (job: JobView, owner: string | null) => void): () => void;
  /** The number of the last committed end. Ends are numbered across restarts of the service. */
  lastEnd(): number;
  /**
   * The jobs that a subscriber may have missed since the end with this number, as JSON: every unfinished job, and every job that ended
   * after it. `owner` null: of every owner. `isWhole` false: the ends are not remembered that far back.
   */
  missedSince(end: number, owner: string | null): { isWhole: boolean; jobs: Iterable<string> };
  health(): Health;
}

/** `database` and `launcher`: "ok", or what is wrong. */
export type Health = {
  database: string;
  launcher: string;
  cgroups: string | null;
  containers: EngineHealth;
  running: number;
  queued: number;
  remains: Remains[];
};
