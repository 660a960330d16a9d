import type { JobRunner } from "../runner/job-runner.ts";
import { EventLog } from "./event-log.ts";

/** The source of changes of jobs' states. */
export type ChangeSource = Pick<JobRunner, "subscribe" | "lastEnd" | "missedSince">;

/**
 * Where a reader starts: at the next event, after the last event that it received, or after an event that is not in this log. `end`: the
 * last committed end of a job that the reader knows of; null: not known.
 */
export type Start = { kind: "now" } | { kind: "position"; number: number; end: number } | { kind: "not-in-log"; end: number | null };

/** How long the log is written without readers, so that a reader can resume. After that, changes cause no work. */
const keptWithoutReadersMs = 3_600_000;

/** The log of changes. It is written while it has readers, and for an hour after the last reader has left. */
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

  /** The ID of the event with this number, if it is sent now. */
  id(number: number): string {
    return `${this.log.id}-${number}-${this.source.lastEnd()}`;
  }

  /** Where a reader with this Last-Event-ID resumes. */
  startOf(id: string | null): Start {
    if (id === null) return { kind: "now" };
    const [, logId = "", numberText = "", endText = ""] = /^([0-9a-f]{12})-(\d{1,15})-(\d{1,15})$/.exec(id) ?? [];
    if (logId === "") return { kind: "not-in-log", end: null };
    const [number, end] = [Number(numberText), Number(endText)];
    return logId === this.log.id && number <= this.log.last ? { kind: "position", number, end } : { kind: "not-in-log", end };
  }

  #close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.log.clear();
  }
}
