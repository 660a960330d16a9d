import type { ServerResponse } from "node:http";
import { type Identity, keyOf, nameOf } from "../identity/identity.ts";
import { Problem } from "./problems.ts";
import { Shares } from "../operations/shares.ts";

type Reader = { response: ServerResponse; job: string | null; identity: Identity };
/** Says of a reader which job it follows, once that exists. Throws the Problem if the job has too many readers. */
type Following = { follow: (job: string) => void };
type Limits = { maxReaders: number; maxReadersPerJob: number; maxReadersPerIdentity: number };
type Options = Limits & {
  isStillAuthorized: (identity: Identity) => boolean;
  /** Called for each reader that is disconnected because its identity is not authorized any more. */
  onDropped: () => void;
};

const checkIntervalMs = 5000;
/** An identity may have this many readers, even if `maxReaders` is small. */
const leastPerIdentity = 8;

/**
 * The clients that follow output or events, read a file, or wait for a job. Each uses a connection and some memory for as long as it wants.
 * So their number is limited: in total, for each job and for each identity. A reader whose identity is not authorized any more is
 * disconnected.
 */
export class Readers {
  readonly #options: Options;
  readonly #shares: Shares;
  readonly #readers = new Set<Reader>();
  readonly #perJob = new Map<string, number>();
  readonly #timer = setInterval(() => this.#disconnectUnauthorized(), checkIntervalMs).unref();

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

  /**
   * Counts a reader until its connection is closed. `job` is null for events, and for a job that does not exist yet: its reader calls
   * `follow`. Throws the Problem if there are too many readers.
   */
  add(reader: Reader): Following {
    const { response, job, identity } = reader;
    if (job !== null) this.#refuseMoreOf(job);
    const following: Following = { follow: (submitted) => this.#follow(reader, submitted) };
    if (response.destroyed) return following; // the client has left already, so no "close" event follows
    const release = this.#shares.take(keyOf(identity));
    const { max, maxPerIdentity } = this.#shares.bounds;
    if (release === "all") throw tooMany(`there are ${max} readers, which is the maximum`);
    if (release === "own")
      throw tooMany(`${nameOf(identity)} has ${maxPerIdentity} readers, which is the maximum (JOBRUNNER_MAX_READERS_PER_IDENTITY)`);
    this.#readers.add(reader);
    if (job !== null) this.#perJob.set(job, this.#countOf(job) + 1);
    response.once("close", () => {
      release();
      this.#remove(reader);
    });
    return following;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #follow(reader: Reader, job: string): void {
    this.#refuseMoreOf(job);
    if (!this.#readers.has(reader)) return;
    reader.job = job;
    this.#perJob.set(job, this.#countOf(job) + 1);
  }

  #refuseMoreOf(job: string): void {
    const { maxReadersPerJob } = this.#options;
    if (this.#countOf(job) >= maxReadersPerJob) throw tooMany(`${maxReadersPerJob} readers follow this job, which is the maximum`);
  }

  #countOf(job: string): number {
    return this.#perJob.get(job) ?? 0;
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (reader.job === null) return;
    const left = (this.#perJob.get(reader.job) ?? 1) - 1;
    if (left > 0) this.#perJob.set(reader.job, left);
    else this.#perJob.delete(reader.job);
  }

  #disconnectUnauthorized(): void {
    const known = new Map<string, boolean>(); // one identity may have thousands of readers
    for (const { response, identity } of this.#readers) {
      const key = `${keyOf(identity)} ${identity.untilMs}`;
      const isAuthorized = known.get(key) ?? this.#options.isStillAuthorized(identity);
      known.set(key, isAuthorized);
      if (isAuthorized) continue;
      this.#options.onDropped();
      response.req.socket.destroy(); // response.socket is null while a pipelined response waits for its turn
    }
  }
}

function tooMany(why: string): Problem {
  return new Problem("too-many-readers", `${why}: try again later`, { retryAfterSeconds: 10 });
}
