import { type Fold, VisiblePages } from "./folds.ts";
import { type Page, pageBytes } from "./lines.ts";
import { estimatedPx, heightPx, indexAt, layOut, type Metrics, type PageRows, type Row } from "./rows.ts";

/** Browsers draw very high elements wrong. The scroll bar of a longer output is in proportion, not exact to the pixel. */
const highestPx = 6_000_000;
const firstAveragePx = pageBytes / 4;

/**
 * The loaded pages of an output, stacked and laid out to the pixel, between two spaces in proportion to the pages that are not loaded.
 * Immutable.
 *
 *        0 ┬ space for the pages above
 *  spacePx ┼ the loaded pages: consecutive visible pages
 *          ┼ space for the pages below
 *  wholePx ┴
 */
export type Layout = {
  /** Number of pages in the whole output. */
  pageCount: number;
  pages: readonly PageRows[];
  visible: VisiblePages;
  metrics: Metrics;
  viewportPx: number;
  /** Moving average of the height of a page. */
  averagePx: number;
};

export type PlacedRow = { row: Row; topPx: number; heightPx: number };

export const emptyLayout: Layout = {
  pageCount: 0,
  pages: [],
  visible: new VisiblePages([]),
  metrics: { rowPx: 20, stepPx: 34, columns: null },
  viewportPx: 600,
  averagePx: firstAveragePx,
};

export function resized(layout: Layout, { viewportPx, metrics }: { viewportPx: number; metrics: Metrics }): Layout {
  if (JSON.stringify(metrics) === JSON.stringify(layout.metrics)) return { ...layout, viewportPx };
  const next = { ...layout, viewportPx, metrics, averagePx: firstAveragePx };
  return laidOut(
    next,
    layout.pages.map(({ page }) => layOut(page, { visible: next.visible, metrics, measuredPx: new Map() })),
  );
}

/** Keeps the loaded pages that stay visible; where an unfolded step leaves a hole between them, those on the side of `keptBytes`. */
export function folded(layout: Layout, folds: readonly Fold[], keptBytes: number): Layout {
  const next = { ...layout, visible: new VisiblePages(folds) };
  const shown = layout.pages.filter(({ page }) => !next.visible.isHidden(page.number));
  const keptPage = pageOfByte(next, keptBytes);
  const kept = Math.max(0, shown.map(({ page }) => page.number).indexOf(keptPage));
  const isAfter = (index: number): boolean => shown[index]?.page.number === next.visible.next(shown[index - 1]?.page.number ?? -1);
  let [first, last] = [kept, kept];
  while (first > 0 && isAfter(first)) first -= 1;
  while (last < shown.length - 1 && isAfter(last + 1)) last += 1;
  return laidOut(
    next,
    shown.slice(first, last + 1).map((rows) => rowsOf(next, rows.page)),
  );
}

/** `heights`: the real heights of rows in pixels, by key. */
export function measured(layout: Layout, heights: ReadonlyMap<string, number>): Layout {
  const pages = layout.pages.map((rows) => {
    const own = rows.rows.flatMap(({ key }) => (heights.has(key) ? [[key, heights.get(key) ?? 0] as const] : []));
    if (own.length === 0) return rows;
    const { visible, metrics } = layout;
    return layOut(rows.page, { visible, metrics, measuredPx: new Map([...rows.measuredPx, ...own]) });
  });
  return laidOut(layout, pages);
}

/** `current`: the loaded pages as they are after the growth. A page that is not among them is dropped, with all pages below it. */
export function grown(layout: Layout, { pageCount, current }: { pageCount: number; current: readonly Page[] }): Layout {
  const pages: PageRows[] = [];
  for (const rows of layout.pages) {
    const page = current.find(({ number }) => number === rows.page.number);
    if (page === undefined) break;
    pages.push(page === rows.page ? rows : rowsOf(layout, page));
  }
  return { ...layout, pageCount, pages };
}

/** Adds a page above or below the loaded ones. A page that is not next to them replaces them all. */
export function withPage(layout: Layout, page: Page): Layout {
  const rows = rowsOf(layout, page);
  const averagePx = layout.averagePx + (heightPx(rows) - layout.averagePx) / 8;
  switch (sideOf(layout, page.number)) {
    case "above":
      return { ...layout, averagePx, pages: [rows, ...layout.pages] };
    case "below":
      return { ...layout, averagePx, pages: [...layout.pages, rows] };
    case "apart":
      return { ...layout, averagePx, pages: [rows] };
  }
}

export function sideOf({ pages, visible }: Layout, number: number): "above" | "below" | "apart" {
  const first = pages[0]?.page.number;
  const last = pages.at(-1)?.page.number;
  if (first === undefined || last === undefined) return "apart";
  return number === visible.previous(first) ? "above" : number === visible.next(last) ? "below" : "apart";
}

