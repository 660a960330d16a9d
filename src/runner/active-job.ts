import { statSync } from "node:fs";
import { join } from "node:path";
import type { JobFacts } from "../job/facts.ts";
import { type JobState, type JobView } from "../job/job.ts";
import { isOutputUnknown, type LostReason, type Progress, progressOf, type StepPlan, unstartedSteps } from "../job/outcome.ts";
import type { RecordedSpec } from "../job/secrets.ts";
import { shortCommand } from "../job/short-command.ts";
import { commandsOf, type JobSpec } from "../job/spec.ts";

/**
 * How far the service has come with a job whose end it has not recorded. How far the job has come is in the facts.
 *
 *     Queued ──admitted──▶ Launching ──first report──▶ Started ──ended, containers left──▶ Finishing
 *        │                     │                          │                                    │
 *        └──────killed─────────┴──────────────────────────┴───────────nothing left─────────────┴──▶ Finished ──committed──▶ (forgotten)
 *
 * Finishing shows the job as it was before its end: it is finished only when none of its containers is left.
 */
export type Phase =
  | { kind: "Queued"; waitsFor: string | null } // what it waits for, as a sentence
  | { kind: "Launching"; problem: string | null } // why the job could not be launched yet, as a sentence
  | { kind: "Started"; facts: JobFacts }
  | { kind: "Finishing"; facts: JobFacts }
  | { kind: "Finished"; view: JobView };

export type Identity = { seq: number; id: string; submittedAtMs: number; owner: string | null; submittedBy: string | null };

/** Clients that wait for one job's end and are woken in one turn of the event loop: thousands of answers must not delay other clients. */
const wokenAtOnce = 16;

/** A job whose end is not recorded yet. Its spec stays on disk: thousands of jobs must not keep their scripts in memory. */
export class ActiveJob {
  readonly seq: number;
  readonly id: string;
  readonly directory: string;
  readonly name: string | null;
  readonly command: string;
  readonly labels: Record<string, string>;
  readonly submittedAtMs: number;
  readonly owner: string | null;
  readonly submittedBy: string | null;
  readonly plan: StepPlan[];
  readonly hasSecrets: boolean;
  readonly containerSteps: number[]; // numbers of the steps that run in containers
  #phase: Phase = { kind: "Queued", waitsFor: null };
  readonly #knownSinceMs = performance.now();
  readonly #waitedBeforeMs: number; // by the clock, between its acceptance and this service
  readonly #onRecorded = new Set<() => void>();

  constructor(identity: Identity, spec: JobSpec | RecordedSpec, jobsDir: string) {
    this.seq = identity.seq;
    this.id = identity.id;
    this.submittedAtMs = identity.submittedAtMs;
    this.#waitedBeforeMs = Date.now() - identity.submittedAtMs;
    this.owner = identity.owner;
    this.submittedBy = identity.submittedBy;
    this.directory = join(jobsDir, identity.id);
    this.name = spec.Name ?? null;
    this.command = shortCommand(spec);
    this.labels = spec.Labels ?? {};
    this.hasSecrets = spec.Secrets !== undefined;
    this.plan = commandsOf(spec).map(({ Name, IgnoreError, RunOn, Image }) => ({
      ...(Name === undefined ? {} : { Name }),
      ...(IgnoreError === undefined ? {} : { IgnoreError }),
      ...(RunOn === undefined ? {} : { RunOn }),
      ...(Image === undefined ? {} : { Image }),
    }));
    this.containerSteps = this.plan.flatMap(({ Image }, index) => (Image === undefined ? [] : [index + 1]));
  }

  get hasContainers(): boolean {
    return this.containerSteps.length > 0;
  }

  get phase(): Phase {
    return this.#phase;
  }

  queued(waitsFor: string): void {
    this.#phase = { kind: "Queued", waitsFor };
  }

  launching(problem: string | null): void {
    this.#phase = { kind: "Launching", problem };
  }

  started(facts: JobFacts): void {
    this.#phase = { kind: "Started", facts };
  }

  finishing(facts: JobFacts): void {
    this.#phase = { kind: "Finishing", facts: { ...facts, end: null } };
  }

  finished(view: JobView): void {
    this.#phase = { kind: "Finished", view };
  }

