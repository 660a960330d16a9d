import type { LogWindow } from "./log-window.ts";

/** Browsers round scroll positions. */
const roundingPx = 1.5;
/** For browsers without the event `scrollend`: a scroll without events for this long is over. */
const restMs = 200;

/**
 * The element that the reader scrolls. The only place where the scroll position of the DOM is read or written. It tells scrolls by the
 * reader from those by the browser and by the page: only the former change the window.
 *
 *     resting ──the reader scrolls──▶ scrolling ──scrollend──▶ resting
 *
 * While the reader scrolls, the browser animates the position, and does not end where it should if the position is set meanwhile. So then
 * the lines are shifted instead, and the shift becomes part of the position at the end of the scroll.
 */
export class ScrollBox {
  readonly #element: HTMLElement;
  readonly #window: LogWindow;
  /** The scroll position that the window knows of. */
  #knownPx: number;
  /** The lines are this much higher than the window says. */
  #shiftPx = 0;
  #restTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(element: HTMLElement, window: LogWindow) {
    this.#element = element;
    this.#window = window;
    this.#knownPx = element.scrollTop;
  }

  /** Call on each scroll event. */
  onScroll(): void {
    const movedPx = this.#movedPx();
    const { scrollTop } = this.#element;
    // Moves too small to tell from rounding are not accepted as known, so that several of them in a row count.
    this.#knownPx = movedPx === 0 ? Math.min(this.#knownPx, this.#lowestPx()) : scrollTop;
    if (movedPx === 0) return;
    this.#scrolls();
    this.#window.scroll(movedPx, { isDownToBottom: movedPx > 0 && scrollTop + this.#shiftPx >= this.#lowestPx() - 2 });
  }

  /** Call on each `scrollend` event. */
  onScrollEnd(): void {
    if (this.#restTimer === null) return;
    clearTimeout(this.#restTimer);
    this.#restTimer = null;
    this.#settle();
  }

  /**
   * Scrolls to where the window wants it. Call when the rows are in the document, before they are painted. A scroll by the reader whose
   * event has not come yet is kept.
   */
  scrollTo(scrollTopPx: number): void {
    const movedPx = this.#movedPx();
    const wantedPx = scrollTopPx + movedPx;
    const { scrollTop } = this.#element;
    const isNearEdge = scrollTop < this.#element.clientHeight || scrollTop > this.#lowestPx() - this.#element.clientHeight;
    if (this.#restTimer !== null && !isNearEdge) return this.#shift(wantedPx - scrollTop);
    this.#shift(0);
    this.#knownPx = scrollTopPx;
    if (Math.abs(scrollTop - wantedPx) < roundingPx) return; // a difference that may grow until it counts as a move
    this.#element.scrollTop = wantedPx;
    this.#knownPx = this.#element.scrollTop - movedPx;
  }

  #scrolls(): void {
    if (this.#restTimer !== null) clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => this.onScrollEnd(), restMs);
  }

  #settle(): void {
    const shiftPx = this.#shiftPx;
    if (shiftPx === 0) return;
    const movedPx = this.#movedPx();
    this.#shift(0);
    this.#element.scrollTop += shiftPx;
    this.#knownPx = this.#element.scrollTop - movedPx;
  }

  #shift(shiftPx: number): void {
    if (shiftPx === this.#shiftPx) return;
    this.#shiftPx = shiftPx;
    this.#element.style.setProperty("--shift", `${shiftPx}px`);
  }

  /** How far the reader has scrolled. The browser scrolls by itself when the content shrinks or the element grows: that does not count. */
  #movedPx(): number {
    const movedPx = this.#element.scrollTop - Math.min(this.#knownPx, this.#lowestPx());
    return Math.abs(movedPx) < roundingPx ? 0 : movedPx;
  }

  #lowestPx(): number {
    return this.#element.scrollHeight - this.#element.clientHeight;
  }
}
