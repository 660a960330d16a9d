import type { JobState, JobView } from "../job/job.ts";
import type { ActiveJob } from "./active-job.ts";
import type { Log } from "./log.ts";

export type Subscriber = (job: JobView, owner: string | null) => void;

/** What subscribers know of a job. */
type Shown = { state: JobState; waitsFor: string | null };

/** The jobs whose ends are not recorded yet, and what subscribers know of each. */
export class ActiveJobs {
  readonly #jobs = new Map<string, ActiveJob>(); // by ID, in order of acceptance
  readonly #shown = new Map<ActiveJob, Shown>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  get byId(): ReadonlyMap<string, ActiveJob> {
    return this.#jobs;
  }

  get(id: string): ActiveJob | undefined {
    return this.#jobs.get(id);
  }

  add(job: ActiveJob): void {
    this.#jobs.set(job.id, job);
  }

  delete(job: ActiveJob): void {
    this.#jobs.delete(job.id);
    this.#shown.delete(job);
  }

  /** IDs of running jobs, oldest first; `owner` null: of every owner. */
  runningIds(owner: string | null): string[] {
    return [...this.#jobs.values()].filter((job) => job.isRunning && (owner === null || job.owner === owner)).map(({ id }) => id);
  }

  /** How many jobs are in each state, as subscribers know them. */
  countStates(): Map<JobState, number> {
    const counts = new Map<JobState, number>();
    for (const job of this.#jobs.values()) {
      const state = this.#shown.get(job)?.state ?? "Queued"; // accepted at this moment
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  }

  /** Calls the subscriber for every change from now on. Returns the function that ends the subscription. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** Tells subscribers and the log what has changed since the last call; false: nothing. */
  show(job: ActiveJob): boolean {
    const { state, waitsFor } = job;
    const shown = this.#shown.get(job);
    if (shown !== undefined && state === shown.state && waitsFor === shown.waitsFor) return false;
    this.#shown.set(job, { state, waitsFor });
    if (state === "Running" && state !== shown?.state) this.#log("info", "a job is running", { job: job.id });
    if (waitsFor !== null && waitsFor !== (shown?.waitsFor ?? null))
      this.#log("warn", "a job waits for a process that SIGKILL does not end", { job: job.id, process: waitsFor });
    if (this.#subscribers.size > 0) this.#tell(job);
    return true;
  }

  /** A subscriber that fails must end neither the service nor the others' subscriptions. */
  #tell(job: ActiveJob): void {
    const view = job.view();
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(view, job.owner);
      } catch (error) {
        this.#log("error", "a subscriber of job changes failed", { job: job.id, err: error });
      }
    }
  }
}
