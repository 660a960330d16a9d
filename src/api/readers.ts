import type { ServerResponse } from "node:http";
import { Problem } from "./problems.ts";

type Reader = { response: ServerResponse; job: string | null; isStillLetIn: () => boolean };

const lookAgainMs = 5000;

/**
 * Who follows output and events now: each has a connection and some memory for as long as it likes, so there is a limit of them, and whoever would
 * not be let in any more is cut off.
 */
export class Readers {
  readonly #limits: { maxReaders: number; maxReadersPerJob: number };
  readonly #readers = new Set<Reader>();
  readonly #perJob = new Map<string, number>();
  readonly #onDropped: () => void;
  readonly #timer = setInterval(() => this.#cutOff(), lookAgainMs).unref();

  /** `onDropped` hears of those who are cut off since they are not let in any more. */
  constructor(limits: { maxReaders: number; maxReadersPerJob: number }, onDropped: () => void) {
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  get count(): number {
    return this.#readers.size;
  }

  /** Counts a reader until its connection is closed. `job` is null for events. Throws the Problem where there are too many. */
  add(reader: Reader): void {
    const { response, job } = reader;
    const ofJob = job === null ? 0 : (this.#perJob.get(job) ?? 0);
    const { maxReaders, maxReadersPerJob } = this.#limits;
    if (this.#readers.size >= maxReaders) throw tooMany(`${maxReaders} readers are being served, and no more can be`);
    if (ofJob >= maxReadersPerJob) throw tooMany(`${maxReadersPerJob} readers follow this job, and no more can`);
    if (response.destroyed) return; // it went before it was counted, and says so no second time
    this.#readers.add(reader);
    if (job !== null) this.#perJob.set(job, ofJob + 1);
    response.once("close", () => this.#remove(reader));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (reader.job === null) return;
    const left = (this.#perJob.get(reader.job) ?? 1) - 1;
    if (left > 0) this.#perJob.set(reader.job, left);
    else this.#perJob.delete(reader.job);
  }

  #cutOff(): void {
    for (const { response, isStillLetIn } of this.#readers) {
      if (isStillLetIn()) continue;
      this.#onDropped();
      response.req.socket.destroy(); // one that waits behind another on its connection has none of its own yet
    }
  }
}

function tooMany(why: string): Problem {
  return new Problem("too-many-readers", `${why}: ask again in a while`, { headers: { "Retry-After": "10" } });
}
