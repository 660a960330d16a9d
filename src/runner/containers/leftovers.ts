import type { ActiveJob } from "../active-job.ts";
import type { Log } from "../log.ts";
import { type Engine, labels } from "./engine.ts";
import type { EngineFinder } from "./finder.ts";

/**
 * Removes containers whose jobs are finished: the service was killed, the engine did not answer, or it created the container late, while
 * the job was being killed. They are found by the label that only this service's containers have.
 */
export class Leftovers {
  readonly #options: { finder: EngineFinder; instance: string; active: ReadonlyMap<string, ActiveJob>; log: Log };
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #awaited = new Map<number, boolean>(); // by delay: a check is due, and whether another one was requested since then

  constructor(options: { finder: EngineFinder; instance: string; active: ReadonlyMap<string, ActiveJob>; log: Log }) {
    this.#options = options;
  }

  /** Call at the service's start, when all unfinished jobs are known. Checks as soon as an engine answers. */
  async checkAtStart(): Promise<void> {
    const state = await this.#options.finder.find();
    if (state.kind === "ready") await this.#check(state.engine);
    else if (state.kind === "silent") this.#later(retryMs, () => void this.checkAtStart());
  }

  /** Checks after a time in which any creation in progress ends. */
  checkSoon(engine: Engine): void {
    for (const delayMs of soonMs) this.#checkIn(delayMs, engine);
  }

  /** Makes one check per delay, however many were requested. */
  #checkIn(delayMs: number, engine: Engine): void {
    if (this.#awaited.has(delayMs)) return void this.#awaited.set(delayMs, true);
    this.#awaited.set(delayMs, false);
    this.#later(delayMs, () => {
      const isAskedAgain = this.#awaited.get(delayMs) === true;
      this.#awaited.delete(delayMs);
      if (isAskedAgain) this.#checkIn(delayMs, engine);
      void this.#check(engine);
    });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #check(engine: Engine): Promise<void> {
    const { instance, active, log } = this.#options;
    try {
      const names = await engine.list(`${labels.instance}=${instance}`);
      const left = names.filter((name) => !active.has(jobIdOf(name)));
      if (left.length === 0) return;
      for (const name of left) log("info", "a container of a job that is finished is removed", { job: jobIdOf(name), container: name });
      if (await engine.remove(left)) return;
    } catch (error) {
      log("warn", "the container engine does not list its containers; it is asked again", { err: error });
    }
    this.#later(retryMs, () => void this.#check(engine));
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer.unref());
  }
}

const soonMs = [1000, 10_000];
const retryMs = 5000;

/** The inverse of containerName. */
function jobIdOf(name: string): string {
  return name.slice("jobrunner-".length).slice(0, 36);
}
