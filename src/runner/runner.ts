import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type FinalState, isFinal, type JobState, type JobView, readView, type WholeJobView } from "../job/job.ts";
import { type RecordedSpec, withoutSecrets, withSecrets } from "../job/secrets.ts";
import type { JobSpec } from "../job/spec.ts";
import { secondsBetween } from "../job/facts.ts";
import { OutputWatchers } from "../output/watcher.ts";
import type { Accepted, Store } from "../store/store.ts";
import { PreflightCheck } from "./preflight-check.ts";
import { nextAccepted } from "./acceptance-order.ts";
import { ActiveJob, type Identity } from "./active-job.ts";
import { findCgroupParent } from "./cgroups.ts";
import { EngineFinder } from "./containers/finder.ts";
import { isStatic } from "./containers/own-init.ts";
import { DiskReserve, isDiskFull } from "./disk.ts";
import { Idempotency } from "./idempotency.ts";
import { readInstance } from "./instance.ts";
import { forgetSecrets, type LaunchRequest } from "./job-directory.ts";
import type { Health, JobReference, JobRunner } from "./job-runner.ts";
import { type JobPage, type JobQuery, listJobs } from "./list.ts";
import type { Log } from "./log.ts";
import { missedSince } from "./missed.ts";
import type { Observer } from "./observer.ts";
import { RetryingWriter } from "./retrying-writer.ts";
import { baseEnvironment } from "./plan.ts";
import { Removal, type Removed } from "./removal.ts";
import { Supervision } from "./supervision.ts";
import type { Submission, SubmitResult, Submitter } from "./submission.ts";
import { workspaceIn, type Workspace } from "./workspaces.ts";

