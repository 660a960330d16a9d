import { pageBytes } from "./lines.ts";

/** What is folded away of an output: a step, from its first byte to where the next one begins. What it wrote later is hidden line by line. */
export type Fold = { step: number; startBytes: number; endBytes: number };

/** Which pages are left, when those that lie within folds are left out. */
export class VisiblePages {
  readonly #folds: readonly Fold[];

  constructor(folds: readonly Fold[]) {
    this.#folds = folds.toSorted((a, b) => a.startBytes - b.startBytes);
  }

  isFolded({ offsetBytes, step }: { offsetBytes: number; step: number | null }): boolean {
    return this.#folds.some((fold) => fold.step === step || (offsetBytes >= fold.startBytes && offsetBytes < fold.endBytes));
  }

  /** Of so many pages. */
  count(pageCount: number): number {
    return pageCount - this.#hiddenBelow(pageCount);
  }

  /** The visible pages before it. */
  positionOf(number: number): number {
    return number - this.#hiddenBelow(number);
  }

  /** The page at this position, counted in visible ones. */
  at(position: number): number {
    let number = position;
    for (const { first, last } of this.#hidden()) if (first <= number) number += last - first + 1;
    return number;
  }

  /** The visible page nearest behind it, and before it; which may be beyond the last, or below 0. */
  next(number: number): number {
    return this.at(this.positionOf(number) + 1);
  }

  previous(number: number): number {
    const position = this.positionOf(number);
    return position === 0 ? -1 : this.at(position - 1);
  }

  #hiddenBelow(number: number): number {
    let hidden = 0;
    for (const { first, last } of this.#hidden()) if (first < number) hidden += Math.min(last, number - 1) - first + 1;
    return hidden;
  }

  /** Of a fold all pages but the one with its first line and, where it ends within it, the last. */
  #hidden(): { first: number; last: number }[] {
    return this.#folds.flatMap(({ startBytes, endBytes }) => {
      const first = Math.floor(startBytes / pageBytes) + 1;
      const last = Math.floor(endBytes / pageBytes) - 1;
      return last < first ? [] : [{ first, last }];
    });
  }
}
