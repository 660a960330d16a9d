import { join } from "node:path";
import { isFinal, type JobState, type JobView, type WholeJobView } from "../job/job.ts";
import { readView } from "../job/recorded-view.ts";
import type { RecordedSpec } from "../job/secrets.ts";
import type { SentSignal } from "../job/signals.ts";
import { OutputWatchers } from "../output/watcher.ts";
import type { Store } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";
import { ActiveJobs, type Subscriber } from "./active-jobs.ts";
import { EngineFinder } from "./containers/finder.ts";
import { isStatic } from "./containers/own-init.ts";
import { DiskReserve } from "./disk.ts";
import type { Signalled } from "./executor.ts";
import { Idempotency } from "./idempotency.ts";
import type { Health, JobReference, JobRunner } from "./job-runner.ts";
import { Lifecycle } from "./lifecycle.ts";
import { type JobPage, type JobQuery, listJobs } from "./list.ts";
import { LocalExecutor } from "./local/executor.ts";
import type { Log } from "./log.ts";
import { missedSince } from "./missed.ts";
import type { Observer } from "./observer.ts";
import { baseEnvironment } from "./plan.ts";
import { PreflightCheck } from "./preflight-check.ts";
import { Removal, type Removed } from "./removal.ts";
import { asStateTrouble } from "./state-dir.ts";
import type { State } from "./state.ts";
import type { Submission, SubmitResult } from "./submission.ts";
import { type Workspace, workspaceIn } from "./workspaces.ts";

export type RunnerOptions = {
  maxRunning: number;
  shell: string;
  cgroups: "auto" | "off";
  minFreeBytes: number;
  containerEngine: string;
  engineEnvironment: Record<string, string>;
  allowedUsers: string[];
  supervisorPath: string;
  observer: Observer;
  log: Log;
};

/** The jobs of one state directory, as the rest of the program sees them. Puts the parts together, and finds jobs in memory and on disk. */
export class Runner implements JobRunner {
  readonly watchers = new OutputWatchers();
  readonly #log: Log;
  readonly #store: Store;
  readonly #idempotency: Idempotency;
  readonly #lifecycle: Lifecycle;
  readonly #finder: EngineFinder;
  readonly #removal: Removal;
  readonly #jobsDir: string;
  readonly #active: ActiveJobs;

  /** Adopts the jobs of earlier services. Throws a sentence for people if the state directory cannot be used. */
  static open(options: RunnerOptions, state: State): Runner {
    try {
      return new Runner(options, state);
    } catch (error) {
      throw asStateTrouble(error, state.stateDir);
    }
  }

