import { isUnfinished, type Known, type Took, tookOf } from "./ending.ts";

/** The last runs of jobs with one name, as the command line and the page show them. */

type Run = { State: string; Reason: string | null; StartedAt: string | null; EndedAt: string | null };

export type History<Job extends Run> = {
  /** Oldest first. `part`: of the longest run, from 0 to 1. */
  runs: { job: Job; took: Known<Took>; part: number }[];
  finishedCount: number;
  failedCount: number;
  /** Of the finished runs whose duration is known; null: there are none. */
  medianMs: number | null;
  worstMs: number | null;
};

/** A run that ended in one of these has failed. One that was killed has not: somebody wanted that. */
const failures = ["Failed", "TimedOut", "Lost"];

function isFailure({ State }: Pick<Run, "State">): boolean {
  return failures.includes(State);
}

/** `newestFirst`: as the service lists them. */
export function historyOf<Job extends Run>(newestFirst: readonly Job[], nowMs: number): History<Job> {
  const timed = newestFirst.map((job) => ({ job, took: tookOf(job, nowMs) })).toReversed();
  const longestMs = Math.max(1, ...timed.map(({ took }) => msOf(took) ?? 0));
  const finished = timed.filter(({ job }) => !isUnfinished(job));
  const known = finished.flatMap(({ took }) => msOf(took) ?? []).toSorted((a, b) => a - b);
  return {
    runs: timed.map((run) => ({ ...run, part: (msOf(run.took) ?? 0) / longestMs })),
    finishedCount: finished.length,
    failedCount: finished.filter(({ job }) => isFailure(job)).length,
    medianMs: medianOf(known),
    worstMs: known.at(-1) ?? null,
  };
}

function msOf(took: Known<Took>): number | null {
  return took.kind === "known" ? took.value.ms : null;
}

function medianOf(sorted: readonly number[]): number | null {
  const [lower, upper] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2;
}
