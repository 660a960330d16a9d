import { batch, signal } from "@preact/signals";
import type { Client } from "../../src/client/index.ts";

const mostMatches = 10_000;
const matchesAtOnce = 1000;

/** A search in the whole output. The service searches; matches are shown as they come. */
export class OutputSearch {
  readonly text = signal("");
  readonly isCaseSensitive = signal(false);
  /** The offsets of matches, in order. */
  readonly matches = signal<readonly number[]>([]);
  /** The index of the current match; -1: none. */
  readonly current = signal(-1);
  readonly progress = signal<
    { kind: "idle" } | { kind: "searching"; atBytes: number } | { kind: "done"; isCut: boolean } | { kind: "failed"; problem: string }
  >({ kind: "idle" });
  readonly #client: Client;
  readonly #id: string;
  #running: AbortController | null = null;

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.#id = id;
  }

  /** Starts a new search. The first match after `nearBytes` becomes the current one as soon as it is found, and is given to `onFound`. */
  async start(
    wanted: { text: string; isCaseSensitive: boolean },
    { nearBytes, onFound }: { nearBytes: number; onFound: (offsetBytes: number) => void },
  ): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    batch(() => {
      this.text.value = wanted.text;
      this.isCaseSensitive.value = wanted.isCaseSensitive;
      this.matches.value = [];
      this.current.value = -1;
      this.progress.value = wanted.text === "" ? { kind: "idle" } : { kind: "searching", atBytes: 0 };
    });
    if (wanted.text === "") return;
    try {
      for (let offsetBytes: number | null = 0; offsetBytes !== null && this.matches.value.length < mostMatches;) {
        const result: { Matches: { Offset: number }[]; NextOffset: number | null } = await this.#client.search(this.#id, {
          ...wanted,
          offsetBytes,
          limit: matchesAtOnce,
          signal: running.signal,
        });
        offsetBytes = result.NextOffset;
        this.#take(
          result.Matches.map(({ Offset }) => Offset),
          { nearBytes, onFound },
        );
        if (offsetBytes !== null) this.progress.value = { kind: "searching", atBytes: offsetBytes };
      }
      if (this.current.value === -1 && this.matches.value.length > 0) this.#goTo(0, onFound);
      this.progress.value = { kind: "done", isCut: this.matches.value.length >= mostMatches };
    } catch (error) {
      if (!running.signal.aborted)
        this.progress.value = { kind: "failed", problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Goes to the next or previous match. The first follows the last. */
  go(step: 1 | -1, onFound: (offsetBytes: number) => void): void {
    const count = this.matches.value.length;
    if (count > 0) this.#goTo((this.current.value + step + count) % count, onFound);
  }

  stop(): void {
    this.#running?.abort();
    batch(() => {
      this.text.value = "";
      this.matches.value = [];
      this.current.value = -1;
      this.progress.value = { kind: "idle" };
    });
  }

  #take(offsets: number[], { nearBytes, onFound }: { nearBytes: number; onFound: (offsetBytes: number) => void }): void {
    this.matches.value = [...this.matches.value, ...offsets];
    if (this.current.value !== -1) return;
    const index = this.matches.value.findIndex((offset) => offset >= nearBytes);
    if (index !== -1) this.#goTo(index, onFound);
  }

  #goTo(index: number, onFound: (offsetBytes: number) => void): void {
    this.current.value = index;
    const offset = this.matches.value[index];
    if (offset !== undefined) onFound(offset);
  }
}
