import type { Fold } from "./folds.ts";
import { VisiblePages } from "./folds.ts";
import { type Page, pageBytes } from "./lines.ts";
import type { Output } from "./output.ts";
import { heightPx, indexAt, layOut, type Metrics, type PageRows, estimatedPx, type Row } from "./rows.ts";

/** Elements that are higher are not shown right by all browsers; of a long output the scroll bar is in proportion, not to the pixel. */
const highestPx = 6_000_000;
/** Pages that are so many screens away from what is looked at are let go of. */
const farScreens = 5;

export type Placed = { row: Row; topPx: number };

/**
 * The pages of an output that are at hand, one below the other, laid out to the pixel; and above and below them room in proportion to the rest.
 *
 *        0 ┬ room for the pages above
 *   roomPx ┼ the pages at hand, in which one scrolls as anywhere
 *          ┼ room for the pages below
 *  wholePx ┴
 */
export class PageStack {
  pages: readonly PageRows[] = [];
  visible = new VisiblePages([]);
  averagePx = pageBytes / 4;
  readonly #output: Output;
  readonly #measuredPx = new Map<string, number>();
  #metrics: Metrics = { rowPx: 20, stepPx: 34, columns: null };

  constructor(output: Output) {
    this.#output = output;
  }

  setMetrics(metrics: Metrics): void {
    if (JSON.stringify(metrics) === JSON.stringify(this.#metrics)) return;
    this.#metrics = metrics;
    this.#measuredPx.clear();
    this.averagePx = pageBytes / 4;
  }

  setFolds(folds: readonly Fold[]): void {
    this.visible = new VisiblePages(folds);
  }

  setMeasured(heights: ReadonlyMap<string, number>): void {
    for (const [key, px] of heights) this.#measuredPx.set(key, px);
  }

  /** As it is estimated, or was measured. */
  heightOf(row: Row): number {
    return this.#measuredPx.get(row.key) ?? estimatedPx(row, this.#metrics);
  }

  layOutAnew(): void {
    const isHidden = ({ page }: PageRows): boolean => this.visible.at(this.visible.positionOf(page.number)) !== page.number;
    this.pages = this.pages.filter((rows) => !isHidden(rows)).map(({ page }) => this.rowsOf(page));
  }

  rowsOf(page: Page): PageRows {
    const rows = layOut(page, { visible: this.visible, metrics: this.#metrics, measuredPx: this.#measuredPx });
    this.averagePx += (heightPx(rows) - this.averagePx) / 8;
    return rows;
  }

  /** Pages to which more has come; those of which that is not at hand, and all behind them, are let go of. */
  refresh(): void {
    const current = this.pages.map((rows) => {
      const page = rows.page.isWhole ? rows.page : this.#output.at(rows.page.number);
      return page === null || page === rows.page ? { rows, isGone: page === null } : { rows: this.rowsOf(page), isGone: false };
    });
    const gone = current.findIndex(({ isGone }) => isGone);
    this.pages = (gone === -1 ? current : current.slice(0, gone)).map(({ rows }) => rows);
  }

  /** The last row that begins at this byte or before it, else the first; with its place. */
  find(offsetBytes: number): Placed | null {
    let found: Placed | null = null;
    this.#eachPage((rows, topPx) => {
      const index = rows.rows.findLastIndex((row) => row.offsetBytes <= offsetBytes);
      const row = rows.rows[index] ?? (found === null ? rows.rows[0] : undefined);
      if (row !== undefined) found = { row, topPx: topPx + (rows.tops[Math.max(0, index)] ?? 0) };
    });
    return found;
  }

  /** With so much room above the pages; of a head and the line below it, which have the same offset, the line. */
  rowAt(px: number, roomPx: number): Placed | null {
    let topPx = roomPx;
    for (const rows of this.pages) {
      if (px < topPx + heightPx(rows)) {
        const offsetBytes = rows.rows[indexAt(rows, px - topPx)]?.offsetBytes;
        const index = rows.rows.findLastIndex((row) => row.offsetBytes === offsetBytes);
        const row = rows.rows[index];
        return row === undefined ? null : { row, topPx: topPx + (rows.tops[index] ?? 0) };
      }
      topPx += heightPx(rows);
    }
    return null;
  }

  rowsBetween(fromPx: number, toPx: number): { rows: Row[]; topPx: number } {
    const shown: Row[] = [];
    let topPx = this.roomPx;
    this.#eachPage((rows, pageTopPx) => {
      if (pageTopPx > toPx || pageTopPx + heightPx(rows) < fromPx) return;
      const first = indexAt(rows, fromPx - pageTopPx);
      if (shown.length === 0) topPx = pageTopPx + (rows.tops[first] ?? 0);
      for (let index = first; index < rows.rows.length && pageTopPx + (rows.tops[index] ?? 0) < toPx; index += 1) {
        const row = rows.rows[index];
        if (row !== undefined) shown.push(row);
      }
    });
    return { rows: shown, topPx };
  }

  /** Above or below those that are at hand, and lets go of one that is far from what is looked at. */
  insert(rows: PageRows, { scrollTopPx, viewportPx }: { scrollTopPx: number; viewportPx: number }): void {
    const { number } = rows.page;
    const first = this.pages[0]?.page.number;
    const before = this.pages.at(-1)?.page.number;
    if (first === undefined || before === undefined) return;
    if (number !== this.visible.previous(first) && number !== this.visible.next(before)) return; // something else is looked at by now
    this.pages = number < first ? [rows, ...this.pages] : [...this.pages, rows];
    const isFar = (px: number): boolean => px > viewportPx * farScreens;
    const top = scrollTopPx - this.roomPx + (number < first ? heightPx(rows) : 0);
    const [own] = this.pages;
    const last = this.pages.at(-1);
    if (own === undefined || last === undefined || this.pages.length <= 3) return;
    if (number < first && isFar(this.pagesPx - heightPx(last) - top - viewportPx)) this.pages = this.pages.slice(0, -1);
    if (number > first && isFar(top - heightPx(own))) this.pages = this.pages.slice(1);
  }

  get pagesPx(): number {
    return this.pages.reduce((sum, rows) => sum + heightPx(rows), 0);
  }

  get wholePx(): number {
    return this.pagesPx + this.#otherPx();
  }

  /** Of the pages above those at hand. */
  get roomPx(): number {
    const first = this.pages[0];
    const others = this.visible.count(this.#output.pageCount) - this.pages.length;
    if (first === undefined || others <= 0) return 0;
    return (this.#otherPx() * this.visible.positionOf(first.page.number)) / others;
  }

  get lastPage(): number {
    const count = this.visible.count(this.#output.pageCount);
    return count === 0 ? 0 : this.visible.at(count - 1);
  }

  #eachPage(look: (rows: PageRows, topPx: number) => void): void {
    let topPx = this.roomPx;
    for (const rows of this.pages) {
      look(rows, topPx);
      topPx += heightPx(rows);
    }
  }

  /** Of all pages that are not at hand. */
  #otherPx(): number {
    const others = Math.max(0, this.visible.count(this.#output.pageCount) - this.pages.length);
    return Math.min(others * this.averagePx, Math.max(0, highestPx - this.pagesPx));
  }
}
