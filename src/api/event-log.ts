import { randomBytes } from "node:crypto";

/** How many events are kept, and how long, for readers that resume. */
export type LogBounds = { keptMs: number; maxBytes: number; maxEvents: number };

const logBounds: LogBounds = { keptMs: 3_600_000, maxBytes: 16 << 20, maxEvents: 50_000 };

/** An event, as text in parts that all readers share; `parts` null: its text was dropped to make room. */
type LoggedEvent = { number: number; owner: string | null; atMs: number; parts: Buffer[] | null };

/** How far a reader has read: up to the event with this number, and `parts` parts of the next one. */
export type LogPosition = { number: number; parts: number };

/** The size of a part. Each part has a buffer of its own, so a stalled reader keeps one part in memory, and not a whole large event. */
const partBytes = 64 * 1024;
/** How many bytes of small events one read returns at most. */
const batchBytes = 16 * 1024;

/**
 * The next events after a position and the position after them. `bytes` is empty if there is nothing for this reader. "missing": an event
 * after the position was dropped.
 */
export type Read = { kind: "bytes"; bytes: Buffer; position: LogPosition } | { kind: "missing" };

/** How many readers one turn of the event loop wakes: thousands of readers must not delay other requests. */
const wokenAtOnce = 16;

/**
 * The changes of the last hour, numbered from 1 and stored once for all readers. When the log is full, it drops the oldest events of the
 * owner with the most bytes, so one owner's events do not displace another's.
 */
export class EventLog {
  /** Identifies this log: a position in another log is not valid here. */
  readonly id = randomBytes(6).toString("hex");
  readonly #bounds: LogBounds;
  readonly #all = new Queue();
  readonly #byOwner = new Map<string | null, Queue>();
  #waiting = new Set<() => void>();
  #last = 0;
  #bytes = 0;
  #isWaking = false;

  constructor(bounds: LogBounds = logBounds) {
    this.#bounds = bounds;
  }

  /** The number of the last event. */
  get last(): number {
    return this.#last;
  }

