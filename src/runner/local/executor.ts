import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SentSignal } from "../../job/signals.ts";
import { explainErrno, isShortage } from "../../job/shortage.ts";
import type { OutputWatchers } from "../../output/watcher.ts";
import type { ActiveJob } from "../active-job.ts";
import { Containers } from "../containers/containers.ts";
import type { EngineFinder } from "../containers/finder.ts";
import type { Executor, ExecutorEvents, ExecutorHealth, Signalled, StopRequest } from "../executor.ts";
import type { LaunchRequest } from "../job-directory.ts";
import type { Log } from "../log.ts";
import { probeCgroups } from "./cgroups.ts";
import { liveness } from "./control.ts";
import { openDoorbell } from "./doorbell.ts";
import { Launcher } from "./launcher.ts";
import { Launches } from "./launches.ts";
import { sendSignal } from "./signal.ts";
import type { StatusUpdate } from "./status.ts";
import { SupervisedJob } from "./supervised-job.ts";
import { UserNames } from "./user-names.ts";

export type LocalExecutorOptions = {
  stateDir: string;
  supervisorPath: string;
  shell: string;
  cgroups: "auto" | "off";
  finder: EngineFinder;
  instance: string;
  watchers: OutputWatchers;
  log: Log;
};

const patrolMs = 100; // each round checks a tenth of the jobs, so a lost one is found within about a second
const patrolParts = 10;
const sweepRetryMs = 5000;

/** Gives jobs to supervisors of this machine, and learns from their status files what became of the jobs. Its reference is the boot ID. */
export class LocalExecutor implements Executor {
  readonly #options: LocalExecutorOptions & { cgroupParent: string | null };
  readonly #events: ExecutorEvents;
  readonly #launcher: Launcher;
  readonly #launches: Launches;
  readonly #containers: Containers;
  readonly #userNames = new UserNames();
  readonly #doorbell: { close(): void };
  readonly #patrol: NodeJS.Timeout;
  readonly #bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  readonly #supervised = new WeakMap<ActiveJob, SupervisedJob>();
  #round: ActiveJob[] = [];

