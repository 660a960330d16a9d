import type { OutputWatchers } from "./watcher.ts";

export type WaitingOptions = {
  path: string; // of the file that the reader waits for
  watchers: OutputWatchers;
  follow: boolean;
  isFinished: () => boolean;
  signal: AbortSignal;
};

/** The wait of one reader for more output. A wake that comes while the reader is busy is kept for its next wait. */
export class Waiting implements Disposable {
  readonly #options: WaitingOptions;
  readonly #unsubscribe: () => void;
  readonly #onAbort = (): void => this.#wake();
  #isDue = false;
  #resume: () => void = () => undefined;

  constructor(options: WaitingOptions) {
    this.#options = options;
    const watches = options.follow && !options.isFinished();
    this.#unsubscribe = watches ? options.watchers.subscribe(options.path, () => this.#wake()) : () => undefined;
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Call before checking for more output. If this is true, output that the check does not find will never come. The order matters, because
   * a job may write and end between the check and this call.
   */
  isLastCheck(): boolean {
    return !this.#options.follow || this.isAborted || this.isFinished();
  }

  get isAborted(): boolean {
    return this.#options.signal.aborted;
  }

  get follows(): boolean {
    return this.#options.follow;
  }

  isFinished(): boolean {
    return this.#options.isFinished();
  }

  /** Resolves when there may be more, or after `limitMs`. */
  async more(limitMs = Infinity): Promise<"woken" | "idle"> {
    if (!this.#isDue) await this.#sleep(limitMs);
    if (!this.#isDue) return "idle";
    this.#isDue = false;
    return "woken";
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#options.signal.removeEventListener("abort", this.#onAbort);
  }

  async #sleep(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    const timer = Number.isFinite(limitMs) ? setTimeout(resolve, limitMs) : undefined;
    await promise;
    clearTimeout(timer);
  }

  #wake(): void {
    this.#isDue = true;
    this.#resume();
  }
}