  get state(): JobState {
    switch (this.#phase.kind) {
      case "Queued":
        return "Queued";
      case "Launching":
        return "Starting";
      case "Started":
      case "Finishing":
        return progressOf(this.plan, this.#phase.facts).State;
      case "Finished":
        return this.#phase.view.State;
    }
  }

  /** What is known of a launched job; null: nothing yet, or it is finished. */
  get facts(): JobFacts | null {
    return this.#phase.kind === "Started" || this.#phase.kind === "Finishing" ? this.#phase.facts : null;
  }

  /** The process for which a kill waits, as a text that differs for two processes. */
  get waitsFor(): string | null {
    const process = this.facts?.waitsFor ?? null;
    return process === null ? null : `${process.pid} ${process.user} ${process.program}`;
  }

  /** Launched and not finished. */
  get isRunning(): boolean {
    return this.#phase.kind !== "Queued" && this.#phase.kind !== "Finished";
  }

  /** Milliseconds since its acceptance; null if the clock was set back between that and this service's start. */
  waitedMs(): number | null {
    return this.#waitedBeforeMs < 0 ? null : this.#waitedBeforeMs + performance.now() - this.#knownSinceMs;
  }

  view(): JobView {
    switch (this.#phase.kind) {
      case "Queued":
      case "Launching":
        return this.#unstartedView({
          ...noProgress,
          State: this.state,
          Message: this.#phase.kind === "Launching" ? this.#phase.problem : this.#phase.waitsFor,
          Steps: unstartedSteps(this.plan, "Pending"),
        });
      case "Started":
      case "Finishing":
        return this.#startedView(this.#phase.facts, null);
      case "Finished":
        return this.#phase.view;
    }
  }

  /** The end of a job that was killed before any of it ran. */
  killedView(): JobView {
    return this.#neverRanView({ State: "Killed", Reason: "Requested", Message: "killed on request before it started" });
  }

  /** The end of a job that cannot be launched, because its row has disappeared from the database. */
  unrecordedView(): JobView {
    return this.#neverRanView({
      State: "Failed",
      Reason: "CouldNotStart",
      Message: "the job could not start: its record is missing in the database",
    });
  }

  /** The end of a job without a final record. Its supervisor may have recorded nothing at all. */
  lostView(reason: LostReason): JobView {
    const { facts } = this;
    if (facts !== null) return this.#startedView(facts, reason);
    const Message = "given to a supervisor that left no record; whether it ran is unknown";
    const progress: Progress = { ...noProgress, State: "Lost", Reason: reason, Message, Steps: unstartedSteps(this.plan, "Lost") };
    return this.#viewOf(progress, { OutputBytes: this.#outputSize(), OutputLostBytes: null });
  }

  /** Resolves when the end is committed, or the signal aborts. Then nothing of the wait is left, however long the job runs on. */
  recorded(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      this.#onRecorded.delete(end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    this.#onRecorded.add(end);
    signal.addEventListener("abort", end, { once: true });
    return promise;
  }

  markRecorded(): void {
    let left = wokenAtOnce;
    for (const end of this.#onRecorded) {
      if ((left -= 1) < 0) return void setImmediate(() => this.markRecorded());
      end();
    }
  }

  #neverRanView(end: Pick<Progress, "State" | "Reason" | "Message">): JobView {
    const EndedAt = new Date().toISOString();
    return this.#unstartedView({ ...noProgress, ...end, EndedAt, Steps: unstartedSteps(this.plan, "Skipped") });
  }

  #startedView(facts: JobFacts, lost: LostReason | null): JobView {
    return this.#viewOf(progressOf(this.plan, facts, lost), this.#output(facts, lost));
  }

  #unstartedView(progress: Progress): JobView {
    return this.#viewOf(progress, nothingWritten);
  }

  /** Its fields are in the order in which people read them. */
  #viewOf({ StartedAt, EndedAt, Steps, ...verdict }: Progress, output: Output): JobView {
    const SubmittedAt = new Date(this.submittedAtMs).toISOString();
    return {
      ID: this.id,
      Name: this.name,
      Command: this.command,
      Labels: this.labels,
      ...verdict,
      SubmittedBy: this.submittedBy,
      SubmittedAt,
      StartedAt,
      EndedAt,
      ...output,
      Steps,
    };
  }

  #output(facts: JobFacts, lost: LostReason | null): Output {
    const { end } = facts;
    if (end?.kind === "done") return { OutputBytes: end.outputBytes, OutputLostBytes: isOutputUnknown(facts) ? null : end.lostBytes };
    const isUnknown = lost !== null || end?.kind === "swept" || isOutputUnknown(facts);
    return { OutputBytes: this.#outputSize(), OutputLostBytes: isUnknown ? null : 0 };
  }

  #outputSize(): number {
    return statSync(join(this.directory, "output"), { throwIfNoEntry: false })?.size ?? 0;
  }
}

type Output = Pick<JobView, "OutputBytes" | "OutputLostBytes">;

const nothingWritten: Output = { OutputBytes: 0, OutputLostBytes: 0 };
const noProgress = { Reason: null, ExitCode: null, Signal: null, Message: null, WaitsFor: null, StartedAt: null, EndedAt: null };
