import { elapsedMs } from "./duration.ts";

/** How long a job or step took and how it ended, as the command line and the page show it. */

/** `none`: it has no such value, or not yet. `unknown`: it had one, but nobody knows it. */
export type Known<Value> = { kind: "none" } | { kind: "unknown" } | { kind: "known"; value: Value };

/** Everywhere: nothing for none, and a question mark for an unknown value. */
export function knownText<Value>(fact: Known<Value>, textOf: (value: Value) => string): string {
  switch (fact.kind) {
    case "none":
      return "";
    case "unknown":
      return "?";
    case "known":
      return textOf(fact.value);
  }
}

type Run = {
  State: string;
  Reason: string | null;
  ExitCode: number | null;
  Signal: string | null;
  StartedAt: string | null;
  EndedAt: string | null;
};

const unfinished = ["Pending", "Queued", "Starting", "Running", "Stopping"];
/** Nothing of the command was executed. */
const neverRan = ["CouldNotStart", "ImagePull"];

export function isUnfinished({ State }: Pick<Run, "State">): boolean {
  return unfinished.includes(State);
}

export type Took = { ms: number; isRunning: boolean };

export function tookOf(run: Omit<Run, "ExitCode" | "Signal">, nowMs: number): Known<Took> {
  const isRunning = isUnfinished(run);
  if (run.StartedAt === null || (run.Reason !== null && neverRan.includes(run.Reason))) return { kind: "none" };
  if (run.EndedAt === null && !isRunning) return { kind: "unknown" };
  const ms = elapsedMs(run, nowMs);
  return ms === null ? { kind: "unknown" } : { kind: "known", value: { ms, isRunning } };
}

/** The name of the signal, or the exit code. */
export function exitOf(run: Run): Known<string> {
  if (run.Signal !== null) return { kind: "known", value: run.Signal };
  if (run.ExitCode !== null) return { kind: "known", value: String(run.ExitCode) };
  const isNone = isUnfinished(run) || run.State === "Skipped" || tookOf(run, 0).kind === "none";
  return isNone && run.State !== "Lost" ? { kind: "none" } : { kind: "unknown" };
}
