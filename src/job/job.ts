import type { RecordedSpec } from "./secrets.ts";

/** How a job or step ended badly, or why. One word for each different fact. */
export type Reason =
  | "ExitCode"
  | "Signal"
  | "CouldNotStart"
  | "Timeout"
  | "IdleTimeout"
  | "OutOfMemory"
  | "ImagePull"
  | "EngineError"
  | "SupervisorLost"
  | "Reboot"
  | "Requested";

export type FinalState = "Succeeded" | "Failed" | "Killed" | "TimedOut" | "Lost";
export type ActiveState = "Starting" | "Running" | "Stopping";
export type JobState = "Queued" | ActiveState | FinalState;
export type StepState = "Pending" | "Running" | "Skipped" | FinalState;

export const jobStates = [
  "Queued",
  "Starting",
  "Running",
  "Stopping",
  "Succeeded",
  "Failed",
  "Killed",
  "TimedOut",
  "Lost",
] as const satisfies readonly JobState[];

export function isFinal(state: JobState): state is FinalState {
  return state !== "Queued" && state !== "Starting" && state !== "Running" && state !== "Stopping";
}

/** A step as the API shows it; what does not apply (yet) is null. Times are RFC 3339. */
export type StepView = {
  Number: number;
  Name: string | null;
  State: StepState;
  Reason: Reason | null;
  ExitCode: number | null;
  Signal: string | null;
  Message: string | null;
  StartedAt: string | null;
  EndedAt: string | null;
  CPUSeconds: number | null;
  PeakMemoryBytes: number | null;
  OutputBytes: number | null;
};

/** A job as the API shows it: in lists and events without `Spec`. */
export type JobView = {
  ID: string;
  Name: string | null;
  Labels: Record<string, string>;
  State: JobState;
  Reason: Reason | null;
  ExitCode: number | null;
  Signal: string | null;
  Message: string | null;
  SubmittedBy: string | null; // null: by a service that did not record it
  SubmittedAt: string;
  StartedAt: string | null;
  EndedAt: string | null;
  OutputBytes: number | null;
  OutputLostBytes: number | null;
  Steps: StepView[];
};

export type WholeJobView = JobView & { Spec: RecordedSpec };
