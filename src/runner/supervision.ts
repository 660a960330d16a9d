import { statSync } from "node:fs";
import { join } from "node:path";
import type { JobView } from "../job/job.ts";
import { explainErrno, isShortage } from "../job/shortage.ts";
import type { OutputWatchers } from "../output/watcher.ts";
import type { ActiveJob } from "./active-job.ts";
import { Containers } from "./containers/containers.ts";
import type { Engine } from "./containers/engine.ts";
import type { EngineFinder } from "./containers/finder.ts";
import { liveness, sendControl } from "./control.ts";
import { openDoorbell } from "./doorbell.ts";
import { type LaunchRequest, writeJobDirectory } from "./job-directory.ts";
import { Launcher } from "./launcher.ts";
import type { StatusUpdate } from "./status.ts";
import type { Log } from "./log.ts";
import { UserNames } from "./user-names.ts";

export type SupervisionOptions = {
  stateDir: string;
  supervisorPath: string;
  shell: string;
  cgroupParent: string | null;
  bootId: string;
  finder: EngineFinder;
  instance: string;
  watchers: OutputWatchers;
  log: Log;
};

export type SupervisionEvents = {
  active: ReadonlyMap<string, ActiveJob>;
  launchRequestOf: (id: string) => LaunchRequest | null;
  onChange: (job: ActiveJob) => void;
  onFinished: (job: ActiveJob, view: JobView) => void;
};

const patrolMs = 100; // each round looks at a tenth of the jobs, so a lost one is found within a second or so
const patrolParts = 10;
const launchRetryMs = 500;
const sweepAgainMs = 5000;

