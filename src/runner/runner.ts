import { join } from "node:path";
import { secondsBetween } from "../job/facts.ts";
import { type FinalState, isFinal, type JobState, type JobView, readView, type WholeJobView } from "../job/job.ts";
import { type RecordedSpec, withoutSecrets, withSecrets } from "../job/secrets.ts";
import { OutputWatchers } from "../output/watcher.ts";
import type { Accepted, Store } from "../store/store.ts";
import { nextAccepted } from "./acceptance-order.ts";
import { ActiveJob } from "./active-job.ts";
import { ActiveJobs, type Subscriber } from "./active-jobs.ts";
import { Admission } from "./admission.ts";
import { EngineFinder } from "./containers/finder.ts";
import { isStatic } from "./containers/own-init.ts";
import { DiskReserve, isDiskFull } from "./disk.ts";
import type { Executor } from "./executor.ts";
import { Idempotency } from "./idempotency.ts";
import { forgetSecrets, type LaunchRequest } from "./job-directory.ts";
import type { Health, JobReference, JobRunner } from "./job-runner.ts";
import { type JobPage, type JobQuery, listJobs } from "./list.ts";
import { LocalExecutor } from "./local/executor.ts";
import type { Log } from "./log.ts";
import { missedSince } from "./missed.ts";
import type { Observer } from "./observer.ts";
import { baseEnvironment } from "./plan.ts";
import { PreflightCheck } from "./preflight-check.ts";
import { Removal, type Removed } from "./removal.ts";
import { RetryingWriter } from "./retrying-writer.ts";
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

