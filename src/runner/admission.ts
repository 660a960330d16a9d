/**
 * Decides which jobs may start now. Pure: it has no clock and does no I/O, so a property test can check it
 * (test/admission-property.test.ts). Limits of any kind belong here.
 *
 *     arrive ──there is room──▶ admitted ─────────────────────▶ leave
 *       └─────must wait──────▶ arriving ──committed──▶ queued ──next──▶ admitted
 *
 * A job may leave from every standing.
 */
export class Admission<Job> {
  readonly #limits: AdmissionLimits;
  readonly #waiting = new Map<Job, "arriving" | "queued">(); // in order of arrival
  readonly #admitted = new Set<Job>();

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Jobs that may run: admitted and not gone. */
  get running(): number {
    return this.#admitted.size;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  isQueued(job: Job): boolean {
    return this.#waiting.has(job);
  }

  /** What waiting jobs wait for, as a sentence. */
  get waitsFor(): string {
    const { maxRunning } = this.#limits;
    const jobs = maxRunning === 1 ? "one job" : `${maxRunning} jobs`;
    return `waits for the end of a running job: ${jobs} may run at once (JOBRUNNER_MAX_RUNNING)`;
  }

  /** A new job. It waits if there is no room, or if an earlier job waits. */
  arrive(job: Job): "admitted" | "waiting" {
    if (this.#hasRoom() && this.#waiting.size === 0) {
      this.#admitted.add(job);
      return "admitted";
    }
    this.#waiting.set(job, "arriving");
    return "waiting";
  }

  /** A waiting job is on disk: from now on `next` may admit it. */
  committed(job: Job): void {
    if (this.#waiting.has(job)) this.#waiting.set(job, "queued");
  }

  /** A job of an earlier service, in order of acceptance. An admitted one runs whatever the limits are. */
  restore(job: Job, standing: "queued" | "admitted"): void {
    if (standing === "queued") this.#waiting.set(job, "queued");
    else this.#admitted.add(job);
  }

  /** Admits the first waiting job, if it may start now; null: none may. */
  next(): Job | null {
    if (!this.#hasRoom()) return null;
    for (const [job, standing] of this.#waiting) {
      if (standing === "arriving") return null; // it comes first, and is on disk within milliseconds
      this.#waiting.delete(job);
      this.#admitted.add(job);
      return job;
    }
    return null;
  }

  /** The job has ended, was killed in the queue, or was not accepted. */
  leave(job: Job): void {
    this.#waiting.delete(job);
    this.#admitted.delete(job);
  }

  #hasRoom(): boolean {
    return this.#admitted.size < this.#limits.maxRunning;
  }
}

export type AdmissionLimits = { maxRunning: number };