/** Gives jobs to supervisors and learns from their status files what became of them. */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #events: SupervisionEvents;
  readonly #launcher: Launcher;
  readonly #containers: Containers;
  readonly #userNames = new UserNames();
  readonly #doorbell: { close(): void };
  readonly #patrol: NodeJS.Timeout;
  readonly #notLaunched = new Set<ActiveJob>(); // no launcher knows of them: the disk was full, or their engine is being looked for
  #round: ActiveJob[] = [];

  constructor(options: SupervisionOptions, events: SupervisionEvents) {
    this.#options = options;
    this.#events = events;
    this.#doorbell = openDoorbell(join(options.stateDir, "doorbell"), (id, update) => this.#refreshById(id, update));
    this.#launcher = new Launcher(
      { path: options.supervisorPath, stateDir: options.stateDir },
      {
        onFailed: (id, errno) => this.#launchFailed(id, errno),
        onDied: () => this.#someDied(),
        onRestarted: () => this.#submitAgain(),
        log: options.log,
      },
    );
    this.#containers = new Containers({ ...options, active: events.active, specOf: (id) => events.launchRequestOf(id)?.spec ?? null });
    this.#patrol = setInterval(() => this.#patrolSome(), patrolMs);
  }

  get isLauncherRunning(): boolean {
    return this.#launcher.isRunning;
  }

  /** The job is committed as Starting. Its plan is whole on disk before the launcher hears of it, and that before anybody is told of the change: it waits for it. */
  launch(job: ActiveJob, request: LaunchRequest): void {
    if (job.phase.kind !== "Launching") job.phase = { kind: "Launching", problem: null };
    const found = this.#options.finder.known;
    const engine = found === null || found.kind === "none" ? null : found.engine;
    if (job.hasContainers && engine === null) void this.#launchWithEngine(job);
    else this.#giveToLauncher(job, request, engine);
    process.nextTick(() => this.#events.onChange(job));
  }

  #giveToLauncher(job: ActiveJob, request: LaunchRequest, engine: Engine | null): void {
    try {
      writeJobDirectory(job, request, { ...this.#options, engine });
      this.#launcher.run(job.id);
    } catch (error) {
      this.#options.log("error", "a job's directory could not be written; tried again", { job: job.id, err: error });
      this.#retryLaunch(job);
    }
  }

  /** A job that an earlier service committed as Starting, in the boot named. */
  adopt(job: ActiveJob, bootId: string | null): void {
    job.phase = { kind: "Launching", problem: null };
    this.#refresh(job);
    if (job.phase.kind === "Launching") {
      if (bootId !== this.#options.bootId) return this.#events.onFinished(job, job.lostView("Reboot"));
      if (statusSize(job) === null) return this.#launchAnew(job);
    }
    this.#inspect(job);
  }

  /** All jobs are known: whatever else this service's containers are of is finished. Looks for the engine. */
  clearUp(): void {
    void this.#containers.leftovers.checkAtStart();
  }

  stop(job: ActiveJob, message: "terminate" | "kill"): void {
    if (this.#notLaunched.delete(job)) return this.#events.onFinished(job, job.killedView());
    job.killRequest = message;
    // Of one that is being started the ring may be on its way.
    this.#withoutShortage(job, () => (job.phase.kind === "Started" ? this.#passKill(job) : this.#refresh(job)));
  }

  close(): void {
    clearInterval(this.#patrol);
    this.#containers.leftovers.close();
    this.#doorbell.close();
    this.#launcher.close();
  }

  #launchAnew(job: ActiveJob): void {
    const request = this.#events.launchRequestOf(job.id);
    if (request !== null) this.launch(job, request);
  }

  #retryLaunch(job: ActiveJob): void {
    this.#notLaunched.add(job);
    setTimeout(() => {
      if (this.#notLaunched.delete(job)) this.#launchAnew(job);
    }, launchRetryMs).unref();
  }

  /** A job that was accepted when there was an engine, by a service that had one. It waits until there is one again. */
  async #launchWithEngine(job: ActiveJob): Promise<void> {
    this.#notLaunched.add(job);
    const found = await this.#options.finder.find();
    if (!this.#notLaunched.has(job)) return;
    if (found.kind === "none") {
      this.#retryLaunch(job);
    } else if (this.#notLaunched.delete(job)) {
      this.#launchAnew(job);
    }
  }

  #launchFailed(id: string, errno: number): void {
    const job = this.#events.active.get(id);
    if (job === undefined || job.phase.kind !== "Launching") return;
    this.#options.log("warn", "a supervisor could not be started; tried again", { job: id, errno });
    job.phase = {
      kind: "Launching",
      problem: `waits to be started, which is tried again until it succeeds: ${errno > 0 ? explainErrno(errno) : "its supervisor could not be started"}`,
    };
    this.#retryLaunch(job);
    if (job.killRequest !== null) this.stop(job, job.killRequest);
  }

  /** A supervisor that was killed may have had no time to claim its job, or was a sweeper. */
  #someDied(): void {
    for (const job of this.#events.active.values()) this.#withoutShortage(job, () => this.#inspect(job));
    this.#submitAgain();
  }

  /** A job without a status file may never have been heard of. The claim keeps it from running twice. */
  #submitAgain(): void {
    for (const job of this.#events.active.values()) {
      if (job.phase.kind === "Launching" && !this.#notLaunched.has(job)) this.#launcher.run(job.id);
      job.sweepAskedMs = 0;
    }
  }

  /** For whoever asks about the job: what it has said is known, though its ring may be on its way. */
  bringUpToDate(job: ActiveJob): void {
    this.#withoutShortage(job, () => {
      if (!job.isRunning) return;
      const size = statusSize(job);
      if (size !== null && size !== job.status.bytes) this.#refresh(job);
    });
  }

  #refreshById(id: string, update: StatusUpdate | null): void {
    const job = this.#events.active.get(id);
    if (job !== undefined) this.#withoutShortage(job, () => this.#refresh(job, update));
  }

  /** Acts on what the status file says; `told`: what a ring brought of it. */
  #refresh(job: ActiveJob, update: StatusUpdate | null = null): void {
    if (!job.isRunning) return;
    const facts = job.status.facts(update);
    if (facts === null) return;
    this.#logRefusals(job, facts.refusals);
    facts.containers = job.containers;
    facts.waitsFor = this.#userNames.added(facts.waitsFor, () => this.#withoutShortage(job, () => this.#refresh(job)));
    job.addAttempts(facts);
    if (!this.#containers.areFinalized(job, facts, () => this.#withoutShortage(job, () => this.#refresh(job)))) {
      // Over only when its containers are: until then it is what it was.
      job.isEnding = facts.done !== null || facts.swept !== null;
      facts.done = facts.swept = null;
    }
    job.phase = { kind: "Started", facts };
    if (facts.done !== null) return this.#events.onFinished(job, job.view());
    if (facts.swept !== null) return this.#events.onFinished(job, job.lostView("SupervisorLost"));
    this.#passKill(job);
    this.#events.onChange(job);
  }

  #logRefusals(job: ActiveJob, refusals: string[]): void {
    for (const refused of refusals.slice(job.loggedRefusals))
      this.#options.log("warn", "a supervisor refused an event: a fault of jobrunner, to be reported", { job: job.id, refused });
    job.loggedRefusals = refusals.length;
  }

  #passKill(job: ActiveJob): void {
    if (job.killRequest !== null) sendControl(job.directory, job.killRequest);
    job.killRequest = null;
  }

  /** Where the service has no file descriptor or memory left for a look, the patrol looks again: a job is not lost for that, nor a kill. */
  #withoutShortage(job: ActiveJob, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isShortage(error)) throw error;
      job.status.forget(); // so that the patrol does not find that nothing is new
      this.#options.log("warn", "a job could not be looked at; tried again", { job: job.id, err: error });
    }
  }

  #patrolSome(): void {
    if (this.#round.length === 0) this.#round = [...this.#events.active.values()];
    const count = Math.max(1, Math.ceil(this.#events.active.size / patrolParts));
    for (const job of this.#round.splice(-count)) this.#withoutShortage(job, () => this.#inspect(job));
  }

  /**
   * What no ring told: a status file that has grown, or a supervisor that is gone. Alive, dead or not yet there is asked first and the
   * status read after, since the last line comes before the death.
   */
  #inspect(job: ActiveJob): void {
    if (!job.isRunning) return;
    const size = statusSize(job);
    if (size === null) return;
    const bootId = job.phase.kind === "Started" ? job.phase.facts.bootId : this.#options.bootId;
    const isAlive = bootId === this.#options.bootId && liveness(job.directory) === "alive";
    if (isAlive && size === job.status.bytes) return;
    this.#refresh(job);
    if (!isAlive && job.isRunning && !job.isEnding) this.#handleDeadSupervisor(job);
  }

  #handleDeadSupervisor(job: ActiveJob): void {
    if (job.phase.kind !== "Started") return this.#events.onFinished(job, job.lostView("SupervisorLost")); // claimed, nothing executed
    // After a reboot a recorded process id belongs to somebody else: nothing is signalled.
    if (job.phase.facts.bootId !== this.#options.bootId) return this.#events.onFinished(job, job.lostView("Reboot"));
    if (performance.now() - job.sweepAskedMs < sweepAgainMs && job.sweepAskedMs > 0) return;
    job.sweepAskedMs = performance.now();
    this.#launcher.sweep(job.id);
  }
}

function statusSize(job: ActiveJob): number | null {
  return statSync(join(job.directory, "status"), { throwIfNoEntry: false })?.size ?? null;
}
