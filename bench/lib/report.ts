// Writes the results as a table on the terminal and as a document.
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
    ...wrap(
      "Written by `make bench` (`bench/main.ts`); do not edit. jobrunner, its peer and the build before are measured in turns, round by " +
        "round, on the same machine in the same minutes. A ratio is the median of the ratios of the rounds, which stand beside it: their " +
        "spread shows how quiet the machine was. Rows without a demand are for information. A row says when there is no peer or no build " +
        "before. Figures of one machine mean little on another: run the benchmarks on yours. The state directory is in `TMPDIR`. On ext4 " +
        "without a journal, wait some minutes after many files were removed, or choose another disk: creating files is slow until then.",
    ),
    "",
    "| | |",
    "|---|---|",
    ...machine.map(([what, value]) => `| ${what} | ${value} |`),
    "",
    ...shortfalls(outcomes),
  ];
  for (const { benchmark, busy, rows, failure } of outcomes) {
    lines.push(`## ${benchmark.name}: ${benchmark.title}`, "", ...wrap(benchmark.method), "");
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

/** The rows that fall short, for the top of the document. */
function shortfalls(outcomes: Outcome[]): string[] {
  const short = outcomes.flatMap(({ benchmark, rows }) =>
    rows
      .filter(({ verdict }) => verdict === "short" || verdict === "no build before")
      .map(
        (row) => `- ${benchmark.name}: ${row.name}: ${row.verdict === "short" ? `${row.measured}, demanded ${row.demanded}` : row.peer}`,
      ),
  );
  const unfinished = outcomes.filter(({ failure }) => failure !== null).map(({ benchmark }) => `- ${benchmark.name}: not finished`);
  const all = [...short, ...unfinished].flatMap((item) => wrap(item, "  "));
  return all.length === 0 ? ["All demands are met.", ""] : ["What falls short:", "", ...all, ""];
}

const maxColumns = 140;

/** The lines of a paragraph. `indent` begins all lines but the first. */
function wrap(text: string, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > maxColumns) {
      lines.push(line);
      line = indent + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
