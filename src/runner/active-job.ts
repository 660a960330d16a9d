import { statSync } from "node:fs";
import { join } from "node:path";
import type { ContainerFacts } from "../job/container.ts";
import type { JobFacts } from "../job/facts.ts";
import { isFinal, type JobState, type JobView } from "../job/job.ts";
import { isOutputUnknown, type LostReason, type Progress, progressOf, type StepPlan, unstartedSteps } from "../job/outcome.ts";
import type { RecordedSpec } from "../job/secrets.ts";
import { commandsOf, type JobSpec } from "../job/spec.ts";
import type { Attempt } from "../job/start-failure.ts";
import { readAttempts } from "./attempts.ts";
import { StatusFile } from "./status.ts";

/**
 * How far the service has come with a job that it has not recorded as over. What the supervisor has come to is in the facts.
 *
 *     Queued ──admitted, committed──▶ Launching ──status file seen──▶ Started ──done, swept or lost──▶ Over ──committed──▶ (forgotten)
 */
export type Phase =
  | { kind: "Queued" }
  | { kind: "Launching"; problem: string | null } // why it could not be given to a supervisor yet, for people
  | { kind: "Started"; facts: JobFacts }
  | { kind: "Finished"; view: JobView };

export type Identity = { seq: number; id: string; submittedAtMs: number; owner: string | null; submittedBy: string | null };

/** So many who wait for a job's end hear of it in one turn of the event loop: each is answered, and thousands must not hold up others. */
const wokenAtOnce = 16;

/** A job that is not finished, or not yet recorded so. The spec stays on disk: thousands of jobs must not cost their scripts in memory. */
export class ActiveJob {
  readonly seq: number;
  readonly id: string;
  readonly directory: string;
  readonly name: string | null;
  readonly labels: Record<string, string>;
  readonly submittedAtMs: number;
  readonly owner: string | null;
  readonly submittedBy: string | null;
  readonly plan: StepPlan[];
  readonly hasSecrets: boolean;
  readonly containerSteps: number[]; // numbers of the steps that run in containers
  readonly containers = new Map<number, ContainerFacts>(); // by step: those that are gone, and what was said of them before
  phase: Phase = { kind: "Queued" };
  killRequest: "terminate" | "kill" | null = null;
  readonly status: StatusFile;
  sweepAskedMs = 0;
  isEnding = false; // its supervisor has recorded the end; its containers are being seen to
  shownState: JobState | null = null; // that subscribers know, and likewise:
  shownWaitsFor: string | null = null;
  loggedRefusals = 0;
  #attempts: ReadonlyMap<number, Attempt> | null = null;
  readonly #knownSinceMs = performance.now();
  readonly #waitedBeforeMs: number; // it was known, by the clock
  readonly #onRecorded = new Set<() => void>();

  constructor(identity: Identity, spec: JobSpec | RecordedSpec, jobsDir: string) {
    this.seq = identity.seq;
    this.id = identity.id;
    this.submittedAtMs = identity.submittedAtMs;
    this.#waitedBeforeMs = Date.now() - identity.submittedAtMs;
    this.owner = identity.owner;
    this.submittedBy = identity.submittedBy;
    this.directory = join(jobsDir, identity.id);
    this.status = new StatusFile(this.directory);
    this.name = spec.Name ?? null;
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

  get state(): JobState {
    switch (this.phase.kind) {
      case "Queued":
        return "Queued";
      case "Launching":
        return "Starting";
      case "Started":
        return progressOf(this.plan, this.phase.facts).State;
      case "Finished":
        return this.phase.view.State;
    }
  }

  /** The process that a kill waits for, as a text by which two are told apart. */
  get waitsFor(): string | null {
    const process = this.phase.kind === "Started" ? this.phase.facts.waitsFor : null;
    return process === null ? null : `${process.pid} ${process.user} ${process.program}`;
  }

  /** Given to a supervisor and not finished: what counts against the limit. */
  get isRunning(): boolean {
    return this.phase.kind === "Launching" || this.phase.kind === "Started";
  }

  /** Since its acceptance; null where the clock was set back between that and this service's start. */
  waitedMs(): number | null {
    return this.#waitedBeforeMs < 0 ? null : this.#waitedBeforeMs + performance.now() - this.#knownSinceMs;
  }

  view(): JobView {
    switch (this.phase.kind) {
      case "Queued":
      case "Launching":
        return this.#unstartedView({
          ...noProgress,
          State: this.state,
          Message: this.phase.kind === "Launching" ? this.phase.problem : null,
          Steps: unstartedSteps(this.plan, "Pending"),
        });
      case "Started":
        return this.#startedView(this.phase.facts, null);
      case "Finished":
        return this.phase.view;
    }
  }

  /** Killed before anything of it ran. */
  killedView(): JobView {
    const EndedAt = new Date().toISOString();
    const Steps = unstartedSteps(this.plan, "Skipped");
    return this.#unstartedView({
      ...noProgress,
      State: "Killed",
      Reason: "Requested",
      Message: "killed on request before it started",
      EndedAt,
      Steps,
    });
  }

  /** Over without a final record; its supervisor may never have come to the point of recording anything. */
  lostView(reason: LostReason): JobView {
    if (this.phase.kind === "Started") return this.#startedView(this.phase.facts, reason);
    const Message = "given to a supervisor that left no record; whether it ran is unknown";
    return this.#unstartedView({ ...noProgress, State: "Lost", Reason: reason, Message, Steps: unstartedSteps(this.plan, "Lost") });
  }

  /** Adds to the facts of steps that could not start what they were to execute. */
  addAttempts(facts: JobFacts): void {
    for (const [number, { failed }] of facts.steps) {
      if (failed === null) continue;
      this.#attempts ??= readAttempts(this.directory);
      failed.attempt = this.#attempts.get(number) ?? null;
    }
  }

  /** Resolves when the end is committed, or the signal aborts: whoever does not wait any more leaves nothing here, however long the job goes on. */
  recorded(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      this.#onRecorded.delete(end);
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

  #startedView(facts: JobFacts, lost: LostReason | null): JobView {
    return this.#viewOf(progressOf(this.plan, facts, lost), this.#output(facts));
  }

  #unstartedView(progress: Progress): JobView {
    return this.#viewOf(progress, { OutputBytes: 0, OutputLostBytes: 0 });
  }

  /** In the order in which people read it. */
  #viewOf({ StartedAt, EndedAt, Steps, ...verdict }: Progress, output: Output): JobView {
    const SubmittedAt = new Date(this.submittedAtMs).toISOString();
    return {
      ID: this.id,
      Name: this.name,
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

  #output(facts: JobFacts): Output {
    if (facts.done !== null)
      return { OutputBytes: facts.done.outputBytes, OutputLostBytes: isOutputUnknown(facts) ? null : facts.done.lostBytes };
    const size = statSync(join(this.directory, "output"), { throwIfNoEntry: false })?.size ?? 0;
    return { OutputBytes: size, OutputLostBytes: isFinal(this.state) || facts.swept !== null ? null : 0 };
  }
}

type Output = Pick<JobView, "OutputBytes" | "OutputLostBytes">;

const noProgress = { Reason: null, ExitCode: null, Signal: null, Message: null, WaitsFor: null, StartedAt: null, EndedAt: null };
