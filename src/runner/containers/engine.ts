import { execFile } from "node:child_process";
import type { ContainerState } from "../../job/container.ts";
import { DockerDaemon, socketPathOf } from "./docker-daemon.ts";
import { dockerInitTarget } from "./own-init.ts";

/** A container engine, used by its command line: docker, podman and nerdctl accept the same words for nearly everything. */

export type EngineKind = "docker" | "podman" | "nerdctl";

/** The client that created a job's containers. `path` is absolute. */
export type EngineClient = { kind: EngineKind; path: string };

/** The answer of `inspect` about a container. */
export type Inspected = { kind: "found"; json: string } | { kind: "none" } | { kind: "unknown" };

export type ClientResult = { exitCode: number | null; stdout: string; stderr: string };

/** An engine that needs longer for one answer counts as one that does not answer. */
const answerTimeoutMs = 30_000;
const removeTimeoutMs = 600_000;
const maxAnswerBytes = 64 << 20;

export const labels = { job: "jobrunner.job", step: "jobrunner.step", instance: "jobrunner.instance" } as const;

export function containerName(jobId: string, step: number): string {
  return `jobrunner-${jobId}-${step}`;
}

/** The words that kill and remove containers. Without --time, podman waits for them to end by themselves. */
export function removeWords(kind: EngineKind): string[] {
  return ["rm", "--force", "--volumes", ...(kind === "podman" ? ["--time", "0"] : [])];
}

/** The version of the daemon, not of the client. podman is both, unless it uses a service. */
const versionWords: Record<EngineKind, string[]> = {
  docker: ["version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}{{range .Server.Components}} {{.Name}}{{end}}"],
  podman: ["info", "--format", "{{.Version.Version}} {{.Host.ServiceIsRemote}} {{.Host.OCIRuntime.Name}}"],
  nerdctl: ["info", "--format", "{{.ServerVersion}}"],
};

/** Docker's version does not include these. */
const dockerRuntimeWords = ["info", "--format", "{{.DefaultRuntime}}"];
const dockerHostWords = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];

/**
 * Runtimes that are known to run containers on this machine's kernel. On another kernel (gVisor, Kata Containers), a container cannot open
 * our FIFOs.
 */
const runtimesOfThisKernel = ["runc", "io.containerd.runc.v2", "crun", "youki", "nvidia", "sysbox-runc"];

export class Engine {
  readonly client: EngineClient;
  readonly environment: Record<string, string>; // of the client, which finds logins, contexts and the engine by it
  readonly #ownInit: string | null;
  #takesOwnInit = false;
  #daemon: DockerDaemon | null = null;

  /** `ownInit`: the program for the containers' first process; null: the engine's own. */
  constructor(client: EngineClient, environment: Record<string, string>, ownInit: string | null = null) {
    this.client = client;
    this.environment = environment;
    this.#ownInit = ownInit;
  }

  /** The version of the daemon. Rejects with a sentence, usually the engine's own, if it does not answer. */
  async version(): Promise<string> {
    const { kind } = this.client;
    const ask = (words: string[]): Promise<ClientResult> | null => (kind === "docker" ? this.run(words) : null);
    const [result, dockers, host] = await Promise.all([this.run(versionWords[kind]), ask(dockerRuntimeWords), ask(dockerHostWords)]);
    const [version = "", ...more] = result.stdout.trim().split(" ");
    if (result.exitCode !== 0 || version === "") throw new Error(lastLine(result.stderr) ?? "it does not answer");
    const runtime = dockers === null ? more[1] : dockers.stdout.trim();
    // Podman may answer Docker's client, but then does not support this mount. As a service, it may run on another machine.
    const takesIt = kind === "docker" ? !more.includes("Podman") : kind === "podman" && more[0] === "false";
    this.#takesOwnInit = takesIt && runtimesOfThisKernel.includes(runtime ?? "");
    const socketPath = host?.exitCode === 0 ? socketPathOf(host.stdout.trim()) : null;
    const isVersion = /^\d+\.\d+$/.test(more[0] ?? "");
    this.#daemon =
      socketPath === null || !isVersion ? null : new DockerDaemon({ socketPath, version: more[0] ?? "", timeoutMs: answerTimeoutMs });
    return version;
  }

  /** Docker's daemon, if it is on this machine and has answered. It can be asked directly. */
  get daemon(): DockerDaemon | null {
    return this.#daemon;
  }

  /** Whether containers get our own init, and so their own streams to the supervisor. */
  get hasOwnInit(): boolean {
    return this.#takesOwnInit && this.#ownInit !== null;
  }