  constructor(options: LocalExecutorOptions, events: ExecutorEvents) {
    this.#options = { ...options, cgroupParent: options.cgroups === "off" ? null : findCgroupParent(options.log) };
    this.#events = events;
    this.#doorbell = openDoorbell(join(options.stateDir, "doorbell"), {
      onRing: (id, update) => this.#refreshById(id, update),
      onError: (error) => options.log("error", "the doorbell cannot be read; jobs are checked by the patrol alone", { err: error }),
    });
    this.#launcher = new Launcher(
      { path: options.supervisorPath, stateDir: options.stateDir },
      {
        onFailed: (id, errno) => this.#launchFailed(id, errno),
        onDied: () => this.#someSupervisorDied(),
        onRestarted: () => this.#submitAgain(),
        log: options.log,
      },
    );
    this.#launches = new Launches({ ...this.#options, launcher: this.#launcher }, events);
    this.#containers = new Containers({ ...options, active: events.active, specOf: events.specOf });
    this.#patrol = setInterval(() => this.#patrolSome(), patrolMs);
  }

  reference(): string {
    return this.#bootId;
  }

  launch(job: ActiveJob, request: LaunchRequest): void {
    this.#launches.launch(this.#supervisedOf(job), request);
  }

  adopt(job: ActiveJob, reference: string | null): void {
    const supervised = this.#supervisedOf(job);
    job.launching(null);
    this.#refresh(supervised);
    if (job.phase.kind === "Launching") {
      if (reference !== this.#bootId) return this.#events.onFinished(job, job.lostView("Reboot"));
      if (supervised.statusSize() === null) return this.#launches.launchAgain(supervised);
    }
    this.#inspect(supervised);
  }

  stop(job: ActiveJob, how: StopRequest): void {
    const supervised = this.#supervisedOf(job);
    supervised.requestStop(how);
    if (supervised.awaitsRetry) {
      supervised.awaitsRetry = false;
      return this.#events.onFinished(job, job.killedView());
    }
    // While the job is being started, its ring may be on its way.
    this.#withoutShortage(supervised, () => (job.facts === null ? this.#refresh(supervised) : supervised.sendStop()));
  }

  signal(job: ActiveJob, signal: SentSignal): Signalled {
    this.refresh(job);
    return sendSignal(job, signal);
  }

  refresh(job: ActiveJob): void {
    const supervised = this.#supervisedOf(job);
    this.#withoutShortage(supervised, () => {
      if (!job.isRunning) return;
      const size = supervised.statusSize();
      if (size !== null && size !== supervised.status.bytes) this.#refresh(supervised);
    });
  }

  recovered(): void {
    void this.#containers.leftovers.checkAtStart();
  }

  health(): ExecutorHealth {
    const launcher = this.#launcher.isRunning ? "ok" : "the launcher is being started again";
    return { launcher, cgroups: this.#options.cgroupParent };
  }

  close(): void {
    clearInterval(this.#patrol);
    this.#containers.leftovers.close();
    this.#doorbell.close();
    this.#launcher.close();
  }

  #supervisedOf(job: ActiveJob): SupervisedJob {
    const known = this.#supervised.get(job);
    if (known !== undefined) return known;
    const supervised = new SupervisedJob(job);
    this.#supervised.set(job, supervised);
    return supervised;
  }

  #launchFailed(id: string, errno: number): void {
    const job = this.#events.active.get(id);
    if (job === undefined || job.phase.kind !== "Launching") return;
    this.#options.log("warn", "a supervisor could not be started; tried again", { job: id, errno });
    const why = errno > 0 ? explainErrno(errno) : "its supervisor could not be started";
    job.launching(`waits to be started, which is tried again until it succeeds: ${why}`);
    const supervised = this.#supervisedOf(job);
    this.#launches.retry(supervised);
    if (supervised.stopRequest !== null) this.stop(job, supervised.stopRequest);
  }

  /** A supervisor that was killed may not have claimed its job yet, or was a sweeper. */
  #someSupervisorDied(): void {
    for (const job of this.#events.active.values()) {
      const supervised = this.#supervisedOf(job);
      this.#withoutShortage(supervised, () => this.#inspect(supervised));
    }
    this.#submitAgain();
  }

  /** The launcher may not know a job without a status file. The claim of the status file keeps the job from running twice. */
  #submitAgain(): void {
    for (const job of this.#events.active.values()) {
      const supervised = this.#supervisedOf(job);
      if (job.phase.kind === "Launching" && !supervised.awaitsRetry) this.#launcher.run(job.id);
      supervised.sweepAskedMs = null;
    }
  }

  #refreshById(id: string, update: StatusUpdate | null): void {
    const job = this.#events.active.get(id);
    if (job === undefined) return;
    const supervised = this.#supervisedOf(job);
    this.#withoutShortage(supervised, () => this.#refresh(supervised, update));
  }

  /** Acts on the status file; `update`: what a ring brought of it. */
  #refresh(supervised: SupervisedJob, update: StatusUpdate | null = null): void {
    const { job } = supervised;
    if (!job.isRunning) return;
    const facts = supervised.status.facts(update);
    if (facts === null) return;
    for (const refused of supervised.newRefusals(facts.refusals))
      this.#options.log("warn", "a supervisor refused an event: a bug of jobrunner, please report it", { job: job.id, refused });
    const again = (): void => this.#withoutShortage(supervised, () => this.#refresh(supervised));
    facts.waitsFor = this.#userNames.added(facts.waitsFor, again);
    supervised.addAttempts(facts);
    const { isFinalized, containers } = this.#containers.finalize(job, facts, again);
    facts.containers = containers;
    if (facts.end !== null && !isFinalized) job.finishing(facts);
    else job.started(facts);
    if (facts.end !== null && isFinalized)
      return this.#events.onFinished(job, facts.end.kind === "done" ? job.view() : job.lostView("SupervisorLost"));
    supervised.sendStop();
    this.#events.onChange(job);
  }

  /** If the service has no file descriptor or memory for a check, the patrol tries again: neither a job nor a kill is lost for that. */
  #withoutShortage(supervised: SupervisedJob, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isShortage(error)) throw error;
      supervised.status.forget(); // or the patrol would see nothing new
      this.#options.log("warn", "a job could not be checked; tried again", { job: supervised.job.id, err: error });
    }
  }

  #patrolSome(): void {
    if (this.#round.length === 0) this.#round = [...this.#events.active.values()];
    const count = Math.max(1, Math.ceil(this.#events.active.size / patrolParts));
    for (const job of this.#round.splice(-count)) {
      const supervised = this.#supervisedOf(job);
      this.#withoutShortage(supervised, () => this.#inspect(supervised));
    }
  }

  /**
   * Finds what no ring reported: a status file that has grown, a stop that could not be sent, a supervisor that is gone. It checks whether
   * the supervisor lives before it reads the status file, because the last line precedes the death.
   */
  #inspect(supervised: SupervisedJob): void {
    const { job } = supervised;
    if (!job.isRunning) return;
    const size = supervised.statusSize();
    if (size === null) return;
    const bootId = job.facts?.bootId ?? this.#bootId;
    const isAlive = bootId === this.#bootId && liveness(job.directory) === "alive";
    if (isAlive && size === supervised.status.bytes) return supervised.sendStop();
    this.#refresh(supervised);
    if (!isAlive && job.isRunning && job.phase.kind !== "Finishing") this.#handleDeadSupervisor(supervised);
  }

  #handleDeadSupervisor(supervised: SupervisedJob): void {
    const { job } = supervised;
    if (job.facts === null) return this.#events.onFinished(job, job.lostView("SupervisorLost")); // claimed, nothing executed
    // After a reboot the recorded process IDs belong to other processes: nothing is signalled.
    if (job.facts.bootId !== this.#bootId) return this.#events.onFinished(job, job.lostView("Reboot"));
    const { sweepAskedMs } = supervised;
    if (sweepAskedMs !== null && performance.now() - sweepAskedMs < sweepRetryMs) return;
    supervised.sweepAskedMs = performance.now();
    this.#launcher.sweep(job.id);
  }
}

/** Null: kills find processes only by descent, which GET /healthz shows. The log shows only unusual reasons. */
function findCgroupParent(log: Log): string | null {
  const probe = probeCgroups();
  if (probe.kind === "usable") return probe.parent;
  if (probe.kind === "failed") log("warn", "no cgroup can be created for jobs", { problem: probe.problem });
  return null;
}
