import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Fold } from "./folds.ts";
import { rowHeightPx, rowsBetween, wholePx } from "./layout.ts";
import type { Page } from "./lines.ts";
import type { Output } from "./output.ts";
import type { Metrics, Row } from "./rows.ts";
import { type Goal, initialScroll, isFollowing, missingPage, reduce, type ScrollEvent, scrollTopPx } from "./scroll.ts";

/** Rows this far outside the viewport are drawn too. */
const spareRowsPx = 300;
/** A target is shown this share of the viewport below its top. */
const targetShare = 1 / 3;
const lastTargetShare = 3 / 4;

export type Frame = {
  heightPx: number;
  /** Top of the first row. */
  topPx: number;
  rows: readonly Row[];
  scrollTopPx: number;
  isLoading: boolean;
};

/** The part of an output that is on the screen: keeps the scroll state, loads the pages that the state misses, and gives what to draw. */
export class LogWindow {
  readonly frame: ReadonlySignal<Frame>;
  readonly isFollowing: ReadonlySignal<boolean>;
  readonly problem = signal<string | null>(null);
  readonly #output: Output;
  readonly #state = signal(initialScroll);
  readonly #loading = signal<{ number: number; controller: AbortController } | null>(null);

  constructor(output: Output) {
    this.#output = output;
    output.onChange(() => this.grew());
    this.isFollowing = computed(() => isFollowing(this.#state.value));
    this.frame = computed(() => this.#frame());
  }

  resize(viewportPx: number, metrics: Metrics): void {
    this.#dispatch({ kind: "resized", viewportPx, metrics });
  }

  fold(folds: readonly Fold[]): void {
    this.#dispatch({ kind: "folded", folds });
  }

  /** `heights`: real heights of rows in pixels, by key. */
  measure(heights: ReadonlyMap<string, number>): void {
    this.#dispatch({ kind: "measured", heights });
  }

  /** Estimated or measured. */
  heightOf(row: Row): number {
    return rowHeightPx(this.#state.value.layout, row);
  }

  /** The reader scrolled by `byPx`. `isDownToBottom`: down to the lowest position there is. */
  scroll(byPx: number, { isDownToBottom }: { isDownToBottom: boolean }): void {
    this.#dispatch({ kind: "scrolled", byPx, isDownToBottom });
  }

  toStart(): void {
    this.#go({ kind: "target", offsetBytes: 0, share: 1 });
  }

  /** Follows the end until the reader scrolls. */
  toEnd(): void {
    this.#go({ kind: "end" });
  }

  /** Shows the line that has this byte, in the upper part of the viewport; `isLast`: as the last of the lines that matter, lower down. */
  toOffset(offsetBytes: number, { isLast = false } = {}): void {
    this.#go({ kind: "target", offsetBytes, share: isLast ? lastTargetShare : targetShare });
  }

  toggleFollowing(): void {
    if (this.isFollowing.value) this.#dispatch({ kind: "stoppedFollowing" });
    else this.toEnd();
  }

  /** Call when the output has grown, or its size has become known. Loads again what could not be loaded before. */
  grew(): void {
    const current = this.#state.value.layout.pages.flatMap(({ page }) => {
      const known = this.#output.at(page.number) ?? (page.isWhole ? page : null);
      return known === null ? [] : [known];
    });
    this.#dispatch({ kind: "grew", pageCount: this.#output.pageCount, current });
  }

  #go(goal: Goal): void {
    this.#dispatch({ kind: "went", goal });
  }

  #dispatch(event: ScrollEvent): void {
    let state = reduce(this.#state.value, event);
    let missing = missingPage(state);
    for (let page = this.#knownPage(missing); page !== null; page = this.#knownPage(missing)) {
      state = reduce(state, { kind: "loaded", page });
      missing = missingPage(state);
    }
    this.#state.value = state;
    if (missing !== null) void this.#load(missing);
  }

  #knownPage(number: number | null): Page | null {
    return number === null ? null : this.#output.at(number);
  }

  /** One page at a time: the page that is missing most. */
  async #load(number: number): Promise<void> {
    if (this.#loading.value?.number === number) return;
    this.#loading.value?.controller.abort();
    const controller = new AbortController();
    const loading = { number, controller };
    this.#loading.value = loading;
    try {
      const page = await this.#output.load(number, controller.signal);
      if (controller.signal.aborted) return;
      this.#loading.value = null;
      this.problem.value = null;
      this.#dispatch({ kind: "loaded", page });
    } catch (error) {
      if (controller.signal.aborted) return;
      this.#loading.value = null;
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  #frame(): Frame {
    const state = this.#state.value;
    const topPx = scrollTopPx(state);
    const rows = rowsBetween(state.layout, topPx - spareRowsPx, topPx + state.layout.viewportPx + spareRowsPx);
    const isLoading = state.position.kind === "unloaded" && this.#loading.value !== null;
    return { ...rows, heightPx: wholePx(state.layout), scrollTopPx: topPx, isLoading };
  }
}
