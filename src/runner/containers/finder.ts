import { accessSync, constants, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Log } from "../log.ts";
import type { DockerDaemon } from "./docker-daemon.ts";
import { Engine, type EngineClient, type EngineKind, runClient } from "./engine.ts";

/** Finds the container engine of this machine. */

export type EngineState =
  | { kind: "ready"; engine: Engine; version: string }
  | { kind: "silent"; engine: Engine; problem: string } // there is a client, but no engine answers
  | { kind: "none"; problem: string };

export type EngineHealth = { engine: EngineKind | null; version: string | null; problem: string | null };

export type FinderOptions = {
  wanted: string; // "auto", "none", a name, or the path of a client
  environment: Record<string, string>; // of the clients, with PATH
  ownInit: string | null; // the program for the containers' first process; null: the engine's own
  log: Log;
};

const kinds: EngineKind[] = ["docker", "podman", "nerdctl"];
const askTimeoutMs = 10_000;
const freshMs = 1000; // how long to wait before searching again

const install = "install docker (Debian: apt-get install docker.io), podman or nerdctl";

export class EngineFinder {
  readonly #options: FinderOptions;
  #state: EngineState | null = null;
  #checkedMs = -Infinity;
  #checking: Promise<EngineState> | null = null;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** The result of the last search; null: the first search has not ended. */
  get known(): EngineState | null {
    return this.#state;
  }

  /** Searches for an engine. One that was ready is not asked again until `doubt` is called. */
  async find(): Promise<EngineState> {
    const isFresh = this.#state?.kind === "ready" || performance.now() - this.#checkedMs < freshMs;
    if (this.#state !== null && isFresh) return this.#state;
    this.#checking ??= this.#check().finally(() => (this.#checking = null));
    return await this.#checking;
  }

  /**
   * The result of the last search, for people. If a new search is due, this begins it, for the next caller. The first search begins soon
   * after the service's start (Leftovers).
   */
  health(): EngineHealth {
    const known = this.#state;
    if (known !== null) void this.find();
    if (known === null) return { engine: null, version: null, problem: "not known yet: the engine has not answered so far" };
    if (known.kind === "ready") return { engine: known.engine.client.kind, version: known.version, problem: null };
    return { engine: known.kind === "silent" ? known.engine.client.kind : null, version: null, problem: known.problem };
  }

  /** Call if the engine did not answer: the next `find` searches again. */
  doubt(): void {
    this.#checkedMs = -Infinity;
    if (this.#state?.kind === "ready") this.#state = { kind: "silent", engine: this.#state.engine, problem: "it did not answer" };
  }

  /** The daemon behind this client; null: only the client can be asked. */
  daemonOf({ path }: EngineClient): DockerDaemon | null {
    return this.#state?.kind === "ready" && this.#state.engine.client.path === path ? this.#state.engine.daemon : null;
  }

  /** The engine of this client, which may not be the present one. */
  engineOf(client: EngineClient): Engine {
    return new Engine(client, this.#options.environment, this.#options.ownInit);
  }

  async #check(): Promise<EngineState> {
    const before = this.#state?.kind;
    const state = await this.#ask();
    this.#state = state;
    this.#checkedMs = performance.now();
    if (state.kind === "ready" && before !== "ready") {
      this.#options.log("info", "containers are run by", {
        engine: state.engine.client.kind,
        path: state.engine.client.path,
        version: state.version,
      });
    } else if (state.kind !== "ready" && before !== undefined && before !== state.kind) {
      this.#options.log("warn", "no container can be run", { problem: state.problem });
    }
    return state;
  }

  /** Asks the engines in the order of their names. Prefers one that answers to one that does not. */
  async #ask(): Promise<EngineState> {
    const { wanted } = this.#options;
    if (wanted === "none") return { kind: "none", problem: "containers are switched off by JOBRUNNER_CONTAINER_ENGINE=none" };
    const names = wanted === "auto" ? kinds : [wanted];
    let silent: EngineState | null = null;
    for (const name of names) {
      const client = await this.#clientNamed(name);
      if (client === null) continue;
      const engine = this.engineOf(client);
      try {
        return { kind: "ready", engine, version: await engine.version() };
      } catch (error) {
        silent ??= { kind: "silent", engine, problem: error instanceof Error ? error.message : String(error) };
      }
    }
    if (silent !== null) return silent;
    const missing =
      wanted === "auto" ? "no container engine is on this box" : `JOBRUNNER_CONTAINER_ENGINE is ${wanted}, which is not on this box`;
    return { kind: "none", problem: `${missing}: ${install}` };
  }

  async #clientNamed(name: string): Promise<EngineClient | null> {
    const path = findProgram(name, this.#options.environment["PATH"] ?? "");
    if (path === null) return null;
    // A program called "docker" may be podman.
    const { stdout, stderr } = await runClient(path, ["--version"], { environment: this.#options.environment, timeoutMs: askTimeoutMs });
    const kind = kinds.find((known) => stdout.toLowerCase().startsWith(known)) ?? kinds.find((known) => basename(name) === known);
    if (kind === undefined)
      this.#options.log("warn", "JOBRUNNER_CONTAINER_ENGINE is neither docker, podman nor nerdctl", { path, said: stdout || stderr });
    return kind === undefined ? null : { kind, path };
  }
}

/** The absolute path of a program, found as by a shell; null: there is none. */
export function findProgram(name: string, searchPath: string): string | null {
  const candidates = name.includes("/")
    ? [resolve(name)]
    : searchPath
        .split(":")
        .filter((folder) => folder.startsWith("/"))
        .map((folder) => join(folder, name));
  return candidates.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
