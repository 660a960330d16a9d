import type { ContainerFacts } from "./container.ts";
import type { Attempt, StartFailure } from "./start-failure.ts";

/**
 * What a supervisor has recorded about a job. A position is that of a line in the record. Positions decide what came first, because clocks
 * can be set.
 */
export type StopCause = "terminate" | "kill" | "timeout" | "idle";

/** Why the drain ended: by DrainTimeoutSeconds, by the job's timeout, or by a kill. */
export type CutCause = "drain" | "timeout" | "terminate" | "kill";

export type StepFacts = {
  started: { position: number; timeNs: bigint } | null;
  expired: { position: number } | null;
  ended: {
    position: number;
    timeNs: bigint;
    waitStatus: number;
    userMicroseconds: number;
    systemMicroseconds: number;
    peakRssKiB: number;
    outputBytes: number;
  } | null;
  failed: (StartFailure & { timeNs: bigint; attempt: Attempt | null }) | null;
  unread: { stream: "stdout" | "stderr"; errno: number }[]; // streams that the supervisor could not read to their ends
  cut: CutCause | null; // processes that it left behind were killed while they still wrote the step's output
};

export type JobFacts = {
  bootId: string;
  supervisorPid: number;
  claimedNs: bigint;
  takesSignals: boolean; // false: the supervisor is of an earlier build, which passes over a request to send one
  steps: Map<number, StepFacts>; // by number; 0: the job as a whole could not start
  containers: ReadonlyMap<number, ContainerFacts>; // the engine's reports by step number; absent: not asked yet
  stops: { position: number; timeNs: bigint; cause: StopCause }[];
  refusals: string[]; // bugs of the supervisor: a part, its phase, and the event that it did not expect
  waitsFor: WaitedProcess | null; // the process that a kill waits for
  end: JobEnd | null; // null: the record has no end yet
};

/** The end of a record. `done`: by the supervisor. `swept`: the supervisor died, and what it left is gone. */
type JobEnd = { kind: "done"; timeNs: bigint; outputBytes: number; lostBytes: number } | { kind: "swept"; timeNs: bigint };

/** A process that SIGKILL has not ended. */
export type WaitedProcess = {
  pid: number;
  program: string; // its own name for itself
  uid: number; // its effective user
  user: string; // the name of that user, or the number
  errno: number; // of sending SIGKILL; 0: it was sent
  state: string; // a letter, see proc(5)
};

/** RFC 3339 in UTC with microseconds. */
export function formatTime(timeNs: bigint): string {
  const milliseconds = Number(timeNs / 1_000_000n);
  const microseconds = Number((timeNs / 1_000n) % 1_000n);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(microseconds).padStart(3, "0")}Z`;
}

/** Seconds between two such times of one job; null: a time is unknown, or the clock was set back between them. */
export function secondsBetween(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null;
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 0 ? null : ms / 1000;
}
