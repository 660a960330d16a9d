/** How long work for readers may keep the event loop in one turn. */
const sliceMs = 5;

/**
 * Divides work for readers over turns of the event loop, first come first served. Hundreds of readers may come in one turn, and encoding a
 * chunk takes up to a millisecond for each.
 */
export class Slices {
  readonly #waiting: (() => void)[] = [];
  #spentMs = 0; // in this turn
  #isNextAsked = false;

  /** Does the work as soon as a turn has time for it. Resolves with its result, or rejects with its error. */
  run<Result>(work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      this.#workOn();
    });
  }

  #workOn(): void {
    while (this.#spentMs < sliceMs) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const startMs = performance.now();
      next();
      this.#spentMs += performance.now() - startMs;
    }
    if (this.#isNextAsked) return;
    this.#isNextAsked = true;
    setImmediate(() => {
      this.#isNextAsked = false;
      this.#spentMs = 0;
      if (this.#waiting.length > 0) this.#workOn();
    });
  }
}