  get initWords(): string[] {
    if (!this.hasOwnInit || this.#ownInit === null) return ["--init"];
    if (this.client.kind === "podman") return ["--init", `--init-path=${this.#ownInit}`];
    return ["--init", mount({ source: this.#ownInit, target: dockerInitTarget, isReadOnly: true })];
  }

  /** The supervisor stores the output, so the engine must not store it again. nerdctl has no option for that. */
  get outputWords(): string[] {
    return this.client.kind === "nerdctl" ? [] : ["--log-driver=none"];
  }

  /** Switches off health checks of images, which are meant for services. nerdctl has none. */
  get healthWords(): string[] {
    return this.client.kind === "nerdctl" ? [] : ["--no-healthcheck"];
  }

  /** The answers by the containers' names. `unknown`: the engine did not answer. */
  async inspect(names: string[]): Promise<Map<string, Inspected>> {
    const { stdout, stderr } = await this.run(["inspect", "--type", "container", "--format", "{{.Name}} {{json .State}}", ...names]);
    const found = new Map(
      stdout.split("\n").flatMap((line): [string, string][] => {
        const [, name, json] = /^\/?(\S+) (\{.*\})$/.exec(line) ?? [];
        return name === undefined || json === undefined ? [] : [[name, json]];
      }),
    );
    const isMissing = (name: string): boolean =>
      stderr.split("\n").some((line) => /no such (object|container)/i.test(line) && line.includes(name));
    return new Map(
      names.map((name): [string, Inspected] => {
        const json = found.get(name);
        if (json !== undefined) return [name, { kind: "found", json }];
        return [name, { kind: isMissing(name) ? "none" : "unknown" }];
      }),
    );
  }

  /** Kills and removes containers by name. Resolves with whether the engine says that none of them is left. */
  async remove(names: string[]): Promise<boolean> {
    const { exitCode } = await this.run([...removeWords(this.client.kind), ...names]);
    return exitCode === 0;
  }

  /** The names of all containers with this label, running or not. Rejects if the engine does not answer. */
  async list(label: string): Promise<string[]> {
    const { exitCode, stdout, stderr } = await this.run(["ps", "--all", "--filter", `label=${label}`, "--format", "{{.Names}}"]);
    if (exitCode !== 0) throw new Error(lastLine(stderr) ?? "no answer");
    return stdout.split("\n").filter((name) => name !== "");
  }

  /**
   * Removes a folder that contains files of a container's users. Folder and parent belong to the service. `program` is the supervisor's;
   * its command "remove" runs in the job's image, which need not contain any program. Rejects with the client's words.
   */
  async removeFolder({
    folder,
    parent,
    image,
    program,
  }: {
    folder: string;
    parent: string;
    image: string;
    program: string;
  }): Promise<void> {
    const mounts = [
      mount({ source: parent, target: parent }),
      mount({ source: program, target: "/jobrunner-supervisor", isReadOnly: true }),
    ];
    const limits = ["--rm", "--pull=never", "--network=none", "--user=0:0", ...this.healthWords];
    const inContainer = ["run", ...limits, ...this.outputWords, ...mounts, "--entrypoint=/jobrunner-supervisor", image, "remove", folder];
    // Rootless Podman's files belong to a user namespace, which can be entered without an image.
    const words = this.client.kind === "podman" && process.getuid?.() !== 0 ? ["unshare", program, "remove", folder] : inContainer;
    const { exitCode, stderr } = await this.run(words, { timeoutMs: removeTimeoutMs });
    if (exitCode !== 0) throw new Error(lastLine(stderr) ?? "no answer");
  }

  async hasImage(image: string): Promise<boolean> {
    return (await this.run(["image", "inspect", "--format", "{{.Id}}", image])).exitCode === 0;
  }

  run(words: string[], { timeoutMs = answerTimeoutMs }: { timeoutMs?: number } = {}): Promise<ClientResult> {
    return runClient(this.client.path, words, { environment: this.environment, timeoutMs });
  }
}

/** Runs a client to its end. Never rejects. `exitCode` null: the client could not be started, or did not end in time. */
export function runClient(
  path: string,
  words: string[],
  how: { environment: Record<string, string>; timeoutMs: number },
): Promise<ClientResult> {
  const options = { env: how.environment, timeout: how.timeoutMs, killSignal: "SIGKILL", maxBuffer: maxAnswerBytes, cwd: "/" } as const;
  return new Promise((resolve) => {
    execFile(path, words, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      resolve({ exitCode, stdout, stderr: exitCode === null ? `${stderr}\n${error?.message ?? ""}` : stderr });
    });
  });
}

/** A bind mount as the clients parse it: a line of CSV (RFC 4180), so a path may contain any character. */
export function mount({ source, target, isReadOnly = false }: { source: string; target: string; isReadOnly?: boolean }): string {
  const fields = ["type=bind", `source=${source}`, `target=${target}`, ...(isReadOnly ? ["readonly"] : [])];
  return `--mount=${fields.map((field) => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",")}`;
}

function lastLine(text: string): string | null {
  return (
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .at(-1) ?? null
  );
}

/** Parses a container's state, with the fields that docker, podman and nerdctl share. Null: it is not such JSON. */
export function readState(json: string): ContainerState | null {
  const state: unknown = parse(json);
  if (typeof state !== "object" || state === null || !("Status" in state)) return null;
  // If the client died just after it had started a container, Podman reports "initialized", without a time of the start.
  if (("Running" in state && state.Running === true) || state.Status === "initialized") return { kind: "running" };
  const wasStarted = isTime("StartedAt" in state && state.StartedAt) || isTime("FinishedAt" in state && state.FinishedAt);
  if (state.Status === "created" || !wasStarted) return { kind: "never-started" };
  if (!["exited", "stopped", "dead"].includes(String(state.Status))) return { kind: "running" }; // then the exit code means nothing
  if (!("ExitCode" in state) || typeof state.ExitCode !== "number") return null;
  return { kind: "exited", exitCode: state.ExitCode, isOutOfMemory: "OOMKilled" in state && state.OOMKilled === true };
}

/** All clients use the year 1 for "never". */
function isTime(value: unknown): boolean {
  return typeof value === "string" && value !== "" && !value.startsWith("0001-");
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null; // the file is incomplete, so it does not count
  }
}
