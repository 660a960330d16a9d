// The table on the terminal and the document.
import type { Benchmark, Row } from "./benchmark.ts";

export type Outcome = {
  benchmark: Benchmark;
  busy: number;
  rows: Row[];
  failure: string | null;
};

const heads = ["what", "jobrunner", "peer", "measured", "demanded", ""];
const cells = (row: Row): string[] => [row.name, row.ours, row.peer, row.measured, row.demanded, row.verdict];

export function printTable(outcome: Outcome): void {
  const lines = [heads, ...outcome.rows.map(cells)];
  const widths = heads.map((_head, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  for (const line of lines) console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
  if (outcome.failure !== null) console.log(`  FAILED: ${outcome.failure}`);
}

export function writeReport(machine: [string, string][], outcomes: Outcome[]): string {
  const lines = [
    "# Benchmarks",
    "",
    "Written by `make bench` (`bench/main.ts`); do not edit. jobrunner, its peer and the build before it are measured in turns, round",
    "by round, on the same machine in the same minutes; a ratio is the median of the ratios of the rounds, which stand beside it: their",
    "spread tells how quiet the machine was. What has no demand is for information; what lacks a peer or the build before is said to. Figures",
    "of one machine mean little on another: run it on yours. The state directory is in `TMPDIR`. On ext4 without a",
    "journal wait some minutes after many files were removed, or choose another disk: making files is slow until then.",
    "",
    "| | |",
    "|---|---|",
    ...machine.map(([what, value]) => `| ${what} | ${value} |`),
    "",
    ...shortfalls(outcomes),
  ];
  for (const { benchmark, busy, rows, failure } of outcomes) {
    lines.push(`## ${benchmark.name}: ${benchmark.title}`, "", benchmark.method, "");
    lines.push(`| ${heads.join(" | ")} |`, `|${heads.map(() => "---").join("|")}|`);
    for (const row of rows)
      lines.push(
        `| ${cells(row)
          .map((cell) => cell.replaceAll("|", "\\|"))
          .join(" | ")} |`,
      );
    lines.push("");
    if (failure !== null) lines.push(`**Not finished**: ${failure.replaceAll(/\/\S*\//g, "")}`, "");
    if (busy > 0.15) lines.push(`The machine was ${Math.round(busy * 100)} % busy with other things just before.`, "");
  }
  return lines.join("\n");
}

/** What falls short, at the top: nobody should have to look for it. */
function shortfalls(outcomes: Outcome[]): string[] {
  const short = outcomes.flatMap(({ benchmark, rows }) =>
    rows
      .filter(({ verdict }) => verdict === "short" || verdict === "no build before")
      .map(
        (row) => `- ${benchmark.name}: ${row.name}: ${row.verdict === "short" ? `${row.measured}, demanded ${row.demanded}` : row.peer}`,
      ),
  );
  const unfinished = outcomes.filter(({ failure }) => failure !== null).map(({ benchmark }) => `- ${benchmark.name}: not finished`);
  const all = [...short, ...unfinished];
  return all.length === 0 ? ["All that is demanded is reached.", ""] : ["What falls short:", "", ...all, ""];
}