/** The jobs of one state directory: accepts, admits, finishes and finds them. */
export class Runner implements JobRunner {
  readonly watchers = new OutputWatchers();
  readonly #options: RunnerOptions;
  readonly #store: Store;
  readonly #preflightCheck: PreflightCheck;
  readonly #idempotency: Idempotency;
  readonly #writer: RetryingWriter;
  readonly #executor: Executor;
  readonly #finder: EngineFinder;
  readonly #removal: Removal;
  readonly #jobsDir: string;
  readonly #active: ActiveJobs;
  readonly #admission: Admission<ActiveJob>;
  #lastAccepted: Accepted | null;

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
    this.#options = options;
    this.#store = store;
    this.#jobsDir = join(stateDir, "jobs");
    this.#lastAccepted = store.lastAccepted();
    this.#active = new ActiveJobs(log);
    this.#admission = new Admission(options);
    this.#finder = new EngineFinder({
      wanted: options.containerEngine,
      environment: { ...baseEnvironment, ...options.engineEnvironment },
      ownInit: isStatic(supervisorPath) ? supervisorPath : null,
      log,
    });
    this.#idempotency = new Idempotency(store);
    this.#writer = new RetryingWriter(log);
    const disk = new DiskReserve(stateDir, options.minFreeBytes);
    this.#preflightCheck = new PreflightCheck({ ...options, disk, finder: this.#finder, jobsDir: this.#jobsDir });
    this.#removal = new Removal({ ...options, jobsDir: this.#jobsDir, store, finder: this.#finder });
    this.#executor = new LocalExecutor(
      { ...options, stateDir, finder: this.#finder, instance, watchers },
      {
        active: this.#active.byId,
        launchRequestOf: (job) => this.#launchRequestOf(job),
        specOf: (job) => this.#launchOf(job)?.spec ?? null,
        onChange: (job) => this.#changed(job),
        onFinished: (job, view) => this.#finish(job, view),
      },
    );
    this.#recover();
  }

  /** Recovery is the normal path, for many jobs at once: read what their supervisors wrote, and go on from there. */
  #recover(): void {
    for (const row of this.#store.unfinished()) {
      const spec: RecordedSpec = JSON.parse(row.specJson);
      const job = new ActiveJob(row, spec, this.#jobsDir);
      this.#active.add(job);
      this.#admission.restore(job, row.state === "Queued" ? "queued" : "admitted");
      if (row.state !== "Queued") this.#executor.adopt(job, row.executorReference);
    }
    this.#admitNext();
  }

  removeLeftovers(): void {
    this.#executor.recovered();
    this.#removal.resume();
  }

  submit(submission: Submission): Promise<SubmitResult> {
    return this.#idempotency.once(submission, (idempotency) => this.#accept({ ...submission, idempotency }));
  }

  async #accept(submission: Submission): Promise<SubmitResult> {
    const { spec, submitter } = submission;
    const acceptance = await this.#preflightCheck.check(spec);
    if (acceptance.kind !== "acceptable") return acceptance;
    const { account } = acceptance;
    const accepted = nextAccepted(this.#lastAccepted, Date.now());
    this.#lastAccepted = accepted;
    const job = new ActiveJob({ ...accepted, owner: submitter.owner, submittedBy: submitter.name }, spec, this.#jobsDir);
    const isWaiting = this.#admission.arrive(job) === "waiting";
    try {
      await this.#insert(job, { ...submission, accepted, account, isWaiting });
    } catch (error) {
      this.#admission.leave(job);
      this.#admitNext();
      if (isDiskFull(error)) return { kind: "disk-full" };
      throw error;
    }
    this.#active.add(job);
    this.#admission.committed(job);
    // Promises come before ticks: this one answers the requests of all jobs of this commit first.
    process.nextTick(() => {
      if (isWaiting) this.#admitNext(); // there may be room by now
      else this.#launch(job, { spec, account });
      process.nextTick(() => this.#reportAccepted(job, isWaiting ? "Queued" : "Starting"));
    });
    return { kind: "accepted", id: job.id };
  }

  #insert(job: ActiveJob, { accepted, spec, account, idempotency, submitter, isWaiting }: NewJob): Promise<void> {
    return this.#store.insert({
      ...accepted,
      owner: submitter.owner,
      submittedBy: submitter.name,
      state: isWaiting ? "Queued" : "Starting",
      executorReference: isWaiting ? null : this.#executor.reference(),
      name: job.name,
      labels: job.labels,
      idempotency,
      specJson: JSON.stringify(withoutSecrets(spec)),
      secretsJson: spec.Secrets === undefined ? null : JSON.stringify(spec.Secrets),
      accountJson: account === null ? null : JSON.stringify(account),
    });
  }

  #reportAccepted(job: ActiveJob, state: JobState): void {
    this.#options.observer.submitted();
    this.#options.log("info", "a job was accepted", { job: job.id, by: job.submittedBy, state });
    this.#changed(job);
  }

  #admitNext(): void {
    for (let job = this.#admission.next(); job !== null; job = this.#admission.next()) void this.#admit(job);
  }

  async #admit(job: ActiveJob): Promise<void> {
    await this.#writer.write(() => this.#store.admit(job.seq, this.#executor.reference()));
    const request = this.#launchRequestOf(job);
    if (request !== null) this.#launch(job, request);
  }

  #launch(job: ActiveJob, request: LaunchRequest): void {
    this.#executor.launch(job, request);
    process.nextTick(() => this.#options.observer.admitted(job.waitedMs()));
  }

  #changed(job: ActiveJob): void {
    if (this.#active.show(job)) this.watchers.wake(`${job.directory}/output`);
  }

  #finish(job: ActiveJob, view: JobView): void {
    if (job.phase.kind === "Finished" || !isFinal(view.State)) return;
    job.finished(view);
    this.#options.observer.finished(view);
    logFinished(this.#options.log, view);
    this.#admission.leave(job);
    this.#admitNext();
    void this.#record(job, { state: view.State, viewJson: JSON.stringify(view) });
    this.#changed(job);
  }

  async #record(job: ActiveJob, end: { state: FinalState; viewJson: string }): Promise<void> {
    await this.#writer.write(async () => {
      forgetSecrets(job);
      await this.#store.finish(job.seq, end);
    });
    this.#active.delete(job);
    job.markRecorded();
  }

  /** Without it a job cannot be launched: then the job is finished, or it would keep its place among the running ones for ever. */
  #launchRequestOf(job: ActiveJob): LaunchRequest | null {
    const request = this.#launchOf(job);
    if (request === null) this.#finish(job, job.unrecordedView());
    return request;
  }

  #launchOf({ id }: ActiveJob): LaunchRequest | null {
    const recorded = this.#store.launchOf(id);
    if (recorded === null) return null;
    const spec = withSecrets(JSON.parse(recorded.specJson), JSON.parse(recorded.secretsJson ?? "null"));
    return { spec, account: JSON.parse(recorded.accountJson ?? "null") };
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

  view(id: string): JobView | null {
    const job = this.#upToDate(id);
    if (job !== null) return job.view();
    const viewJson = this.#store.viewOf(id);
    return viewJson === null ? null : readView(viewJson);
  }

  get(id: string): WholeJobView | null {
    const job = this.#upToDate(id);
    const recorded = this.#store.jobOf(id);
    if (recorded === null) return null;
    const view: JobView = job?.view() ?? readView(recorded.viewJson ?? "{}");
    const Spec: RecordedSpec = JSON.parse(recorded.specJson);
    return { ...view, Spec };
  }

  #upToDate(id: string): ActiveJob | null {
    const job = this.#active.get(id);
    if (job !== undefined) this.#executor.refresh(job);
    return job ?? null;
  }

  list(query: JobQuery, pause: () => Promise<void>): Promise<JobPage> {
    return listJobs({ store: this.#store, active: this.#active.byId }, query, pause);
  }

  async whenFinished(id: string, signal: AbortSignal): Promise<WholeJobView | null> {
    await this.#active.get(id)?.recorded(signal);
    return this.get(id);
  }

  async kill(id: string, { force, signal }: { force: boolean; signal: AbortSignal }): Promise<void> {
    const job = this.#active.get(id);
    if (job === undefined) return;
    this.#options.log("info", "a job's kill was asked for", { job: id, force });
    const recorded = job.recorded(signal);
    if (this.#admission.isQueued(job)) this.#finish(job, job.killedView());
    else this.#executor.stop(job, force ? "kill" : "terminate");
    await recorded;
  }

  async remove(id: string): Promise<Removed> {
    const job = this.find(id);
    if (job === null) return { kind: "unknown" };
    if (this.#active.get(id) !== undefined) return { kind: "not-finished" };
    await this.#store.remove(job.seq, id);
    this.#options.log("info", "a job was removed", { job: id });
    return { kind: "removed", remains: await this.#removal.remove(id) };
  }

  countStates(): Map<JobState, number> {
    return this.#active.countStates();
  }

  directoryOf(id: string): string {
    return join(this.#jobsDir, id);
  }

  workspaceOf(id: string): Workspace {
    return workspaceIn(this.directoryOf(id));
  }

  isFinished(id: string): boolean {
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
    return missedSince(this.#store.ends, this.#active.byId.values(), { end, owner, upToSeq: this.#lastAccepted?.seq ?? 0 });
  }

  health(): Health {
    const { running, queued } = this.#admission;
    const { remains } = this.#removal;
    return {
      database: this.#writer.problem ?? "ok",
      ...this.#executor.health(),
      containers: this.#finder.health(),
      running,
      queued,
      remains,
    };
  }

  close(): void {
    this.#executor.close();
  }
}

type NewJob = Submission & { accepted: Accepted; account: LaunchRequest["account"]; isWaiting: boolean };

/** Not the Message of a job: it may quote the command. */
function logFinished(log: Log, { ID, State, Reason, ExitCode, Signal, StartedAt, EndedAt }: JobView): void {
  const durationSeconds = secondsBetween(StartedAt, EndedAt);
  const fields = { job: ID, state: State, reason: Reason, exitCode: ExitCode, signal: Signal, durationSeconds };
  log(State === "Lost" ? "warn" : "info", "a job is finished", fields);
}
