import { pageBytes } from "./lines.ts";

/** A folded step, from its first byte to the start of the next step. Lines that the step writes after that are hidden one by one. */
export type Fold = { step: number; startBytes: number; endBytes: number };

/** The pages that are visible: not entirely inside a fold. */
export class VisiblePages {
  readonly #folds: readonly Fold[];

  constructor(folds: readonly Fold[]) {
    this.#folds = folds.toSorted((a, b) => a.startBytes - b.startBytes);
  }

  isFolded({ offsetBytes, step }: { offsetBytes: number; step: number | null }): boolean {
    return this.#folds.some((fold) => fold.step === step || (offsetBytes >= fold.startBytes && offsetBytes < fold.endBytes));
  }

  isHidden(number: number): boolean {
    return this.at(this.positionOf(number)) !== number;
  }

  /** How many of the first `pageCount` pages are visible. */
  count(pageCount: number): number {
    return pageCount - this.#hiddenBelow(pageCount);
  }

  /** The number of visible pages before this one. */
  positionOf(number: number): number {
    return number - this.#hiddenBelow(number);
  }

  /** The page at this position, counted in visible pages. */
  at(position: number): number {
    let number = position;
    for (const { first, last } of this.#hidden()) if (first <= number) number += last - first + 1;
    return number;
  }

  /** The next visible page; it may be beyond the last page of the output. */
  next(number: number): number {
    return this.at(this.positionOf(number) + 1);
  }

  /** The previous visible page, -1 where there is none. */
  previous(number: number): number {
    const position = this.positionOf(number);
    return position === 0 ? -1 : this.at(position - 1);
  }

  #hiddenBelow(number: number): number {
    let hidden = 0;
    for (const { first, last } of this.#hidden()) if (first < number) hidden += Math.min(last, number - 1) - first + 1;
    return hidden;
  }

  /** All pages of a fold but the one with its first line and the one in which the fold ends. */
  #hidden(): { first: number; last: number }[] {
    return this.#folds.flatMap(({ startBytes, endBytes }) => {
      const first = Math.floor(startBytes / pageBytes) + 1;
      const last = Math.floor(endBytes / pageBytes) - 1;
      return last < first ? [] : [{ first, last }];
    });
  }
}
