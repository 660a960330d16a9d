// What a benchmark is, and what it reports.
import type { Build } from "./builds.ts";
import type { Scope } from "./scope.ts";

export type Verdict = "ok" | "short" | "skipped" | "no build before" | "for information";

/** One line of the table. `measured` is the figure that is judged: a ratio, a difference or a bare figure. */
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
  /** The build before this one, or why there is none. */
  before: Build | string;
  progress: (text: string) => void;
  report: (row: Row) => void;
};

export type Benchmark = {
  name: string;
  title: string;
  /** How it is measured, for the document. */
  method: string;
  limitSeconds: number;
  run: (context: Context) => Promise<void>;
};

export function skipped(name: string, why: string): Row {
  return { name, ours: "", peer: why, measured: "", demanded: "", verdict: "skipped" };
}

/** What is measured against the build before counts as short without one: nobody knows. */
export function withoutBefore(name: string, why: string): Row {
  return { name, ours: "", peer: why, measured: "", demanded: "", verdict: "no build before" };
}

export const atLeast = (value: number, bound: number): Verdict => (value >= bound ? "ok" : "short");
export const atMost = (value: number, bound: number): Verdict => (value <= bound ? "ok" : "short");
