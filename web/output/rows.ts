import type { VisiblePages } from "./folds.ts";
import type { Line, Page } from "./lines.ts";

/** A row of the log: the header of a step, a line of output (several screen lines when wrapped), or a note that output was lost. */
export type Row =
  | { kind: "step"; key: string; offsetBytes: number; step: number; isFolded: boolean }
  | { kind: "line"; key: string; offsetBytes: number; line: Line }
  | { kind: "lost"; key: string; offsetBytes: number; lostBytes: number };

export type Metrics = {
  rowPx: number;
  /** Height of a step's header; null: steps have no headers. */
  stepPx: number | null;
  /** Characters that fit in a row; null: lines are not wrapped. */
  columns: number | null;
};

/** A page as rows. `tops`: the top of each row within the page, and last the height of the page. */
export type PageRows = { page: Page; rows: readonly Row[]; tops: readonly number[]; measuredPx: ReadonlyMap<string, number> };

/** `measuredPx`: real heights by key, of the rows whose estimate was wrong. */
export function layOut(
  page: Page,
  { visible, metrics, measuredPx }: { visible: VisiblePages; metrics: Metrics; measuredPx: ReadonlyMap<string, number> },
): PageRows {
  const rows = page.lines.flatMap((line) => rowsOf(line, { visible, hasHeaders: metrics.stepPx !== null }));
  const tops = [0];
  for (const [index, row] of rows.entries()) tops.push((tops[index] ?? 0) + (measuredPx.get(row.key) ?? estimatedPx(row, metrics)));
  return { page, rows, tops, measuredPx };
}

export function heightPx({ tops }: PageRows): number {
  return tops.at(-1) ?? 0;
}

/** The last row that begins at or above this pixel. */
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

function rowsOf(line: Line, { visible, hasHeaders }: { visible: VisiblePages; hasHeaders: boolean }): Row[] {
  const { offsetBytes, isStepStart, step, lostBytes } = line;
  const isFolded = visible.isFolded(line);
  return [
    ...(hasHeaders && isStepStart && step !== null ? [{ kind: "step" as const, key: `s${offsetBytes}`, offsetBytes, step, isFolded }] : []),
    ...(lostBytes > 0 ? [{ kind: "lost" as const, key: `g${offsetBytes}`, offsetBytes, lostBytes }] : []),
    ...(isFolded || line.isOverwritten ? [] : [{ kind: "line" as const, key: `l${offsetBytes}`, offsetBytes, line }]),
  ];
}

/** The height before the row is measured. */
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