  add(owner: string | null, textOf: (number: number) => string): void {
    const number = (this.#last += 1);
    const text = Buffer.from(textOf(number));
    const event = { number, owner, atMs: performance.now(), parts: partsOf(text) };
    this.#all.push(event);
    const queue = this.#queueOf(owner);
    queue.push(event);
    queue.bytes += text.length;
    this.#bytes += text.length;
    this.#makeRoom();
    this.#wake();
  }

  /** Drops all events. A reader that resumes before this point gets "missing". */
  clear(): void {
    this.#last += 1;
    for (const queue of [this.#all, ...this.#byOwner.values()]) queue.clear(this.#last);
    this.#bytes = 0;
  }

  /** The next events after the position. `scope`: only this owner's events; null: all. */
  read(position: LogPosition, scope: string | null): Read {
    const queue = scope === null ? this.#all : this.#queueOf(scope);
    if (position.number < queue.droppedTo) return { kind: "missing" };
    const gathered: Buffer[] = [];
    let bytes = 0;
    for (const { number, parts } of queue.after(position.number)) {
      const part = parts?.[gathered.length === 0 ? position.parts : 0];
      if (parts === null || part === undefined) return { kind: "missing" };
      const isWhole = parts.length === 1;
      if (gathered.length === 0 && !isWhole)
        return { kind: "bytes", bytes: part, position: nextPart(position, { number, count: parts.length }) };
      if (!isWhole || (bytes > 0 && bytes + part.length > batchBytes))
        return { kind: "bytes", bytes: joined(gathered), position: { number: number - 1, parts: 0 } };
      gathered.push(part);
      bytes += part.length;
    }
    return { kind: "bytes", bytes: joined(gathered), position: { number: this.#last, parts: 0 } };
  }

  /** Waits for events after the position. "idle": none came within `limitMs`. "woken": there may be some, or the signal aborted. */
  async more({ number }: LogPosition, { signal, limitMs }: { signal: AbortSignal; limitMs: number }): Promise<"woken" | "idle"> {
    if (number < this.#last || signal.aborted) return "woken";
    const { promise, resolve } = Promise.withResolvers<"woken" | "idle">();
    const wake = (): void => resolve("woken");
    const timer = setTimeout(() => resolve("idle"), limitMs);
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    const result = await promise;
    clearTimeout(timer);
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", wake);
    return result;
  }

  #wake(): void {
    if (this.#isWaking || this.#waiting.size === 0) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      let left = wokenAtOnce;
      for (const wake of this.#waiting) {
        if ((left -= 1) < 0) break;
        this.#waiting.delete(wake);
        wake();
      }
      this.#wake();
    });
  }

  #makeRoom(): void {
    const oldestMs = performance.now() - this.#bounds.keptMs;
    for (let first = this.#all.first; first !== undefined; first = this.#all.first) {
      if (first.parts !== null && first.atMs >= oldestMs && this.#all.size <= this.#bounds.maxEvents) break;
      if (first.parts !== null) this.#drop(this.#queueOf(first.owner));
      this.#all.shift();
    }
    while (this.#bytes > this.#bounds.maxBytes) this.#drop(this.#largest());
  }

  /** Drops the text of the owner's oldest event. The event keeps its place in the queue of all. */
  #drop(queue: Queue): void {
    const event = queue.shift();
    if (event === undefined || event.parts === null) return;
    const bytes = event.parts.reduce((sum, { length }) => sum + length, 0);
    queue.bytes -= bytes;
    this.#bytes -= bytes;
    event.parts = null;
    this.#all.droppedTo = Math.max(this.#all.droppedTo, event.number);
  }

  #largest(): Queue {
    let largest = this.#queueOf(null);
    for (const queue of this.#byOwner.values()) if (queue.bytes > largest.bytes) largest = queue;
    return largest;
  }

  #queueOf(owner: string | null): Queue {
    const queue = this.#byOwner.get(owner) ?? new Queue();
    this.#byOwner.set(owner, queue);
    return queue;
  }
}

function partsOf(text: Buffer): Buffer[] {
  if (text.length <= partBytes) return [text];
  return Array.from({ length: Math.ceil(text.length / partBytes) }, (_, index) =>
    Buffer.from(text.subarray(index * partBytes, (index + 1) * partBytes)),
  );
}

function nextPart(position: LogPosition, { number, count }: { number: number; count: number }): LogPosition {
  return position.parts + 1 < count ? { number: number - 1, parts: position.parts + 1 } : { number, parts: 0 };
}

function joined(parts: Buffer[]): Buffer {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}

/** Events in the order of their numbers, taken from the front. */
class Queue {
  /** The number of the last event that was dropped. */
  droppedTo = 0;
  bytes = 0; // of the texts of one owner
  #events: LoggedEvent[] = [];
  #start = 0; // the index of the first event: shifting the array for each event would move all others

  get size(): number {
    return this.#events.length - this.#start;
  }

  get first(): LoggedEvent | undefined {
    return this.#events[this.#start];
  }

  push(event: LoggedEvent): void {
    this.#events.push(event);
  }

  shift(): LoggedEvent | undefined {
    const event = this.first;
    if (event === undefined) return undefined;
    this.droppedTo = Math.max(this.droppedTo, event.number);
    this.#start += 1;
    if (this.#start > this.size) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
    return event;
  }

  clear(droppedTo: number): void {
    this.#events = [];
    this.#start = 0;
    this.bytes = 0;
    this.droppedTo = droppedTo;
  }

  *after(position: number): Generator<LoggedEvent> {
    let low = this.#start;
    for (let high = this.#events.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.number ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    for (let index = low; index < this.#events.length; index += 1) {
      const event = this.#events[index];
      if (event !== undefined) yield event;
    }
  }
}
