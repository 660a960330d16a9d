import { signal } from "@preact/signals";
import type { Fold } from "./folds.ts";
import { type Page, pageBytes } from "./lines.ts";
import type { Output } from "./output.ts";
import { PageStack } from "./page-stack.ts";
import { heightPx, type Metrics, type PageRows, type Row } from "./rows.ts";

const spareRowsPx = 300;
/** A page is asked for so long before it is seen. */
const aheadPx = 8000;
/** Whoever scrolls by less at once turns a wheel, and means so many pixels; by more one moves the scroll bar, and means a share of the whole. */
const mostByWheelPx = 8000;

export type Frame = {
  heightPx: number;
  /** Of the first of the rows. */
  topPx: number;
  rows: readonly Row[];
  /** Where it is to be scrolled to, so that what is looked at stays where it is. */
  scrollTopPx: number;
  isLoading: boolean;
};

/**
 * What is seen of an output: a few pages around what is looked at, laid out to the pixel, and above and below them room in proportion to the rest. Rows that
 * come or change above what is looked at do not move it. Whoever scrolls into the room above or below them is shown the pages that belong there.
 */
export class LogWindow {
  readonly frame = signal<Frame>({ heightPx: 0, topPx: 0, rows: [], scrollTopPx: 0, isLoading: true });
  readonly problem = signal<string | null>(null);
  /** Whether one came to where one is from the pages at hand, by so many pixels. */
  #isNear = false;
  /** Whether the end is to be seen, however much comes. */
  readonly isAtEnd = signal(false);
  readonly #output: Output;
  readonly #stack: PageStack;
  #viewportPx = 600;
  #scrollTopPx = 0;
  /** Above the pages, as they were drawn last: by now there may be more of them. */
  #drawnRoomPx = 0;
  #loading: { number: number; controller: AbortController; page: Promise<Page | null> } | null = null;

  constructor(output: Output) {
    this.#output = output;
    this.#stack = new PageStack(output);
  }

  resize(viewportPx: number, metrics: Metrics): void {
    this.#viewportPx = viewportPx;
    this.#stack.setMetrics(metrics);
    this.#layOutAnew();
  }

  fold(folds: readonly Fold[]): void {
    this.#stack.setFolds(folds);
    this.#layOutAnew();
  }

  /** As it is estimated, or was measured. */
  heightOf(row: Row): number {
    return this.#stack.heightOf(row);
  }

  /** Rows as they turned out, in pixels, by key. */
  measured(heights: ReadonlyMap<string, number>): void {
    this.#stack.setMeasured(heights);
    this.#layOutAnew();
  }

  /** Whoever looks at it scrolled there. */
  scrolled(scrollTopPx: number): void {
    const isByWheel = Math.abs(scrollTopPx - this.#scrollTopPx) < mostByWheelPx;
    this.#isNear = isByWheel && (this.#isNear || !this.#isBlank());
    this.#scrollTopPx = scrollTopPx;
    this.isAtEnd.value = false;
    this.#draw();
    void this.#fill();
  }

  async toStart(): Promise<void> {
    this.isAtEnd.value = false;
    await this.#show(this.#stack.visible.at(0), () => (this.#scrollTopPx = 0));
  }

  /** And stays there, until somebody scrolls. */
  async toEnd(): Promise<void> {
    this.isAtEnd.value = true;
    await this.#show(this.#stack.lastPage, () => undefined);
  }

  /** Shows the line with this byte, some way down. */
  async toOffset(offsetBytes: number): Promise<void> {
    this.isAtEnd.value = false;
    const number = Math.min(Math.floor(offsetBytes / pageBytes), this.#stack.lastPage);
    const isBefore = (): boolean => (this.#stack.find(offsetBytes)?.row.offsetBytes ?? Infinity) > offsetBytes;
    await this.#show(number, () => this.#scrollTo(offsetBytes));
    // The line may have begun in the page before.
    if (number > 0 && isBefore()) await this.#show(this.#stack.visible.previous(number), () => this.#scrollTo(offsetBytes));
  }

  /** More has come, or it is known now how much there is. */
  grew(): void {
    if (this.isAtEnd.value) return void this.toEnd();
    const top = this.#stack.rowAt(this.#scrollTopPx, this.#drawnRoomPx);
    this.#keepPlace(() => this.#stack.refresh());
    if (this.#stack.pages.length === 0) void this.toOffset(top?.row.offsetBytes ?? 0);
    else void this.#fill();
  }

  #scrollTo(offsetBytes: number): void {
    const found = this.#stack.find(offsetBytes);
    if (found !== null) this.#scrollTopPx = Math.max(0, found.topPx - this.#viewportPx / 3);
  }

  /** Makes sure that the page is at hand, and that it is scrolled as `scroll` says. */
  async #show(number: number, scroll: () => void): Promise<void> {
    if (this.#output.pageCount === 0) return this.#draw();
    this.#stack.refresh();
    const last = this.#stack.pages.at(-1);
    const isNext = last !== undefined && this.#stack.visible.next(last.page.number) === number && this.#output.at(number) !== null;
    const isAtHand = isNext || this.#stack.pages.some(({ page }) => page.number === number);
    if (!isAtHand) {
      const rows = await this.#load(number);
      if (rows === null) return;
      this.#stack.pages = [rows];
    } else {
      const page = isNext ? this.#output.at(number) : null;
      if (page !== null) this.#stack.insert(this.#stack.rowsOf(page), this.#place());
    }
    scroll();
    this.#draw();
    await this.#fill();
    if (isAtHand) return;
    scroll(); // by now there is something around it
    this.#draw();
  }

  /** Brings the pages that are missing around what is looked at, and lets go of those that are far from it. */
  async #fill(): Promise<void> {
    for (let isBlank = this.#isBlank(); ; isBlank = this.#isBlank()) {
      const wanted = isBlank ? this.#pageHere() : this.#missing();
      if (wanted === null || wanted === undefined) return;
      const rows = await this.#load(wanted);
      if (rows === null) return;
      if (isBlank && this.#isBlank()) this.#jump(rows);
      else this.#keepPlace(() => this.#stack.insert(rows, this.#place()));
    }
  }

  #place(): { scrollTopPx: number; viewportPx: number } {
    return { scrollTopPx: this.#scrollTopPx, viewportPx: this.#viewportPx };
  }

  /** Whether one looks at nothing but room. */
  #isBlank(): boolean {
    const top = this.#scrollTopPx - this.#stack.roomPx;
    return this.#stack.pages.length > 0 && (top + this.#viewportPx <= 0 || top >= this.#stack.pagesPx);
  }

  #missing(): number | undefined {
    const first = this.#stack.pages[0]?.page.number;
    const last = this.#stack.pages.at(-1)?.page.number;
    if (first === undefined || last === undefined) return undefined;
    const top = this.#scrollTopPx - this.#stack.roomPx;
    const marginPx = Math.max(this.#viewportPx * 1.5, aheadPx);
    const previous = this.#stack.visible.previous(first);
    const next = this.#stack.visible.next(last);
    if (top < marginPx && previous >= 0) return previous;
    return top + this.#viewportPx > this.#stack.pagesPx - marginPx && next <= this.#stack.lastPage ? next : undefined;
  }

  /** The page that belongs where it is scrolled to. */
  #pageHere(): number {
    return this.#stack.visible.at(Math.floor(this.#positionHere()));
  }

  /** In visible pages: so far from those at hand, or in proportion. */
  #positionHere(): number {
    const count = this.#stack.visible.count(this.#output.pageCount);
    const top = this.#scrollTopPx - this.#stack.roomPx;
    const [first, last] = [this.#stack.pages[0], this.#stack.pages.at(-1)].map((rows) =>
      this.#stack.visible.positionOf(rows?.page.number ?? 0),
    );
    const share = this.#scrollTopPx / Math.max(1, this.#stack.wholePx - this.#viewportPx);
    const beyondPx = top < 0 ? top : top - this.#stack.pagesPx;
    const position = this.#isNear ? (top < 0 ? (first ?? 0) : (last ?? 0) + 1) + beyondPx / this.#stack.averagePx : share * count;
    return Math.min(count - 1e-6, Math.max(0, position));
  }

