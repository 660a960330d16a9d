import { secondsBetween } from "../job/facts.ts";
import { type FinalState, isFinal, type JobState, type JobView } from "../job/job.ts";
import { type RecordedSpec, withoutSecrets, withSecrets } from "../job/secrets.ts";
import type { SentSignal } from "../job/signals.ts";
import type { OutputWatchers } from "../output/watcher.ts";
import type { Accepted, Store } from "../store/store.ts";
import { nextAccepted } from "./acceptance-order.ts";
import { ActiveJob } from "./active-job.ts";
import type { ActiveJobs } from "./active-jobs.ts";
import { Admission, type AdmissionLimits } from "./admission.ts";
import { isDiskFull } from "./disk.ts";
import type { Executor, ExecutorEvents, Signalled } from "./executor.ts";
import { forgetSecrets, type LaunchRequest } from "./job-directory.ts";
import type { Log } from "./log.ts";
import type { Observer } from "./observer.ts";
import type { PreflightCheck } from "./preflight-check.ts";
import { RetryingWriter } from "./retrying-writer.ts";
import type { Submission, SubmitResult } from "./submission.ts";

export type LifecycleDependencies = {
  store: Store;
  active: ActiveJobs;
  preflightCheck: PreflightCheck;
  makeExecutor: (events: ExecutorEvents) => Executor;
  watchers: OutputWatchers;
  jobsDir: string;
  limits: AdmissionLimits;
  observer: Observer;
  log: Log;
};

/** Leads every job from its acceptance to its recorded end: the only place that changes the order of these steps. */
export class Lifecycle {
  readonly executor: Executor;
  readonly #dependencies: LifecycleDependencies;
  readonly #admission: Admission<ActiveJob>;
  readonly #writer: RetryingWriter;
  #lastAccepted: Accepted | null;

  constructor(dependencies: LifecycleDependencies) {
    this.#dependencies = dependencies;
    this.#admission = new Admission(dependencies.limits);
    this.#writer = new RetryingWriter(dependencies.log);
    this.#lastAccepted = dependencies.store.lastAccepted();
    this.executor = dependencies.makeExecutor({
      active: dependencies.active.byId,
      launchRequestOf: (job) => this.#launchRequestOf(job),
      specOf: (job) => this.#launchOf(job)?.spec ?? null,
      onChange: (job) => this.#changed(job),
      onFinished: (job, view) => this.#finish(job, view),
    });
  }

  /** The order of the job that was accepted last; 0: there was none. */
  get lastSeq(): number {
    return this.#lastAccepted?.seq ?? 0;
  }

