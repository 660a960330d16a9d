// The parts of a benchmark and of its report.
import type { Build } from "./builds.ts";
import type { Scope } from "./scope.ts";

export type Verdict = "ok" | "short" | "skipped" | "no build before" | "for information";

/** A row of the table. `measured` is the figure that the demand is on: a ratio, a difference or a plain figure. */
export type Row = {
  name: string;
  ours: string;
  peer: string;
  measured: string;
  demanded: string;
  verdict: Verdict;
};

export type Context = {
  scope: Scope;
  /** The previous build, or why there is none. */
  before: Build | string;
  progress: (text: string) => void;
  report: (row: Row) => void;
};

export type Benchmark = {
  name: string;
  title: string;
  /** How the benchmark measures, for the document. */
  method: string;
  limitSeconds: number;
  run: (context: Context) => Promise<void>;
};

export function skipped(name: string, why: string): Row {
  return { name, ours: "", peer: why, measured: "", demanded: "", verdict: "skipped" };
}

/** Without a previous build, its comparisons count as short, because their results are unknown. */
export function withoutBefore(name: string, why: string): Row {
  return { name, ours: "", peer: why, measured: "", demanded: "", verdict: "no build before" };
}

export const atLeast = (value: number, bound: number): Verdict => (value >= bound ? "ok" : "short");
export const atMost = (value: number, bound: number): Verdict => (value <= bound ? "ok" : "short");