  #jump(rows: PageRows): void {
    const within = this.#positionHere() % 1;
    this.#stack.pages = [rows];
    this.#scrollTopPx = this.#stack.roomPx + within * Math.max(0, heightPx(rows) - this.#viewportPx);
    this.#draw();
  }

  /** Null: something else is wanted by now, or it cannot be had, which is said. */
  async #load(number: number): Promise<PageRows | null> {
    const known = this.#output.at(number);
    if (known !== null) return this.#stack.rowsOf(known);
    if (this.#loading?.number !== number) {
      this.#loading?.controller.abort();
      const controller = new AbortController();
      this.#loading = { number, controller, page: this.#ask(number, controller.signal) };
      if (this.#isBlank()) this.#draw();
    }
    const loading = this.#loading;
    const page = await loading.page;
    if (this.#loading === loading) this.#loading = null;
    return page === null || loading.controller.signal.aborted ? null : this.#stack.rowsOf(page);
  }

  async #ask(number: number, signal: AbortSignal): Promise<Page | null> {
    try {
      const page = await this.#output.load(number, signal);
      this.problem.value = null;
      return page;
    } catch (error) {
      if (!signal.aborted) this.problem.value = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  #layOutAnew(): void {
    this.#keepPlace(() => this.#stack.layOutAnew());
    void this.#fill();
  }

  /** The row at the top stays where it is, whatever is changed. */
  #keepPlace(change: () => void): void {
    const before = this.#stack.rowAt(this.#scrollTopPx, this.#drawnRoomPx);
    change();
    if (before !== null) {
      const found = this.#stack.find(before.row.offsetBytes);
      const isSame = found?.row.offsetBytes === before.row.offsetBytes;
      if (found !== null) this.#scrollTopPx = Math.max(0, found.topPx + (isSame ? this.#scrollTopPx - before.topPx : 0));
    }
    this.#draw();
  }

  #draw(): void {
    const wholePx = this.#stack.wholePx;
    if (this.isAtEnd.value) this.#scrollTopPx = Math.max(0, wholePx - this.#viewportPx);
    const fromPx = this.#scrollTopPx - spareRowsPx;
    const toPx = this.#scrollTopPx + this.#viewportPx + spareRowsPx;
    this.#drawnRoomPx = this.#stack.roomPx;
    const { rows, topPx } = this.#stack.rowsBetween(fromPx, toPx);
    this.frame.value = {
      heightPx: wholePx,
      topPx,
      rows,
      scrollTopPx: this.#scrollTopPx,
      isLoading: this.#loading !== null && this.#isBlank(),
    };
  }
}
