import { effect, type Signal, signal } from "@preact/signals";
import type { Client, Job, WholeJob } from "../../../src/client/index.ts";
import type { Fold } from "../../output/folds.ts";
import { LogWindow } from "../../output/log-window.ts";
import { Output } from "../../output/output.ts";
import { OutputSearch } from "../../output/search.ts";
import { copiedText, mostCopiedBytes } from "../../output/copied.ts";
import { LogSelection, type LogRange, ordered } from "../../output/selection.ts";
import { StepStarts } from "../../output/step-starts.ts";
import { write } from "../../parts/copy.tsx";
import { say, sayProblem } from "../../parts/toasts.tsx";
import type { LogTarget } from "../../route.ts";
import { bytesText, clockText, isActive } from "../../service/format.ts";
import { failingStep } from "./failing-step.ts";

/** The view of a job's output: what is shown and how, and the updates. */
export class OutputView {
  readonly output: Output;
  readonly window: LogWindow;
  readonly search: OutputSearch;
  readonly selection = new LogSelection();
  readonly folds = signal<ReadonlyMap<number, Fold>>(new Map());
  readonly isWrapped = remembered("jobrunner.wrap");
  readonly hasTimes = remembered("jobrunner.times");
  readonly #starts: StepStarts;
  #job: WholeJob | null = null;
  #onFinished: (job: Job) => void = () => undefined;
  #isFollowing = false;
  /** What the address names to be shown first; null: nothing. */
  #first: LogTarget | null = null;
  /** Resolves when the first target is found; null before the size of the output is known. */
  #shown: Promise<void> | null = null;

  constructor(source: { client: Client; id: string }) {
    this.output = new Output(source);
    this.window = new LogWindow(this.output);
    this.search = new OutputSearch(source);
    this.#starts = new StepStarts(source);
  }

  /**
   * A hidden tab does not follow the output, because browsers allow only six connections to a service. `onFinished` is called with the
   * outcome. Returns the function that ends the updates.
   */
  start(onFinished: (job: Job) => void): () => void {
    this.#onFinished = onFinished;
    const onVisibility = (): void => (document.visibilityState === "visible" ? this.#keepUp() : this.output.stop());
    document.addEventListener("visibilitychange", onVisibility);
    this.#keepUp();
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      this.output.stop();
      this.search.stop();
    };
  }

  know(job: WholeJob): void {
    this.#job = job;
    this.#keepUp();
  }

