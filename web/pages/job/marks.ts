import type { Run } from "../../output/styles.ts";

export type MarkedRun = { run: Run; isMarked: boolean };

/** The runs of a line, cut where matches of the searched text begin and end. A match may span several runs. */
export function markedRuns(runs: readonly Run[], { text, isCaseSensitive }: { text: string; isCaseSensitive: boolean }): MarkedRun[] {
  const marks = marksIn(runs.map((run) => run.text).join(""), { text, isCaseSensitive });
  let at = 0;
  return runs.flatMap((run) => {
    const start = at;
    at += run.text.length;
    return cut(run, { start, marks });
  });
}

type Mark = { start: number; end: number };

function marksIn(line: string, { text, isCaseSensitive }: { text: string; isCaseSensitive: boolean }): Mark[] {
  const pattern = new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`), isCaseSensitive ? "gu" : "giu");
  return [...line.matchAll(pattern)].map(({ index, 0: found }) => ({ start: index, end: index + found.length }));
}

function cut(run: Run, { start, marks }: { start: number; marks: readonly Mark[] }): MarkedRun[] {
  const end = start + run.text.length;
  const edges = [start, ...marks.flatMap((mark) => [mark.start, mark.end]).filter((edge) => edge > start && edge < end), end];
  return edges.slice(0, -1).map((from, index) => {
    const isMarked = marks.some((mark) => from >= mark.start && from < mark.end);
    return { run: { ...run, text: run.text.slice(from - start, (edges[index + 1] ?? end) - start) }, isMarked };
  });
}