  private constructor(options: RunnerOptions, { stateDir, store, instance }: State) {
    const { supervisorPath, log } = options;
    const { watchers } = this;
    const jobsDir = join(stateDir, "jobs");
    const finder = new EngineFinder({
      wanted: options.containerEngine,
      environment: { ...baseEnvironment, ...options.engineEnvironment },
      ownInit: isStatic(supervisorPath) ? supervisorPath : null,
      log,
    });
    this.#log = log;
    this.#store = store;
    this.#jobsDir = jobsDir;
    this.#finder = finder;
    this.#active = new ActiveJobs(log);
    this.#idempotency = new Idempotency(store);
    this.#removal = new Removal({ ...options, jobsDir, store, finder });
    this.#lifecycle = new Lifecycle({
      ...options,
      store,
      active: this.#active,
      preflightCheck: new PreflightCheck({ ...options, disk: new DiskReserve(stateDir, options.minFreeBytes), finder, jobsDir }),
      makeExecutor: (events) => new LocalExecutor({ ...options, stateDir, finder, instance, watchers }, events),
      watchers,
      jobsDir,
      limits: options,
    });
    this.#lifecycle.recover();
  }

  removeLeftovers(): void {
    this.#lifecycle.executor.recovered();
    this.#removal.resume();
  }

  submit(submission: Submission): Promise<SubmitResult> {
    return this.#idempotency.once(submission, (idempotency) => this.#lifecycle.accept({ ...submission, idempotency }));
  }

  activeIds(owner: string | null): string[] {
    return this.#active.runningIds(owner);
  }

  find(id: string): JobReference | null {
    const job = this.#active.get(id);
    if (job !== undefined) return { id, seq: job.seq, owner: job.owner, isFinished: isFinal(job.state) };
    const recorded = this.#store.find(id);
    return recorded === null ? null : { id, ...recorded };
  }

  view({ id }: JobReference): JobView | null {
    const job = this.#upToDate(id);
    if (job !== null) return job.view();
    const recorded = this.#store.viewOf(id);
    return recorded === null ? null : readView(recorded);
  }

  get({ id }: JobReference): WholeJobView | null {
    const job = this.#upToDate(id);
    const recorded = this.#store.jobOf(id);
    if (recorded === null) return null;
    const view: JobView = job?.view() ?? readView({ specJson: recorded.specJson, viewJson: recorded.viewJson ?? "{}" });
    const Spec: RecordedSpec = JSON.parse(recorded.specJson);
    return { ...view, Spec };
  }

  #upToDate(id: string): ActiveJob | null {
    const job = this.#active.get(id);
    if (job !== undefined) this.#lifecycle.executor.refresh(job);
    return job ?? null;
  }

  list(query: JobQuery, pause: () => Promise<void>): Promise<JobPage> {
    return listJobs({ store: this.#store, active: this.#active.byId }, query, pause);
  }

  async whenFinished(job: JobReference, signal: AbortSignal): Promise<WholeJobView | null> {
    await this.#active.get(job.id)?.recorded(signal);
    return this.get(job);
  }

  async kill({ id }: JobReference, { force, signal }: { force: boolean; signal: AbortSignal }): Promise<void> {
    const job = this.#active.get(id);
    if (job === undefined) return;
    this.#log("info", "a job's kill was requested", { job: id, force });
    const recorded = job.recorded(signal);
    this.#lifecycle.stop(job, force ? "kill" : "terminate");
    await recorded;
  }

  signal({ id }: JobReference, signal: SentSignal): Signalled {
    const job = this.#active.get(id);
    const result = job === undefined ? "no-step" : this.#lifecycle.signal(job, signal);
    if (result === "sent") this.#log("info", "a signal was sent to a job's step", { job: id, signal });
    return result;
  }

  async remove({ id, seq }: JobReference): Promise<Removed> {
    if (this.#active.get(id) !== undefined) return { kind: "not-finished" };
    await this.#store.remove(seq, id);
    this.#log("info", "a job was removed", { job: id });
    return { kind: "removed", remains: await this.#removal.remove(id) };
  }

  countStates(): Map<JobState, number> {
    return this.#active.countStates();
  }

  directoryOf({ id }: JobReference): string {
    return join(this.#jobsDir, id);
  }

  workspaceOf(job: JobReference): Workspace {
    return workspaceIn(this.directoryOf(job));
  }

  isFinished({ id }: JobReference): boolean {
    const job = this.#active.get(id);
    return job === undefined || isFinal(job.state);
  }

  subscribe(subscriber: Subscriber): () => void {
    return this.#active.subscribe(subscriber);
  }

  lastEnd(): number {
    return this.#store.ends.last;
  }

  missedSince(end: number, owner: string | null): { isWhole: boolean; jobs: Iterable<string> } {
    return missedSince(this.#store.ends, this.#active.byId.values(), { end, owner, upToSeq: this.#lifecycle.lastSeq });
  }

  health(): Health {
    const containers = this.#finder.health();
    const { database, running, queued } = this.#lifecycle.health();
    return { database, ...this.#lifecycle.executor.health(), containers, running, queued, remains: this.#removal.remains };
  }

  close(): void {
    this.#lifecycle.executor.close();
  }
}
