import type { JobView } from "../job/job.ts";
import type { DropReason, Measures, Sources } from "./measures.ts";

/**
 * Counts and measures what happens in the service. The library for metrics is loaded after the first answers; until then, events wait here
 * and are counted later.
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

  /** Loads the library. From then on events are counted at once. */
  load(): Promise<Measures> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null; // the next call tries again
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

  #count(event: (measures: Measures) => void): void {
    if (this.#measures === null) this.#waiting.push(event);
    else event(this.#measures);
  }

  submitted(): void {
    this.#count((measures) => measures.submitted());
  }

  /** Null: the clock was set back meanwhile, so the time is unknown. */
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

  /** The metrics in Prometheus' text format, with its media type. */
  async text(): Promise<{ body: string; contentType: string }> {
    return await (await this.load()).text();
  }
}