/** Drops the pages that are more than `marginPx` above or below the viewport. */
export function trimmed(layout: Layout, { scrollTopPx, marginPx }: { scrollTopPx: number; marginPx: number }): Layout {
  const fromPx = scrollTopPx - marginPx;
  const toPx = scrollTopPx + layout.viewportPx + marginPx;
  const pages = placedPages(layout).filter(({ rows, topPx }) => topPx + heightPx(rows) >= fromPx && topPx <= toPx);
  return pages.length === layout.pages.length || pages.length === 0 ? layout : { ...layout, pages: pages.map(({ rows }) => rows) };
}

/** The last row that begins at or before this byte, or else the first row. */
export function rowOfByte(layout: Layout, offsetBytes: number): PlacedRow | null {
  let found: PlacedRow | null = null;
  for (const { rows, topPx } of placedPages(layout)) {
    const index = rows.rows.findLastIndex((row) => row.offsetBytes <= offsetBytes);
    if (index !== -1 || found === null) found = placedRow(rows, Math.max(0, index), topPx) ?? found;
  }
  return found;
}

/** A step's header and its first line have the same offset: gives the line, also for a pixel of the header. */
export function rowAtPx(layout: Layout, px: number): PlacedRow | null {
  for (const { rows, topPx } of placedPages(layout)) {
    if (px >= topPx + heightPx(rows) || rows.rows.length === 0) continue;
    const offsetBytes = rows.rows[indexAt(rows, px - topPx)]?.offsetBytes;
    return placedRow(
      rows,
      rows.rows.findLastIndex((row) => row.offsetBytes === offsetBytes),
      topPx,
    );
  }
  return null;
}

/** The rows between two heights, and where the first of them begins. */
export function rowsBetween(layout: Layout, fromPx: number, toPx: number): { rows: Row[]; topPx: number } {
  const shown: Row[] = [];
  let firstPx = spacePx(layout);
  for (const { rows, topPx } of placedPages(layout)) {
    if (topPx > toPx || topPx + heightPx(rows) < fromPx) continue;
    const first = indexAt(rows, fromPx - topPx);
    if (shown.length === 0) firstPx = topPx + (rows.tops[first] ?? 0);
    for (let index = first; index < rows.rows.length && topPx + (rows.tops[index] ?? 0) < toPx; index += 1) {
      const row = rows.rows[index];
      if (row !== undefined) shown.push(row);
    }
  }
  return { rows: shown, topPx: firstPx };
}

/** The measured height of a row that is loaded, or else its estimate. */
export function rowHeightPx({ pages, metrics }: Layout, row: Row): number {
  const measuredPx = pages.find(({ page }) => page.number === Math.floor(row.offsetBytes / pageBytes))?.measuredPx.get(row.key);
  return measuredPx ?? estimatedPx(row, metrics);
}

export function pagesPx({ pages }: Layout): number {
  return pages.reduce((sum, rows) => sum + heightPx(rows), 0);
}

export function wholePx(layout: Layout): number {
  return pagesPx(layout) + unloadedPx(layout);
}

/** The height of the space above the loaded pages. */
export function spacePx(layout: Layout): number {
  const first = layout.pages[0];
  const unloaded = visibleCount(layout) - layout.pages.length;
  if (first === undefined || unloaded <= 0) return 0;
  return (unloadedPx(layout) * layout.visible.positionOf(first.page.number)) / unloaded;
}

export function visibleCount({ visible, pageCount }: Layout): number {
  return visible.count(pageCount);
}

/** The number of the last visible page. */
export function lastPage(layout: Layout): number {
  const count = visibleCount(layout);
  return count === 0 ? 0 : layout.visible.at(count - 1);
}

/** The visible page that has this byte; for a byte that is folded away the page with the header of the fold. */
export function pageOfByte(layout: Layout, offsetBytes: number): number {
  const number = Math.min(Math.floor(offsetBytes / pageBytes), lastPage(layout));
  return layout.visible.isHidden(number) ? layout.visible.previous(number) : number;
}

function unloadedPx(layout: Layout): number {
  const unloaded = Math.max(0, visibleCount(layout) - layout.pages.length);
  return Math.min(unloaded * layout.averagePx, Math.max(0, highestPx - pagesPx(layout)));
}

/** With the heights that were measured before. */
function rowsOf({ pages, visible, metrics }: Layout, page: Page): PageRows {
  const measuredPx = pages.find((rows) => rows.page.number === page.number)?.measuredPx ?? new Map();
  return layOut(page, { visible, metrics, measuredPx });
}

function laidOut(layout: Layout, pages: readonly PageRows[]): Layout {
  const averagePx = pages.reduce((average, rows) => average + (heightPx(rows) - average) / 8, layout.averagePx);
  return { ...layout, pages, averagePx };
}

function placedPages(layout: Layout): { rows: PageRows; topPx: number }[] {
  let topPx = spacePx(layout);
  return layout.pages.map((rows) => {
    const placed = { rows, topPx };
    topPx += heightPx(rows);
    return placed;
  });
}

function placedRow(rows: PageRows, index: number, pageTopPx: number): PlacedRow | null {
  const row = rows.rows[index];
  if (row === undefined) return null;
  const topPx = rows.tops[index] ?? 0;
  return { row, topPx: pageTopPx + topPx, heightPx: (rows.tops[index + 1] ?? topPx) - topPx };
}
