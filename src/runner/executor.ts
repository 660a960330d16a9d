import type { JobView } from "../job/job.ts";
import type { SentSignal } from "../job/signals.ts";
import type { JobSpec } from "../job/spec.ts";
import type { ActiveJob } from "./active-job.ts";
import type { LaunchRequest } from "./job-directory.ts";

/** Runs jobs: by the supervisors of this machine (local/), or elsewhere. The runner decides what starts, the executor how. */
export interface Executor {
  /**
   * What the database keeps of a launch that begins now. It is committed before `launch`, so that an executor whose launch got no answer
   * can look it up. Opaque to everybody else; `adopt` gets it back, perhaps in a later service.
   */
  reference(): string;
  /** Starts a job that is committed as Starting. Never throws: what fails for a while is tried again. */
  launch(job: ActiveJob, request: LaunchRequest): void;
  /** Goes on with a job that an earlier service launched. */
  adopt(job: ActiveJob, reference: string | null): void;
  /** Stops a job. Before its launch, too: then it is never launched. A kill is not weakened by a later request to terminate. */
  stop(job: ActiveJob, how: StopRequest): void;
  /** Sends a signal to the processes of the running step, and to nobody if that step ends meanwhile. */
  signal(job: ActiveJob, signal: SentSignal): Signalled;
  /** Reads what the job has reported but nobody has read yet. */
  refresh(job: ActiveJob): void;
  /** All jobs of earlier services are adopted: removes what is left of others. May take programs and time. */
  recovered(): void;
  health(): ExecutorHealth;
  close(): void;
}

/**
 * What became of a signal. `no-step`: no step is running. `old-supervisor`: the job's supervisor is of an earlier build. `busy`: the
 * supervisor has not read earlier requests yet. `not-passed-on`: the engine's client passes no such signal on to the container.
 */
export type Signalled = "sent" | "no-step" | "old-supervisor" | "busy" | "not-passed-on";

export type StopRequest = "terminate" | "kill";

/** `launcher`: "ok", or what is wrong. `cgroups`: the folder in which each job gets one; null: none can be made. */
export type ExecutorHealth = { launcher: string; cgroups: string | null };

/** What an executor asks of the runner, and reports to it. */
export type ExecutorEvents = {
  active: ReadonlyMap<string, ActiveJob>;
  /** The job's launch request. Null: its record is gone, and the job has been finished for that. */
  launchRequestOf: (job: ActiveJob) => LaunchRequest | null;
  /** The job's spec with its secrets; null: its record is gone. */
  specOf: (job: ActiveJob) => JobSpec | null;
  onChange: (job: ActiveJob) => void;
  onFinished: (job: ActiveJob, view: JobView) => void;
};
