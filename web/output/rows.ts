import type { VisiblePages } from "./folds.ts";
import type { Line, Page } from "./lines.ts";

/** What stands in a line of the screen, or in several: a step's head, a line of output, or that something could not be kept. */
export type Row =
  | { kind: "step"; key: string; offsetBytes: number; step: number; isFolded: boolean }
  | { kind: "line"; key: string; offsetBytes: number; line: Line }
  | { kind: "lost"; key: string; offsetBytes: number; lostBytes: number };

export type Metrics = {
  rowPx: number;
  /** Null: steps have no heads. */
  stepPx: number | null;
  /** So many characters fit in a row; null: lines are not wrapped. */
  columns: number | null;
};

/** A page as rows; `tops` are theirs within it, and last its height. */
export type PageRows = { page: Page; rows: Row[]; tops: number[] };

/** `measuredPx`: of rows that turned out to be of another height than they were estimated, by key. */
export function layOut(
  page: Page,
  { visible, metrics, measuredPx }: { visible: VisiblePages; metrics: Metrics; measuredPx: ReadonlyMap<string, number> },
): PageRows {
  const rows = page.lines.flatMap((line) => rowsOf(line, { visible, hasHeads: metrics.stepPx !== null }));
  const tops = [0];
  for (const [index, row] of rows.entries()) tops.push((tops[index] ?? 0) + (measuredPx.get(row.key) ?? estimatedPx(row, metrics)));
  return { page, rows, tops };
}

export function heightPx({ tops }: PageRows): number {
  return tops.at(-1) ?? 0;
}

/** The last row that begins at or above it. */
export function indexAt({ tops }: PageRows, px: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((tops[middle] ?? 0) <= px) low = middle;
    else high = middle;
  }
  return low;
}

function rowsOf(line: Line, { visible, hasHeads }: { visible: VisiblePages; hasHeads: boolean }): Row[] {
  const { offsetBytes, isStepStart, step, lostBytes } = line;
  const isFolded = visible.isFolded(line);
  return [
    ...(hasHeads && isStepStart && step !== null ? [{ kind: "step" as const, key: `s${offsetBytes}`, offsetBytes, step, isFolded }] : []),
    ...(lostBytes > 0 ? [{ kind: "lost" as const, key: `g${offsetBytes}`, offsetBytes, lostBytes }] : []),
    ...(isFolded ? [] : [{ kind: "line" as const, key: `l${offsetBytes}`, offsetBytes, line }]),
  ];
}

/** Without having been measured. */
export function estimatedPx(row: Row, { rowPx, stepPx, columns }: Metrics): number {
  switch (row.kind) {
    case "step":
      return stepPx ?? 0;
    case "lost":
      return rowPx;
    case "line":
      return columns === null ? rowPx : rowPx * Math.max(1, Math.ceil(row.line.length / columns));
  }
}
