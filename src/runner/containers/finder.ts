import { accessSync, constants, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Log } from "../log.ts";
import type { DockerDaemon } from "./docker-daemon.ts";
import { Engine, type EngineClient, type EngineKind, runClient } from "./engine.ts";

/** Which container engine this box has. */

export type EngineState =
  | { kind: "ready"; engine: Engine; version: string }
  | { kind: "silent"; engine: Engine; problem: string } // there is a client, but no engine answers it
  | { kind: "none"; problem: string };

export type EngineHealth = { engine: EngineKind | null; version: string | null; problem: string | null };

export type FinderOptions = {
  wanted: string; // "auto", "none", a name, or the path of a client
  environment: Record<string, string>; // of the clients; PATH among them
  ownInit: string | null; // the program to be the containers' first process; null: the engine's own
  log: Log;
};

const kinds: EngineKind[] = ["docker", "podman", "nerdctl"];
const askTimeoutMs = 10_000;
const freshMs = 1000; // how long what was found missing is not looked for again

const install = "install docker (Debian: apt-get install docker.io), podman or nerdctl";

export class EngineFinder {
  readonly #options: FinderOptions;
  #state: EngineState | null = null;
  #checkedMs = -Infinity;
  #checking: Promise<EngineState> | null = null;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** What was last found; null before the first look has ended. */
  get known(): EngineState | null {
    return this.#state;
  }

  /** What there is now. An engine that was ready is not asked again, until `doubt`. */
  async find(): Promise<EngineState> {
    const isFresh = this.#state?.kind === "ready" || performance.now() - this.#checkedMs < freshMs;
    if (this.#state !== null && isFresh) return this.#state;
    this.#checking ??= this.#check().finally(() => (this.#checking = null));
    return await this.#checking;
  }

  /**
   * What was found last, for people; a look that is due is begun for whoever asks next. The first one comes soon after the start by itself
   * (Leftovers).
   */
  health(): EngineHealth {
    const known = this.#state;
    if (known !== null) void this.find();
    if (known === null) return { engine: null, version: null, problem: "not known yet: the engine was not heard of so far" };
    if (known.kind === "ready") return { engine: known.engine.client.kind, version: known.version, problem: null };
    return { engine: known.kind === "silent" ? known.engine.client.kind : null, version: null, problem: known.problem };
  }

  /** The engine did not answer: it is looked for again the next time. */
  doubt(): void {
    this.#checkedMs = -Infinity;
    if (this.#state?.kind === "ready") this.#state = { kind: "silent", engine: this.#state.engine, problem: "it did not answer" };
  }

  /** The daemon that answers this client; null: the client itself is to be asked. */
  daemonOf({ path }: EngineClient): DockerDaemon | null {
    return this.#state?.kind === "ready" && this.#state.engine.client.path === path ? this.#state.engine.daemon : null;
  }

  /** An engine for containers that were made by another client than the present one's. */
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

  /** In the order of names; one that answers before one that does not. */
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
    // A "docker" may be podman's.
    const { stdout, stderr } = await runClient(path, ["--version"], { environment: this.#options.environment, timeoutMs: askTimeoutMs });
    const kind = kinds.find((known) => stdout.toLowerCase().startsWith(known)) ?? kinds.find((known) => basename(name) === known);
    if (kind === undefined)
      this.#options.log("warn", "JOBRUNNER_CONTAINER_ENGINE is neither docker, podman nor nerdctl", { path, said: stdout || stderr });
    return kind === undefined ? null : { kind, path };
  }
}

/** The absolute path of a program, as a shell finds it; null: there is none. */
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