  /** Null: no particular position. */
  showTarget(target: LogTarget | null): void {
    this.#first = target;
    if (this.#shown !== null && target !== null) void this.#toTarget(target);
  }

  toOffset(offsetBytes: number, { isLast = false } = {}): void {
    for (const { step, startBytes, endBytes } of this.folds.value.values())
      if (offsetBytes >= startBytes && offsetBytes < endBytes) this.#unfold(step);
    this.window.toOffset(offsetBytes, { isLast });
  }

  /** The offset of the line in the page's address; null: there is none. */
  get chosen(): number | null {
    return this.#first?.kind === "byte" ? this.#first.offsetBytes : null;
  }

  /** The selected range, or else the lines of the address, or else the whole output. */
  get wanted(): LogRange {
    const lines = this.#first?.kind === "byte" && this.#first.lastBytes > this.#first.offsetBytes ? this.#first : null;
    const start = { offsetBytes: lines?.offsetBytes ?? 0, column: 0 };
    return this.selection.range.value ?? { anchor: start, focus: { offsetBytes: lines?.lastBytes ?? Infinity, column: Infinity } };
  }

  /** The first and last line of the selection, for an address. */
  get selectedLines(): LogTarget | null {
    if (this.selection.range.value === null) return null;
    const { start, end } = ordered(this.selection.range.value);
    const endBytes = Math.max(0, (this.output.sizeBytes.value ?? 0) - 1);
    return { kind: "byte", offsetBytes: start.offsetBytes, lastBytes: Math.min(end.offsetBytes, endBytes) };
  }

  /** Copies the wanted range to the clipboard: only the output, with times if they are shown. */
  async copy(): Promise<void> {
    const { signal } = new AbortController();
    const timeOf = (time: string | null): string => (this.hasTimes.value && time !== null ? `${clockText(time)} ` : "");
    try {
      const { text, lineCount, restBytes } = await copiedText(this.output, this.wanted, { timeOf, signal });
      await write(text);
      const lines = `${lineCount.toLocaleString("en")} ${lineCount === 1 ? "line" : "lines"}`;
      if (restBytes === 0) say(`${lines} copied`);
      else say(`The first ${bytesText(mostCopiedBytes)} copied (${lines}). ${bytesText(restBytes)} left out: download the output instead`);
    } catch (error) {
      sayProblem(error);
    }
  }

  /** Call after an error. */
  tryAgain(): void {
    this.#keepUp();
    this.window.grew();
  }

  async toggleFold(step: number): Promise<void> {
    if (this.folds.value.has(step)) return this.#unfold(step);
    const job = this.#job;
    const startBytes = await this.#startOf(step);
    if (job === null || startBytes === null) return;
    const endBytes = (await this.#starts.behind(step, job).catch(sayProblem)) ?? Infinity;
    this.#fold(new Map([...this.folds.value, [step, { step, startBytes, endBytes }]]));
  }

  /** A finished job that failed opens at the last lines of the step that failed, others at their end. */
  async #toFirst(): Promise<void> {
    const failed = this.#job === null || isActive(this.#job) ? null : failingStep(this.#job);
    const target = this.#first ?? (failed === null ? null : { kind: "step-end" as const, number: failed.Number });
    if (target !== null) await this.#toTarget(target);
  }

  async #toTarget(target: LogTarget): Promise<void> {
    if (target.kind === "step-end") {
      const behindBytes = this.#job === null ? null : await this.#starts.behind(target.number, this.#job).catch(sayProblem);
      return behindBytes === null || behindBytes === undefined || behindBytes === 0
        ? this.window.toEnd()
        : this.toOffset(behindBytes - 1, { isLast: true });
    }
    const offsetBytes = target.kind === "byte" ? target.offsetBytes : await this.#startOf(target.number);
    if (offsetBytes === null) return this.window.toEnd();
    this.toOffset(offsetBytes);
  }

  async #startOf(step: number): Promise<number | null> {
    if (this.#job === null) return null;
    return (await this.#starts.of(step, this.#job).catch(sayProblem)) ?? null;
  }

  #unfold(step: number): void {
    this.#fold(new Map([...this.folds.value].filter(([own]) => own !== step)));
  }

  #fold(folds: ReadonlyMap<number, Fold>): void {
    this.folds.value = folds;
    this.window.fold([...folds.values()]);
  }

  #keepUp(): void {
    if (this.#job === null || document.visibilityState !== "visible" || this.#isFollowing) return;
    if (isActive(this.#job)) void this.#follow();
    else if (this.output.isGrowing.value) this.#close(this.#job);
  }

  async #follow(): Promise<void> {
    this.#isFollowing = true;
    const job = await this.output.follow(() => this.#grew());
    this.#isFollowing = false;
    if (job === null) return;
    this.#close(job);
    this.#onFinished(job);
  }

  #close(job: Job): void {
    this.output.close(job);
    this.#grew();
  }

  #grew(): void {
    this.search.grew(this.output.sizeBytes.value ?? 0);
    this.#boundLastFold();
    this.#shown ??= this.#toFirst();
    void this.#shown.then(() => this.window.grew());
  }

  /** A fold that reaches the end is closed when another step begins to write. */
  #boundLastFold(): void {
    const job = this.#job;
    for (const fold of this.folds.value.values()) {
      if (
        fold.endBytes !== Infinity ||
        job === null ||
        !job.Steps.some(({ Number, StartedAt }) => Number > fold.step && StartedAt !== null)
      )
        continue;
      void this.#bound(fold, job);
    }
  }

  async #bound(fold: Fold, job: WholeJob): Promise<void> {
    const endBytes = (await this.#starts.behind(fold.step, job).catch(sayProblem)) ?? null;
    if (endBytes === null || this.folds.value.get(fold.step) !== fold) return;
    this.#fold(new Map([...this.folds.value, [fold.step, { ...fold, endBytes }]]));
  }
}

/** Stored in this browser, for all jobs. */
function remembered(key: string): Signal<boolean> {
  const chosen = signal(localStorage.getItem(key) === "true");
  effect(() => localStorage.setItem(key, String(chosen.value)));
  return chosen;
}