export type RunnerOptions = {
  stateDir: string;
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

/** Jobs of this box: accepts, admits, ends and finds them. */
export class LocalRunner implements JobRunner {
  readonly watchers = new OutputWatchers();
  readonly #options: RunnerOptions;
  readonly #lock: { release(): void };
  readonly store: Store;
  readonly #preflightCheck: PreflightCheck;
  readonly #idempotency: Idempotency;
  readonly #writer: RetryingWriter;
  readonly #supervision: Supervision;
  readonly #finder: EngineFinder;
  readonly #removal: Removal;
  readonly #jobsDir: string;
  readonly #cgroupParent: string | null;
  readonly #bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  readonly #active = new Map<string, ActiveJob>(); // in order of acceptance
  readonly #queue: ActiveJob[] = [];
  readonly #listeners = new Set<(job: JobView, owner: string | null) => void>();
  #running = 0; // admitted and not finished
  #last: Accepted | null;

  constructor(options: RunnerOptions, { lock, store }: { lock: { release(): void }; store: Store }) {
    this.#options = options;
    this.#lock = lock;
    this.store = store;
    this.#jobsDir = join(options.stateDir, "jobs");
    this.#cgroupParent = options.cgroups === "off" ? null : findCgroupParent();
    this.#last = this.store.last();
    const { watchers } = this;
    const instance = readInstance(join(options.stateDir, "instance"));
    this.#finder = new EngineFinder({
      wanted: options.containerEngine,
      environment: { ...baseEnvironment, ...options.engineEnvironment },
      ownInit: isStatic(options.supervisorPath) ? options.supervisorPath : null,
      log: options.log,
    });
    this.#idempotency = new Idempotency(this.store);
    this.#writer = new RetryingWriter(options.log);
    const disk = new DiskReserve(options.stateDir, options.minFreeBytes);
    this.#preflightCheck = new PreflightCheck({ ...options, disk, finder: this.#finder, jobsDir: this.#jobsDir });
    this.#removal = new Removal({ ...options, jobsDir: this.#jobsDir, store: this.store, finder: this.#finder });
    this.#supervision = new Supervision(
      { ...options, cgroupParent: this.#cgroupParent, bootId: this.#bootId, finder: this.#finder, instance, watchers },
      {
        active: this.#active,
        launchRequestOf: (id) => this.#launchRequestOf(id),
        onChange: (job) => this.#changed(job),
        onFinished: (job, view) => this.#finished(job, view),
      },
    );
  }

  /** Recovery is the normal path, for many jobs at once: read what their supervisors wrote, and go on from there. */
  recover(): void {
    for (const row of this.store.unfinished()) {
      const spec: RecordedSpec = JSON.parse(row.specJson);
      const job = new ActiveJob(row, spec, this.#jobsDir);
      this.#active.set(job.id, job);
      if (row.state === "Queued") {
        this.#queue.push(job);
      } else {
        this.#running += 1;
        this.#supervision.adopt(job, row.bootId);
      }
    }
    this.#admitNext();
  }

  /** What earlier services left: containers of jobs that are finished, and folders of deleted ones. It takes programs, and can wait until the first requests are answered. */
  clearUp(): void {
    this.#supervision.clearUp();
    this.#removal.resume();
  }

  submit(submission: Submission): Promise<SubmitResult> {
    return this.#idempotency.once(submission, (idempotency) => this.#accept({ ...submission, idempotency }));
  }

  async #accept({ spec, submitter, idempotency }: Submission): Promise<SubmitResult> {
    const acceptance = await this.#preflightCheck.check(spec);
    if (acceptance.kind !== "acceptable") return acceptance;
    const { account } = acceptance;
    const mustWait = this.#running >= this.#options.maxRunning || this.#queue.length > 0;
    if (!mustWait) this.#running += 1;
    const identity = this.#nextIdentity(submitter);
    const job = new ActiveJob(identity, spec, this.#jobsDir);
    const state = mustWait ? "Queued" : "Starting";
    const { name, labels } = job;
    try {
      const bootId = mustWait ? null : this.#bootId;
      await this.store.insert({
        ...identity,
        state,
        bootId,
        name,
        labels,
        idempotency,
        specJson: JSON.stringify(withoutSecrets(spec)),
        secretsJson: spec.Secrets === undefined ? null : JSON.stringify(spec.Secrets),
        accountJson: account === null ? null : JSON.stringify(account),
      });
    } catch (error) {
      if (!mustWait) this.#running -= 1;
      if (isDiskFull(error)) return { kind: "disk-full" };
      throw error;
    }
    this.#active.set(job.id, job);
    if (mustWait) this.#queue.push(job);
    // Promises come before ticks: at this one the requests of all jobs of this commit are answered.
    process.nextTick(() => {
      if (mustWait) this.#admitNext(); // the place may have become free meanwhile
      else this.#launch(job, { spec, account });
      process.nextTick(() => this.#reportAccepted(job, submitter.name, state));
    });
    return { kind: "accepted", id: job.id };
  }

  #reportAccepted(job: ActiveJob, by: string, state: JobState): void {
    this.#options.observer.submitted();
    this.#options.log("info", "a job was accepted", { job: job.id, by, state });
    this.#changed(job);
  }

  #nextIdentity({ owner, name: submittedBy }: Submitter): Identity & Accepted & { submittedBy: string } {
    const accepted = nextAccepted(this.#last, Date.now());
    this.#last = accepted;
    return { ...accepted, owner, submittedBy };
  }

  #admitNext(): void {
    while (this.#running < this.#options.maxRunning) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      this.#running += 1;
      void this.#admit(job);
    }
  }

  async #admit(job: ActiveJob): Promise<void> {
    await this.#writer.write(() => this.store.admit(job.seq, this.#bootId));
    if (job.killRequest !== null) return this.#finished(job, job.killedView());
    const request = this.#launchRequestOf(job.id);
    if (request !== null) this.#launch(job, request);
  }

  #launch(job: ActiveJob, request: LaunchRequest): void {
    this.#supervision.launch(job, request);
    process.nextTick(() => this.#options.observer.admitted(job.waitedMs()));
  }

  activeIds(owner: string | null): string[] {
    return [...this.#active.values()].filter((job) => job.isRunning && (owner === null || job.owner === owner)).map(({ id }) => id);
  }

  find(id: string): JobReference | null {
    const job = this.#active.get(id);
    if (job !== undefined) return { id, seq: job.seq, owner: job.owner, isFinished: isFinal(job.state) };
    const row = this.store.find(id);
    return row === null ? null : { id, seq: row.seq, owner: row.owner, isFinished: true };
  }

  view(id: string): JobView | null {
    const job = this.#active.get(id);
    if (job !== undefined) {
      this.#supervision.bringUpToDate(job);
      return job.view();
    }
    const viewJson = this.store.find(id)?.viewJson;
    return typeof viewJson === "string" ? readView(viewJson) : null;
  }

  get(id: string): WholeJobView | null {
    const job = this.#active.get(id);
    if (job !== undefined) this.#supervision.bringUpToDate(job);
    const row = this.store.find(id);
    if (row === null) return null;
    const view: JobView = job?.view() ?? readView(row.viewJson ?? "{}");
    const Spec: RecordedSpec = JSON.parse(row.specJson);
    return { ...view, Spec };
  }

  list(query: JobQuery, pause: () => Promise<void>): Promise<JobPage> {
    return listJobs({ database: this.store.database, active: this.#active }, query, pause);
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
    const queued = this.#queue.indexOf(job);
    if (queued >= 0) {
      this.#queue.splice(queued, 1);
      this.#running += 1; // #finished gives the place back
      this.#finished(job, job.killedView());
    } else {
      this.#supervision.stop(job, force ? "kill" : "terminate");
    }
    await recorded;
  }

  async remove(id: string): Promise<Removed> {
    if (this.#active.has(id)) return { kind: "not-finished" };
    const row = this.store.find(id);
    if (row === null) return { kind: "unknown" };
    await this.store.remove(row.seq, id);
    this.#options.log("info", "a job was removed", { job: id });
    return { kind: "removed", remains: await this.#removal.remove(id) };
  }

  countStates(): Map<JobState, number> {
    const counts = new Map<JobState, number>();
    for (const { shownState } of this.#active.values()) {
      const state = shownState ?? "Queued"; // accepted at this moment
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
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

  subscribe(listener: (job: JobView, owner: string | null) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  lastEnd(): number {
    return this.store.ends.last;
  }

  missedSince(end: number, owner: string | null): { isWhole: boolean; jobs: Iterable<string> } {
    return missedSince(this.store.ends, this.#active.values(), { end, owner, upToSeq: this.#last?.seq ?? 0 });
  }

  health(): Health {
    const launcher = this.#supervision.isLauncherRunning ? "ok" : "the launcher is being started anew";
    const counts = { running: this.#running, queued: this.#queue.length, remains: this.#removal.remains };
    return { database: this.#writer.problem ?? "ok", launcher, cgroups: this.#cgroupParent, containers: this.#finder.health(), ...counts };
  }

  close(): void {
    this.#supervision.close();
    this.store.close();
    this.#lock.release();
  }

  #changed(job: ActiveJob): void {
    const { state, waitsFor, shownState, shownWaitsFor } = job;
    if (state === shownState && waitsFor === shownWaitsFor) return;
    job.shownState = state;
    job.shownWaitsFor = waitsFor;
    this.watchers.wake(`${job.directory}/output`);
    if (state === "Running" && state !== shownState) this.#options.log("info", "a job is running", { job: job.id });
    if (waitsFor !== null && waitsFor !== shownWaitsFor)
      this.#options.log("warn", "a job waits for a process that SIGKILL does not end", { job: job.id, process: waitsFor });
    if (this.#listeners.size === 0) return;
    const view = job.view();
    for (const listener of this.#listeners) listener(view, job.owner);
  }

  #finished(job: ActiveJob, view: JobView): void {
    if (job.phase.kind === "Finished" || !isFinal(view.State)) return;
    job.phase = { kind: "Finished", view };
    this.#options.observer.finished(view);
    logFinished(this.#options.log, view);
    this.#running -= 1;
    this.#admitNext();
    void this.#record(job, { state: view.State, viewJson: JSON.stringify(view) });
    this.#changed(job);
  }

  async #record(job: ActiveJob, end: { state: FinalState; viewJson: string }): Promise<void> {
    await this.#writer.write(async () => {
      forgetSecrets(job);
      await this.store.finish(job.seq, end);
    });
    this.#active.delete(job.id);
    job.markRecorded();
  }

  #launchRequestOf(id: string): LaunchRequest | null {
    const row = this.store.find(id);
    if (row === null) return null;
    const spec: JobSpec = withSecrets(JSON.parse(row.specJson), JSON.parse(row.secretsJson ?? "null"));
    return { spec, account: JSON.parse(row.accountJson ?? "null") };
  }
}

/** Not its Message: that may quote the command. */
function logFinished(log: Log, { ID, State, Reason, ExitCode, Signal, StartedAt, EndedAt }: JobView): void {
  const durationSeconds = secondsBetween(StartedAt, EndedAt);
  log(State === "Lost" ? "warn" : "info", "a job is finished", {
    job: ID,
    state: State,
    reason: Reason,
    exitCode: ExitCode,
    signal: Signal,
    durationSeconds,
  });
}
