import type { ServerResponse } from "node:http";
import { type Identity, keyOf, nameOf } from "../identity/identity.ts";
import { Problem } from "./problems.ts";
import { Shares } from "../operations/shares.ts";

type Reader = { response: ServerResponse; job: string | null; identity: Identity };
type Limits = { maxReaders: number; maxReadersPerJob: number; maxReadersPerIdentity: number };
type Options = Limits & {
  isStillAuthorized: (identity: Identity) => boolean;
  /** Hears of those who are cut off since they are not let in any more. */
  onDropped: () => void;
};

const checkIntervalMs = 5000;
/** Of one identity, however few readers there may be. */
const leastPerIdentity = 8;

/**
 * Who follows output and events, gets a file or waits for a job: each has a connection and some memory for as long as it likes, so there is
 * a limit of them, of each job and of each identity, and whoever would not be let in any more is cut off.
 */
export class Readers {
  readonly #options: Options;
  readonly #shares: Shares;
  readonly #readers = new Set<Reader>();
  readonly #perJob = new Map<string, number>();
  readonly #timer = setInterval(() => this.#cutOff(), checkIntervalMs).unref();

  constructor(options: Options) {
    const { maxReaders, maxReadersPerIdentity } = options;
    this.#options = options;
    this.#shares = new Shares({
      max: maxReaders,
      maxPerIdentity: Math.min(maxReadersPerIdentity, Math.max(leastPerIdentity, Math.ceil(maxReaders / 2))),
    });
  }

  get count(): number {
    return this.#readers.size;
  }

  /** Counts a reader until its connection is closed. `job` is null for events. Throws the Problem where there are too many. */
  add(reader: Reader): void {
    const { response, job, identity } = reader;
    const ofJob = job === null ? 0 : (this.#perJob.get(job) ?? 0);
    const { maxReadersPerJob } = this.#options;
    if (ofJob >= maxReadersPerJob) throw tooMany(`${maxReadersPerJob} readers follow this job, and no more can`);
    if (response.destroyed) return; // it went before it was counted, and says so no second time
    const release = this.#shares.take(keyOf(identity));
    const { max, maxPerIdentity } = this.#shares.bounds;
    if (release === "all") throw tooMany(`${max} readers are being served, and no more can be`);
    if (release === "own")
      throw tooMany(
        `${maxPerIdentity} readers of ${nameOf(identity)} are being served, and no more can be (JOBRUNNER_MAX_READERS_PER_IDENTITY)`,
      );
    this.#readers.add(reader);
    if (job !== null) this.#perJob.set(job, ofJob + 1);
    response.once("close", () => {
      release();
      this.#remove(reader);
    });
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
    const known = new Map<string, boolean>(); // thousands may be of one identity
    for (const { response, identity } of this.#readers) {
      const key = `${keyOf(identity)} ${identity.untilMs}`;
      const isAuthorized = known.get(key) ?? this.#options.isStillAuthorized(identity);
      known.set(key, isAuthorized);
      if (isAuthorized) continue;
      this.#options.onDropped();
      response.req.socket.destroy(); // one that waits behind another on its connection has none of its own yet
    }
  }
}

function tooMany(why: string): Problem {
  return new Problem("too-many-readers", `${why}: ask again in a while`, { retryAfterSeconds: 10 });
}
