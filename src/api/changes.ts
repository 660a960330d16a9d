import type { JobRunner } from "../runner/job-runner.ts";
import { EventLog } from "./event-log.ts";

/** Where changes come from. */
export type ChangeSource = Pick<JobRunner, "subscribe" | "lastEnd" | "missedSince">;

/**
 * Where a reader begins: with what comes, behind what it has had, or somewhere that is not in the log; `end`: the last that it knows of,
 * null: not known.
 */
export type Start = { kind: "now" } | { kind: "position"; number: number; end: number } | { kind: "elsewhere"; end: number | null };

/** Who has read nothing for so long has no claim on what is kept; nor is there any work for changes that nobody reads. */
const keptWithoutReadersMs = 3_600_000;

/** The log of changes, which is written while it has readers and for an hour after the last one. */
export class Changes {
  readonly log = new EventLog();
  readonly source: ChangeSource;
  #readers = 0;
  #unsubscribe: (() => void) | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: ChangeSource) {
    this.source = source;
  }

  /** Counts a reader until the returned function is called. */
  join(): () => void {
    this.#readers += 1;
    clearTimeout(this.#timer);
    this.#unsubscribe ??= this.source.subscribe((job, owner) => {
      const json = JSON.stringify(job);
      this.log.add(owner, (number) => `event: job\nid: ${this.id(number)}\ndata: ${json}\n\n`);
    });
    return () => {
      this.#readers -= 1;
      if (this.#readers === 0) this.#timer = setTimeout(() => this.#close(), keptWithoutReadersMs).unref();
    };
  }

  /** Of the event with this number, as it is told now. */
  id(number: number): string {
    return `${this.log.id}-${number}-${this.source.lastEnd()}`;
  }

  /** Where a reader goes on that comes with this Last-Event-ID. */
  startOf(id: string | null): Start {
    if (id === null) return { kind: "now" };
    const [, logId = "", numberText = "", endText = ""] = /^([0-9a-f]{12})-(\d{1,15})-(\d{1,15})$/.exec(id) ?? [];
    if (logId === "") return { kind: "elsewhere", end: null };
    const [number, end] = [Number(numberText), Number(endText)];
    return logId === this.log.id && number <= this.log.last ? { kind: "position", number, end } : { kind: "elsewhere", end };
  }

  #close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.log.forget();
  }
}
