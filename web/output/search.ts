import { batch, signal } from "@preact/signals";
import type { Client, SearchResult } from "../../src/client/index.ts";

const mostMatches = 10_000;
const matchesAtOnce = 1000;

/** How long an output may grow before its new part is searched. */
const growthMs = 300;

type Wanted = { text: string; isCaseSensitive: boolean };

/**
 * A search in the whole output, by the service. Matches are shown as they come. While the output grows, its new part is searched too.
 *
 *     idle ──start──▶ searching ──all is searched──▶ done ◀─┐
 *      ▲                  │                           └─grew┘
 *     stop             failure ──▶ failed
 */
type Progress =
  | { kind: "idle" }
  | { kind: "searching"; atBytes: number }
  /** `isCut`: there are more matches than are kept. `resumeBytes`: where the search goes on when there is more output. */
  | { kind: "done"; isCut: boolean; resumeBytes: number; sizeBytes: number }
  | { kind: "failed"; problem: string };

type OnFound = (offsetBytes: number) => void;

export class OutputSearch {
  readonly text = signal("");
  readonly isCaseSensitive = signal(false);
  /** The offsets of matches, in order. */
  readonly matches = signal<readonly number[]>([]);
  /** The index of the current match; -1: none. */
  readonly current = signal(-1);
  readonly progress = signal<Progress>({ kind: "idle" });
  readonly #client: Client;
  readonly #id: string;
  #sizeBytes = 0;
  #running: AbortController | null = null;
  #growthTimer: ReturnType<typeof setTimeout> | null = null;

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.#id = id;
  }

  /** Starts a new search. The first match after `nearBytes` becomes the current one as soon as it is found, and is given to `onFound`. */
  async start(wanted: Wanted, { nearBytes, onFound }: { nearBytes: number; onFound: OnFound }): Promise<void> {
    const signal = this.#begin();
    batch(() => {
      this.text.value = wanted.text;
      this.isCaseSensitive.value = wanted.isCaseSensitive;
      this.matches.value = [];
      this.current.value = -1;
      this.progress.value = wanted.text === "" ? { kind: "idle" } : { kind: "searching", atBytes: 0 };
    });
    if (wanted.text === "") return;
    await this.#search(wanted, { signal, offsetBytes: 0, onMatches: () => this.#showNear(nearBytes, onFound) });
    if (!signal.aborted && this.current.value === -1 && this.matches.value.length > 0) this.#goTo(0, onFound);
  }

  /** The output has this size now. */
  grew(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes;
    const { value: progress } = this.progress;
    if (progress.kind !== "done" || progress.isCut || progress.sizeBytes >= sizeBytes || this.#growthTimer !== null) return;
    const wanted = { text: this.text.value, isCaseSensitive: this.isCaseSensitive.value };
    this.#growthTimer = setTimeout(() => {
      this.#growthTimer = null;
      const signal = this.#begin();
      void this.#search(wanted, { signal, offsetBytes: progress.resumeBytes, onMatches: () => undefined });
    }, growthMs);
  }

  /** Goes to the next or previous match. The first follows the last. */
  go(step: 1 | -1, onFound: OnFound): void {
    const count = this.matches.value.length;
    const from = this.current.value === -1 && step === -1 ? 0 : this.current.value;
    if (count > 0) this.#goTo((from + step + count) % count, onFound);
  }

  stop(): void {
    this.#begin();
    batch(() => {
      this.text.value = "";
      this.matches.value = [];
      this.current.value = -1;
      this.progress.value = { kind: "idle" };
    });
  }

  /** Ends what runs. Returns the signal of what begins now. */
  #begin(): AbortSignal {
    this.#running?.abort();
    if (this.#growthTimer !== null) clearTimeout(this.#growthTimer);
    this.#growthTimer = null;
    this.#running = new AbortController();
    return this.#running.signal;
  }

  async #search(
    wanted: Wanted,
    { signal, offsetBytes, onMatches }: { signal: AbortSignal; offsetBytes: number; onMatches: () => void },
  ): Promise<void> {
    const sizeBytes = this.#sizeBytes;
    let resumeBytes = offsetBytes;
    try {
      for (let next: number | null = offsetBytes; next !== null && this.matches.value.length < mostMatches;) {
        const found: SearchResult = await this.#client.search(this.#id, { ...wanted, offsetBytes: next, limit: matchesAtOnce, signal });
        if (signal.aborted) return;
        next = found.NextOffset;
        resumeBytes = found.ResumeOffset;
        if (found.Matches.length > 0) this.matches.value = [...this.matches.value, ...found.Matches.map(({ Offset }) => Offset)];
        onMatches();
        if (next !== null) this.progress.value = { kind: "searching", atBytes: next };
      }
      this.progress.value = { kind: "done", isCut: this.matches.value.length >= mostMatches, resumeBytes, sizeBytes };
      this.grew(this.#sizeBytes);
    } catch (error) {
      if (!signal.aborted) this.progress.value = { kind: "failed", problem: error instanceof Error ? error.message : String(error) };
    }
  }

  #showNear(nearBytes: number, onFound: OnFound): void {
    if (this.current.value !== -1) return;
    const index = this.matches.value.findIndex((offset) => offset >= nearBytes);
    if (index !== -1) this.#goTo(index, onFound);
  }

  #goTo(index: number, onFound: OnFound): void {
    this.current.value = index;
    const offset = this.matches.value[index];
    if (offset !== undefined) onFound(offset);
  }
}
