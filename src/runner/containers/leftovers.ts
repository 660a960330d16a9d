import type { ActiveJob } from "../active-job.ts";
import type { Log } from "../log.ts";
import { type Engine, labels } from "./engine.ts";
import type { EngineFinder } from "./finder.ts";

/**
 * Containers of jobs that are finished: of a service that was killed, of an engine that did not answer, or made late for a job that was
 * being killed. They are found by the label that only this service's containers have.
 */
export class Leftovers {
  readonly #options: { finder: EngineFinder; instance: string; active: ReadonlyMap<string, ActiveJob>; log: Log };
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #awaited = new Map<number, boolean>(); // by delay: a look is due, and whether it was asked for again since

  constructor(options: { finder: EngineFinder; instance: string; active: ReadonlyMap<string, ActiveJob>; log: Log }) {
    this.#options = options;
  }

  /** At the service's start, when every job that is not finished is known: as soon as there is an engine that answers. */
  async checkAtStart(): Promise<void> {
    const state = await this.#options.finder.find();
    if (state.kind === "ready") await this.#check(state.engine);
    else if (state.kind === "silent") this.#later(retryMs, () => void this.checkAtStart());
  }

  /** A creation that was under way is over by then. */
  checkSoon(engine: Engine): void {
    for (const delayMs of soonMs) this.#checkIn(delayMs, engine);
  }

  /** However many ask for it, one look per delay. */
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
      log("warn", "the container engine does not say what is left; it is asked again", { err: error });
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

/** Of the name that containerName makes. */
function jobIdOf(name: string): string {
  return name.slice("jobrunner-".length).slice(0, 36);
}
