import type { Engine } from "../containers/engine.ts";
import type { EngineFinder } from "../containers/finder.ts";
import type { ExecutorEvents } from "../executor.ts";
import { type LaunchRequest, writeJobDirectory } from "../job-directory.ts";
import type { Log } from "../log.ts";
import type { Launcher } from "./launcher.ts";
import type { SupervisedJob } from "./supervised-job.ts";

export type LaunchesOptions = {
  launcher: Launcher;
  finder: EngineFinder;
  shell: string;
  cgroupParent: string | null;
  instance: string;
  log: Log;
};

const retryMs = 500;

/**
 * Writes job directories and passes them to the launcher. Tries again what fails for a while: a full disk, an engine that is not found yet.
 */
export class Launches {
  readonly #options: LaunchesOptions;
  readonly #events: ExecutorEvents;

  constructor(options: LaunchesOptions, events: ExecutorEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** The plan is whole on disk before the launcher gets the job, and the launcher gets it before anybody hears of the change. */
  launch(supervised: SupervisedJob, request: LaunchRequest): void {
    const { job } = supervised;
    if (supervised.stopRequest !== null) return this.#events.onFinished(job, job.killedView());
    if (job.phase.kind !== "Launching") job.launching(null);
    const found = this.#options.finder.known;
    const engine = found === null || found.kind === "none" ? null : found.engine;
    if (job.hasContainers && engine === null) void this.#launchWhenEngineIsFound(supervised);
    else this.#giveToLauncher(supervised, request, engine);
    process.nextTick(() => this.#events.onChange(job));
  }

  launchAgain(supervised: SupervisedJob): void {
    const request = this.#events.launchRequestOf(supervised.job);
    if (request !== null) this.launch(supervised, request);
  }

  retry(supervised: SupervisedJob): void {
    supervised.awaitsRetry = true;
    setTimeout(() => {
      if (!supervised.awaitsRetry) return;
      supervised.awaitsRetry = false;
      this.launchAgain(supervised);
    }, retryMs).unref();
  }

  #giveToLauncher(supervised: SupervisedJob, request: LaunchRequest, engine: Engine | null): void {
    const { job } = supervised;
    try {
      writeJobDirectory(job, request, { ...this.#options, engine });
      this.#options.launcher.run(job.id);
    } catch (error) {
      this.#options.log("error", "a job's directory could not be written; tried again", { job: job.id, err: error });
      this.retry(supervised);
    }
  }

  /** A job that was accepted while there was an engine, by a service that had found it. It waits until there is one again. */
  async #launchWhenEngineIsFound(supervised: SupervisedJob): Promise<void> {
    supervised.awaitsRetry = true;
    const found = await this.#options.finder.find();
    if (!supervised.awaitsRetry) return;
    if (found.kind === "none") return this.retry(supervised);
    supervised.awaitsRetry = false;
    this.launchAgain(supervised);
  }
}
