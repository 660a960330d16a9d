import { setTimeout } from "node:timers/promises";
import type { ClientEnd, ContainerFacts } from "../../job/container.ts";
import type { JobFacts } from "../../job/facts.ts";
import { decodeWaitStatus } from "../../job/outcome.ts";
import type { JobSpec } from "../../job/spec.ts";
import type { OutputWatchers } from "../../output/watcher.ts";
import type { ActiveJob } from "../active-job.ts";
import type { Log } from "../log.ts";
import { Batches } from "./batches.ts";
import { containerName, type Engine, readState as readJson } from "./engine.ts";
import * as files from "./files.ts";
import type { EngineFinder } from "./finder.ts";
import { Leftovers } from "./leftovers.ts";
import { clientSaid, mayBeTheEngine } from "./said.ts";

export type ContainersOptions = {
  finder: EngineFinder;
  instance: string; // which service's containers
  active: ReadonlyMap<string, ActiveJob>;
  specOf: (id: string) => JobSpec | null;
  watchers: OutputWatchers;
  log: Log;
};

/** A job's end waits so long for an engine that does not answer; its containers are removed when it does. */
const timeoutMs = 60_000;
const againMs = 500;

/** What became of containers, and that none is left of a job that is finished. */
export class Containers {
  readonly leftovers: Leftovers;
  readonly #options: ContainersOptions;
  readonly #batches = new Map<string, Batches>(); // by the path of the client
  readonly #settling = new Set<string>(); // names

  constructor(options: ContainersOptions) {
    this.#options = options;
    this.leftovers = new Leftovers(options);
  }

  /**
   * Whether of every container of the job it is known how it ended, and that it is gone. Where not, this is seen to, and `onNews` called for
   * each; steps that still run are left alone.
   */
  areFinalized(job: ActiveJob, facts: JobFacts, onNews: () => void): boolean {
    const open = job.containerSteps.filter((number) => isFinished(facts, number) && !job.containers.has(number));
    for (const number of open) void this.#finalizeOnce(job, number, facts, onNews);
    return open.length === 0;
  }

  async #finalizeOnce(job: ActiveJob, number: number, facts: JobFacts, onNews: () => void): Promise<void> {
    const name = containerName(job.id, number);
    if (this.#settling.has(name)) return;
    this.#settling.add(name);
    let known: ContainerFacts = { kind: "unknown", clientSaid: null, refusal: null };
    try {
      known = await this.#finalize(job, number, facts);
    } catch (error) {
      this.#options.log("error", "what became of a container could not be found out", { job: job.id, container: name, err: error });
    }
    this.#settling.delete(name);
    job.containers.set(number, known);
    onNews();
  }

  async #finalize(job: ActiveJob, number: number, facts: JobFacts): Promise<ContainerFacts> {
    const name = containerName(job.id, number);
    const engine = await this.#engineOf(job);
    const isGone = await this.#removeInTime(engine, job, number);
    if (!isGone) this.#options.log("warn", "a container could not be removed; it is tried again", { job: job.id, container: name });
    // One that is made late by an engine that was told to when its job was being killed turns up now.
    if (!isGone || facts.stops.length > 0 || facts.swept !== null) this.leftovers.checkSoon(engine);
    const ended = facts.steps.get(number)?.ended;
    const client: ClientEnd = ended === null || ended === undefined ? { exitCode: null, signal: null } : decodeWaitStatus(ended.waitStatus);
    return await this.#factsOf(job, number, { client, engine, isGone });
  }

  async #removeInTime(engine: Engine, job: ActiveJob, number: number): Promise<boolean> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const keep = (json: string): void => {
        if (files.readState(job.directory, number) === null) files.writeState(job.directory, number, json);
      };
      const request = { name: containerName(job.id, number), keep };
      const said = await this.#options.finder.daemonOf(engine.client)?.finalize(request);
      if (said ?? (await this.#batchesOf(engine).finalize(request))) return true;
      this.#options.finder.doubt();
      if (performance.now() > endMs) return false;
      await setTimeout(againMs);
    }
  }

  async #factsOf(job: ActiveJob, number: number, at: { client: ClientEnd; engine: Engine; isGone: boolean }): Promise<ContainerFacts> {
    const json = files.readState(job.directory, number);
    const state = json === null ? null : readJson(json);
    const secrets = this.#options.specOf(job.id)?.Secrets ?? {};
    const said = mayBeTheEngine(at.client)
      ? await clientSaid({ directory: job.directory, watchers: this.#options.watchers }, number, secrets)
      : null;
    const words = { clientSaid: said?.sentence ?? null, refusal: said?.refusal ?? null };
    if (state !== null) return { ...state, ...words };
    if (!at.isGone) return { kind: "unknown", ...words };
    return {
      kind: "none",
      isImageThere: said !== null && (await this.#isImageThere(job, number, { engine: at.engine, isPullOver: said.isPullOver })),
      ...words,
    };
  }

  /** Whether the image was there to make a container of; one that is always pulled anew is so only after that. */
  async #isImageThere(job: ActiveJob, number: number, { engine, isPullOver }: { engine: Engine; isPullOver: boolean }): Promise<boolean> {
    const command = this.#options.specOf(job.id)?.Commands?.[number - 1];
    if (command?.Image === undefined) return true;
    return (command.Pull !== "always" || isPullOver) && (await engine.hasImage(command.Image));
  }

  /** That which made them: the service may have been started with another since. */
  async #engineOf(job: ActiveJob): Promise<Engine> {
    const made = files.readEngine(job.directory);
    if (made !== null) return this.#options.finder.engineOf(made.client);
    const state = await this.#options.finder.find();
    if (state.kind === "none") throw new Error(state.problem);
    return state.engine;
  }

  #batchesOf(engine: Engine): Batches {
    const { path } = engine.client;
    const known = this.#batches.get(path);
    if (known !== undefined) return known;
    const batches = new Batches(engine);
    this.#batches.set(path, batches);
    return batches;
  }
}

/** Its client was started, and has ended or will not be heard of any more. */
function isFinished(facts: JobFacts, number: number): boolean {
  const step = facts.steps.get(number);
  if (step === undefined || step.started === null) return false;
  return step.ended !== null || facts.done !== null || facts.swept !== null;
}
