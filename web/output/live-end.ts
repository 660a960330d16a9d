import type { Client, Job } from "../../src/client/index.ts";
import { beforeBytes, behindBytes, type OutputPiece, type Page, pageBytes, pageOf } from "./lines.ts";
import { type StylePoints, styleOf } from "./style-points.ts";

/** The shortest time between two updates, because each one cuts the last page into lines again. */
const showMs = 100;
/** The page is drawn and handles input at least this often, however much output comes. */
const busyMs = 8;
/** If output comes faster than it can be shown, nobody could read it. When the page is this far behind, it skips to the end. */
const probeBytes = 16 << 20;
const behindLimitBytes = 8 << 20;
/** If many pages come at once, only the last few are cut into lines. Earlier ones are loaded when they are scrolled to. */
const cutAtOnce = 4;

/** The end of an active job's output: the last pages, as they grow. */
export class LiveEnd {
  /** At the last update. */
  sizeBytes = 0;
  #takenBytes = 0;
  readonly #client: Client;
  readonly #id: string;
  readonly #styles: StylePoints;
  /** Contiguous, beginning before the first incomplete page. */
  #pieces: OutputPiece[] = [];
  #isStale = false;
  #isFinished = false;
  #cut: Page[] = [];
  #whole: Page[] = [];
  #nextWhole = 0;

  constructor({ client, id, styles }: { client: Client; id: string; styles: StylePoints }) {
    this.#client = client;
    this.#id = id;
    this.#styles = styles;
  }

  /** Follows the output from its present end on. Gives the outcome; null if the service gave none. Throws what the client throws. */
  async follow({ onGrowth, signal }: { onGrowth: () => void; signal: AbortSignal }): Promise<Job | null> {
    for (let from = await this.#endNow(signal); ;) {
      this.sizeBytes = this.#takenBytes = from;
      this.#pieces = [];
      this.#cut = [];
      this.#nextWhole = Math.max(0, Math.floor(from / pageBytes) - 1);
      onGrowth();
      const result = await this.#followFrom(Math.max(0, this.#nextWhole * pageBytes - beforeBytes), { onGrowth, signal });
      if (result.kind === "over") return result.job;
      from = result.endBytes;
    }
  }

  /** One of the incomplete pages. */
  pageAt(number: number): Page | null {
    return this.#lastPages().find((page) => page.number === number) ?? null;
  }

  /** Call when a style became known: the incomplete pages are cut again when they are asked for. */
  restyle(): void {
    this.#isStale = true;
  }

  /** Complete pages, each given once. */
  takeWhole(): Page[] {
    const whole = this.#whole;
    this.#whole = [];
    return whole;
  }

  async #followFrom(
    offsetBytes: number,
    { onGrowth, signal }: { onGrowth: () => void; signal: AbortSignal },
  ): Promise<{ kind: "over"; job: Job | null } | { kind: "behind"; endBytes: number }> {
    let shownMs = 0;
    let breathMs = performance.now();
    let probedBytes = offsetBytes;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = (): void => {
      timer = null;
      shownMs = performance.now();
      this.sizeBytes = this.#takenBytes;
      this.#isStale = true;
      this.#settle();
      onGrowth();
    };
    // The style that holds here may have been set far before: the lines are shown, and shown again when it is known.
    void this.#styles.ask(offsetBytes, signal).then(
      () => (timer ??= setTimeout(show)),
      () => undefined, // shown without
    );
    try {
      for await (const piece of this.#client.attach(this.#id, { offsetBytes, signal })) {
        if (piece.kind === "outcome") {
          this.#isFinished = true;
          return { kind: "over", job: piece.job };
        }
        this.#add(piece);
        timer ??= setTimeout(show, Math.max(0, shownMs + showMs - performance.now()));
        if (performance.now() - breathMs < busyMs) continue;
        await new Promise((resolve) => setTimeout(resolve));
        breathMs = performance.now();
        if (this.#takenBytes - probedBytes < probeBytes) continue;
        probedBytes = this.#takenBytes;
        const endBytes = await this.#endNow(signal);
        if (endBytes - this.#takenBytes > behindLimitBytes) return { kind: "behind", endBytes };
      }
      return { kind: "over", job: null };
    } finally {
      if (timer !== null) clearTimeout(timer);
      if (timer !== null || this.#isFinished) show();
    }
  }

  #add(piece: OutputPiece): void {
    this.#pieces.push(piece);
    this.#takenBytes = Math.max(this.#takenBytes, endOf(piece));
  }

  /** Cuts the pages that are complete, and drops the pieces that incomplete pages do not need. */
  #settle(): void {
    const wholeCount = Math.floor((this.sizeBytes - behindBytes) / pageBytes); // pages before this one will not change
    if (wholeCount > this.#nextWhole) {
      for (let number = Math.max(this.#nextWhole, wholeCount - cutAtOnce); number < wholeCount; number += 1) {
        if (this.#hasAllOf(number)) this.#whole.push(this.#pageOf(number, { isWhole: true, before: null }));
      }
      this.#nextWhole = wholeCount;
    }
    if (this.#isFinished) {
      this.#whole.push(...this.#lastPages());
      return;
    }
    const neededFrom = Math.max(0, this.#nextWhole * pageBytes - beforeBytes);
    const first = this.#pieces.findIndex((piece) => endOf(piece) > neededFrom);
    if (first > 0) this.#pieces = this.#pieces.slice(first);
  }

  #lastPages(): Page[] {
    if (!this.#isStale) return this.#cut;
    this.#isStale = false;
    const last = Math.floor(Math.max(0, this.sizeBytes - 1) / pageBytes);
    const numbers =
      this.sizeBytes === 0 ? [] : [...new Set([this.#nextWhole, last])].filter((number) => number <= last && this.#hasAllOf(number));
    this.#cut = [];
    for (const number of numbers) {
      const before = this.#cut.find((page) => page.number === number - 1) ?? null;
      this.#cut.push(this.#pageOf(number, { isWhole: this.#isFinished, before }));
    }
    return this.#cut;
  }

  /** `before`: the page before it, as it is now. */
  #pageOf(number: number, { isWhole, before }: { isWhole: boolean; before: Page | null }): Page {
    const style = styleOf(number, this.#styles) ?? before?.end ?? null;
    const page = pageOf(number, this.#pieces, { isWhole, style });
    if (isWhole && page.end !== null) this.#styles.note(page.end); // where the next page begins
    return page;
  }

  #hasAllOf(number: number): boolean {
    const first = this.#pieces[0];
    return first !== undefined && first.offsetBytes <= Math.max(0, number * pageBytes - beforeBytes);
  }

  async #endNow(signal: AbortSignal): Promise<number> {
    let endBytes = 0;
    for await (const piece of this.#client.attach(this.#id, { tailLines: 1, isFollowing: false, signal })) {
      if (piece.kind !== "outcome") endBytes = endOf(piece);
    }
    return endBytes;
  }
}

function endOf(piece: OutputPiece): number {
  return piece.offsetBytes + (piece.kind === "output" ? piece.bytes.length : 0);
}
