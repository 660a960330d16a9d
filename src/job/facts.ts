import type { ContainerFacts } from "./container.ts";
import type { Attempt, StartFailure } from "./start-failure.ts";

/**
 * What is known of a started job, as its supervisor recorded it. Positions are those of the lines in the record: what came first is
 * decided by them, since clocks can be set.
 */
export type StopCause = "terminate" | "kill" | "timeout" | "idle";

/** What ended the time for the last output: its own length, the job's timeout, or a kill. */
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
  cut: CutCause | null; // what it left behind was killed while it was still at work on the step's output
};

export type JobFacts = {
  bootId: string;
  supervisorPid: number;
  claimedNs: bigint;
  steps: Map<number, StepFacts>; // by number; 0: the job as a whole could not start
  containers: ReadonlyMap<number, ContainerFacts>; // what the engine said of steps that ran in one, by number; absent: not asked yet
  stops: { position: number; timeNs: bigint; cause: StopCause }[];
  refusals: string[]; // faults of the supervisor: which part, in which phase, had no place for which event
  waitsFor: WaitedProcess | null; // by a kill, as the record's last line about it says
  end: JobEnd | null; // null: the record has no end yet
};

/** The end of a record. `done`: by the supervisor. `swept`: the supervisor died, and what it left is gone. */
type JobEnd = { kind: "done"; timeNs: bigint; outputBytes: number; lostBytes: number } | { kind: "swept"; timeNs: bigint };

/** A process that SIGKILL has not ended. */
export type WaitedProcess = {
  pid: number;
  program: string; // as it calls itself
  uid: number; // as whom it acts
  user: string; // the name of that user, or the number
  errno: number; // of sending it SIGKILL; 0: sent
  state: string; // a letter, see proc(5)
};

/** RFC 3339 in UTC with microseconds. */
export function formatTime(timeNs: bigint): string {
  const milliseconds = Number(timeNs / 1_000_000n);
  const microseconds = Number((timeNs / 1_000n) % 1_000n);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(microseconds).padStart(3, "0")}Z`;
}

/** Between two such times of one job; null where one is not known, or the clock was set back between them: it is not known then how long it took. */
export function secondsBetween(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null;
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 0 ? null : ms / 1000;
}
