import type { JobView } from "../job/job.ts";
import type { DropReason, Measures, Sources } from "./measures.ts";

/**
 * What the service counts and measures. What keeps it is not needed for the first answer, and loaded after that: until then, what happens waits here and is
 * counted late.
 */
export class Metrics {
  readonly #sources: Promise<Sources>;
  #waiting: ((measures: Measures) => void)[] = [];
  #measures: Measures | null = null;
  #loading: Promise<Measures> | null = null;
  readonly observe: (sources: Sources) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Sources>();
    this.#sources = promise;
    this.observe = resolve;
  }

  /** From now on what happens is counted at once. */
  load(): Promise<Measures> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null; // it may succeed the next time
      throw error;
    });
    return this.#loading;
  }

  async #load(): Promise<Measures> {
    const [{ Measures }, sources] = await Promise.all([import("./measures.ts"), this.#sources]);
    const measures = new Measures(sources);
    for (const count of this.#waiting) count(measures);
    this.#waiting = [];
    this.#measures = measures;
    return measures;
  }

  #count(what: (measures: Measures) => void): void {
    if (this.#measures === null) this.#waiting.push(what);
    else what(this.#measures);
  }

  submitted(): void {
    this.#count((measures) => measures.submitted());
  }

  /** Null: the clock was set back meanwhile, and it is not known how long it was. */
  admitted(waitedMs: number | null): void {
    this.#count((measures) => measures.admitted(waitedMs));
  }

  finished(job: JobView): void {
    this.#count((measures) => measures.finished(job));
  }

  committed(ms: number): void {
    this.#count((measures) => measures.committed(ms));
  }

  dropped(reason: DropReason): void {
    this.#count((measures) => measures.dropped(reason));
  }

  /** Prometheus' text format, and its media type. */
  async text(): Promise<{ body: string; contentType: string }> {
    return await (await this.load()).text();
  }
}
