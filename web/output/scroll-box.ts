import type { LogWindow } from "./log-window.ts";

/** Browsers round scroll positions. */
const roundingPx = 1.5;

/**
 * The element that the reader scrolls. The only place where the scroll position of the DOM is read or written. It tells scrolls by the
 * reader from those by the browser and by the page: only the former change the window.
 */
export class ScrollBox {
  readonly #element: HTMLElement;
  readonly #window: LogWindow;
  /** The scroll position that the window knows of. */
  #knownPx: number;

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
    if (movedPx !== 0) this.#window.scroll(movedPx, { isDownToBottom: movedPx > 0 && scrollTop >= this.#lowestPx() - 2 });
  }

  /**
   * Scrolls to where the window wants it. Call when the rows are in the document, before they are painted. A scroll by the reader whose
   * event has not come yet is kept.
   */
  scrollTo(scrollTopPx: number): void {
    const movedPx = this.#movedPx();
    const wantedPx = scrollTopPx + movedPx;
    this.#knownPx = scrollTopPx;
    if (Math.abs(this.#element.scrollTop - wantedPx) < roundingPx) return; // a difference that may grow until it counts as a move
    this.#element.scrollTop = wantedPx;
    this.#knownPx = this.#element.scrollTop - movedPx;
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