  /** `database`: "ok", or why the last write failed. */
  health(): { database: string; running: number; queued: number } {
    return { database: this.#writer.problem ?? "ok", running: this.#admission.running, queued: this.#admission.queued };
  }

  /** Recovery is the normal path, for many jobs at once: read what their supervisors wrote, and go on from there. */
  recover(): void {
    const rows = this.#dependencies.store.unfinished();
    const jobs = rows.map((row) => {
      const spec: RecordedSpec = JSON.parse(row.specJson);
      const job = new ActiveJob(row, spec, this.#dependencies.jobsDir);
      this.#dependencies.active.add(job);
      if (row.state === "Queued") job.queued(this.#admission.waitsFor);
      this.#admission.restore(job, row.state === "Queued" ? "queued" : "admitted");
      return { job, row };
    });
    // Only when all are counted: a job that turns out to be finished admits the next one.
    for (const { job, row } of jobs) if (row.state !== "Queued") this.executor.adopt(job, row.executorReference);
    this.#admitNext();
  }

  /** Accepts a job if this machine can run it, and starts it as soon as the limits allow. */
  async accept(submission: Submission): Promise<SubmitResult> {
    const { spec, submitter } = submission;
    const acceptance = await this.#dependencies.preflightCheck.check(spec);
    if (acceptance.kind !== "acceptable") return acceptance;
    const { account } = acceptance;
    const accepted = nextAccepted(this.#lastAccepted, Date.now());
    this.#lastAccepted = accepted;
    const job = new ActiveJob({ ...accepted, owner: submitter.owner, submittedBy: submitter.name }, spec, this.#dependencies.jobsDir);
    const isWaiting = this.#admission.arrive(job) === "waiting";
    if (isWaiting) job.queued(this.#admission.waitsFor);
    try {
      await this.#insert(job, { ...submission, accepted, account, isWaiting });
    } catch (error) {
      this.#admission.leave(job);
      this.#admitNext();
      if (isDiskFull(error)) return { kind: "disk-full" };
      throw error;
    }
    this.#dependencies.active.add(job);
    this.#admission.committed(job);
    // Promises come before ticks: this one answers the requests of all jobs of this commit first.
    process.nextTick(() => {
      if (isWaiting) this.#admitNext(); // there may be room by now
      else this.#launch(job, { spec, account });
      process.nextTick(() => this.#reportAccepted(job, isWaiting ? "Queued" : "Starting"));
    });
    return { kind: "accepted", id: job.id };
  }

  /** Stops a job, also while it waits in the queue or is being launched. */
  stop(job: ActiveJob, how: "terminate" | "kill"): void {
    if (this.#admission.isQueued(job)) this.#finish(job, job.killedView());
    else this.executor.stop(job, how);
  }

  /** Sends a signal to the running step of a job. */
  signal(job: ActiveJob, signal: SentSignal): Signalled {
    return job.isRunning ? this.executor.signal(job, signal) : "no-step";
  }

  #insert(job: ActiveJob, { accepted, spec, account, idempotency, submitter, isWaiting }: NewJob): Promise<void> {
    return this.#dependencies.store.insert({
      ...accepted,
      owner: submitter.owner,
      submittedBy: submitter.name,
      state: isWaiting ? "Queued" : "Starting",
      executorReference: isWaiting ? null : this.executor.reference(),
      name: job.name,
      labels: job.labels,
      idempotency,
      specJson: JSON.stringify(withoutSecrets(spec)),
      secretsJson: spec.Secrets === undefined ? null : JSON.stringify(spec.Secrets),
      accountJson: account === null ? null : JSON.stringify(account),
    });
  }

  #reportAccepted(job: ActiveJob, state: JobState): void {
    this.#dependencies.observer.submitted();
    this.#dependencies.log("info", "a job was accepted", { job: job.id, by: job.submittedBy, state });
    this.#changed(job);
  }

  #admitNext(): void {
    for (let job = this.#admission.next(); job !== null; job = this.#admission.next()) void this.#admit(job);
  }

  async #admit(job: ActiveJob): Promise<void> {
    await this.#writer.write(() => this.#dependencies.store.admit(job.seq, this.executor.reference()));
    const request = this.#launchRequestOf(job);
    if (request !== null) this.#launch(job, request);
  }

  #launch(job: ActiveJob, request: LaunchRequest): void {
    this.executor.launch(job, request);
    process.nextTick(() => this.#dependencies.observer.admitted(job.waitedMs()));
  }

  #changed(job: ActiveJob): void {
    if (this.#dependencies.active.show(job)) this.#dependencies.watchers.wake(`${job.directory}/output`);
  }

  #finish(job: ActiveJob, view: JobView): void {
    if (job.phase.kind === "Finished" || !isFinal(view.State)) return;
    job.finished(view);
    this.#dependencies.observer.finished(view);
    logFinished(this.#dependencies.log, view);
    this.#admission.leave(job);
    this.#admitNext();
    void this.#record(job, { state: view.State, viewJson: JSON.stringify(view) });
    this.#changed(job);
  }

  async #record(job: ActiveJob, end: { state: FinalState; viewJson: string }): Promise<void> {
    await this.#writer.write(async () => {
      forgetSecrets(job);
      await this.#dependencies.store.finish(job.seq, end);
    });
    this.#dependencies.active.delete(job);
    job.markRecorded();
  }

  /** Without it a job cannot be launched: then the job is finished, or it would keep its place among the running ones for ever. */
  #launchRequestOf(job: ActiveJob): LaunchRequest | null {
    const request = this.#launchOf(job);
    if (request === null) this.#finish(job, job.unrecordedView());
    return request;
  }

  #launchOf({ id }: ActiveJob): LaunchRequest | null {
    const recorded = this.#dependencies.store.launchOf(id);
    if (recorded === null) return null;
    const spec = withSecrets(JSON.parse(recorded.specJson), JSON.parse(recorded.secretsJson ?? "null"));
    return { spec, account: JSON.parse(recorded.accountJson ?? "null") };
  }
}

type NewJob = Submission & { accepted: Accepted; account: LaunchRequest["account"]; isWaiting: boolean };

/** Not the Message of a job: it may quote the command. */
function logFinished(log: Log, { ID, State, Reason, ExitCode, Signal, StartedAt, EndedAt }: JobView): void {
  const durationSeconds = secondsBetween(StartedAt, EndedAt);
  const fields = { job: ID, state: State, reason: Reason, exitCode: ExitCode, signal: Signal, durationSeconds };
  log(State === "Lost" ? "warn" : "info", "a job is finished", fields);
}
