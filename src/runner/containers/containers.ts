import { setTimeout } from "node:timers/promises";
import { type ClientEnd, type ContainerFacts, provenState } from "../../job/container.ts";
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
  instance: string; // the name of this service in the labels of containers
  active: ReadonlyMap<string, ActiveJob>;
  specOf: (job: ActiveJob) => JobSpec | null;
  watchers: OutputWatchers;
  log: Log;
};

/** A job's end waits this long for an engine that does not answer. The containers are removed when it does. */
const timeoutMs = 60_000;
const againMs = 500;

/** Finds out how containers ended, and removes them before their job is finished. */
export class Containers {
  readonly leftovers: Leftovers;
  readonly #options: ContainersOptions;
  readonly #batches = new Map<string, Batches>(); // by the path of the client
  readonly #finalizing = new Set<string>(); // names
  readonly #ended = new WeakMap<ActiveJob, Map<number, ContainerFacts>>(); // by step: containers that are gone

  constructor(options: ContainersOptions) {
    this.#options = options;
    this.leftovers = new Leftovers(options);
  }

  /**
   * The facts of the job's containers that are gone, by step, and whether that is all whose steps have ended. If not, they are finalized,
   * and `onFinalized` is called for each. Steps that still run are left alone.
   */
  finalize(
    job: ActiveJob,
    facts: JobFacts,
    onFinalized: () => void,
  ): { isFinalized: boolean; containers: ReadonlyMap<number, ContainerFacts> } {
    const containers = this.#ended.get(job) ?? new Map<number, ContainerFacts>();
    this.#ended.set(job, containers);
    const open = job.containerSteps.filter((number) => hasEnded(facts, number) && !containers.has(number));
    for (const number of open) {
      const name = containerName(job.id, number);
      if (this.#finalizing.has(name)) continue;
      this.#finalizing.add(name);
      const keep = async (): Promise<void> => {
        containers.set(number, await this.#finalizeOrGiveUp(job, number, facts));
        this.#finalizing.delete(name);
        onFinalized();
      };
      void keep();
    }
    return { isFinalized: open.length === 0, containers };
  }

  /** Never rejects. */
  async #finalizeOrGiveUp(job: ActiveJob, number: number, facts: JobFacts): Promise<ContainerFacts> {
    try {
      return await this.#finalize(job, number, facts);
    } catch (error) {
      const container = containerName(job.id, number);
      this.#options.log("error", "a container's end could not be determined", { job: job.id, container, err: error });
      return { kind: "unknown", hasRun: false, clientSaid: null, refusal: null };
    }
  }

  async #finalize(job: ActiveJob, number: number, facts: JobFacts): Promise<ContainerFacts> {
    const name = containerName(job.id, number);
    const engine = await this.#engineOf(job);
    const isGone = await this.#removeInTime(engine, job, number);
    if (!isGone) this.#options.log("warn", "a container could not be removed; it is tried again", { job: job.id, container: name });
    // If an engine was creating a container while the job was killed, it may finish the creation only now.
    if (!isGone || facts.stops.length > 0 || facts.end?.kind === "swept") this.leftovers.checkSoon(engine);
    const ended = facts.steps.get(number)?.ended;
    const client: ClientEnd = ended === null || ended === undefined ? { exitCode: null, signal: null } : decodeWaitStatus(ended.waitStatus);
    return await this.#factsOf(job, number, { client, engine, isGone, outputBytes: ended?.outputBytes ?? 0 });
  }

  async #removeInTime(engine: Engine, job: ActiveJob, number: number): Promise<boolean> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const request = { name: containerName(job.id, number), keep: (json: string) => this.#keep(job, number, json) };
      const said = await this.#options.finder.daemonOf(engine.client)?.finalize(request);
      if (said ?? (await this.#batchesOf(engine).finalize(request))) return true;
      this.#options.finder.doubt();
      if (performance.now() > endMs) return false;
      await setTimeout(againMs);
    }
  }

  /** Stores the engine's report on a container. False: it could not be stored, so the container must stay. */
  #keep(job: ActiveJob, number: number, json: string): boolean {
    try {
      if (files.readState(job.directory, number) === null) files.writeState(job.directory, number, json);
      return true;
    } catch (error) {
      const container = containerName(job.id, number);
      this.#options.log("warn", "the engine's report on a container could not be stored; tried again", {
        job: job.id,
        container,
        err: error,
      });
      return false;
    }
  }

  async #factsOf(job: ActiveJob, number: number, at: Ended): Promise<ContainerFacts> {
    const json = files.readState(job.directory, number);
    const state = json === null ? null : readJson(json);
    const secrets = this.#options.specOf(job)?.Secrets ?? {};
    const said = mayBeTheEngine(at.client)
      ? await clientSaid({ directory: job.directory, watchers: this.#options.watchers }, number, secrets)
      : null;
    const evidence = {
      hasRun: at.outputBytes > 0 && files.hasOwnStreams(job.directory, number), // nobody but the command writes to these
      clientSaid: said?.sentence ?? null,
      refusal: said?.refusal ?? null,
    };
    if (state !== null) return { ...provenState(state, evidence.hasRun), ...evidence };
    if (!at.isGone) return { kind: "unknown", ...evidence };
    return {
      kind: "none",
      isImageThere: said !== null && (await this.#isImageThere(job, number, { engine: at.engine, isPullOver: said.isPullOver })),
      ...evidence,
    };
  }

  /** Whether the engine had the image when it created the container. An image that is always pulled counts only after its pull. */
  async #isImageThere(job: ActiveJob, number: number, { engine, isPullOver }: { engine: Engine; isPullOver: boolean }): Promise<boolean> {
    const command = this.#options.specOf(job)?.Commands?.[number - 1];
    if (command?.Image === undefined) return true;
    return (command.Pull !== "always" || isPullOver) && (await engine.hasImage(command.Image));
  }

  /** The engine that created the containers: the service may use another one by now. */
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

type Ended = { client: ClientEnd; engine: Engine; isGone: boolean; outputBytes: number };

/** Whether the step's client was started, and has ended or its end will never be recorded. */
function hasEnded(facts: JobFacts, number: number): boolean {
  const step = facts.steps.get(number);
  if (step === undefined || step.started === null) return false;
  return step.ended !== null || facts.end !== null;
}
