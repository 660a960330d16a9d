import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { isAlive } from "./processes.ts";
import { repository } from "./service.ts";
import { waitFor } from "./wait.ts";

const names = ["docker", "podman"] as const;
export type EngineName = (typeof names)[number];

/** The environment that leads a client to its engine, and its configuration. */
const variables = ["DOCKER_HOST", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF", "XDG_RUNTIME_DIR"];

const scripts = join(repository, "test", "engines");

/** The engines that work and have the test image. Without test/engines/start there is usually none. */
export const engines: EngineName[] = names.filter(works);

/** A test for each engine. If an engine is missing, the test is skipped with the reason. */
export function engineTest(
  title: string,
  run: (t: TestContext, engine: Engine) => Promise<void>,
  concerned: readonly EngineName[] = names,
): void {
  for (const name of concerned) {
    const skip = engines.includes(name) ? false : `${name} is not there with its test image: see test/engines/start`;
    test(`${title} (${name})`, { skip }, (t) => run(t, new Engine(name)));
  }
}

export type Result = { code: number | null; stdout: string; stderr: string };

export class Engine {
  readonly name: EngineName;
  /** The environment that the service needs to use this engine. */
  readonly environment: Record<string, string>;

  constructor(name: EngineName, environment: Record<string, string> = {}) {
    this.name = name;
    this.environment = { JOBRUNNER_CONTAINER_ENGINE: name, ...presentVariables(), ...environment };
  }

  /** Runs the engine's client to its end, whatever its exit code. */
  run(...args: string[]): Promise<Result> {
    return run(this.name, args, this.environment);
  }

  /** The names of a job's containers, running or not. */
  containersOf(jobId: string): Promise<string[]> {
    return this.#labelled(`jobrunner.job=${jobId}`);
  }

  /** The names of all containers of jobs, running or not. */
  allContainers(): Promise<string[]> {
    return this.#labelled("jobrunner.job");
  }

  async #labelled(label: string): Promise<string[]> {
    const { code, stdout, stderr } = await this.run("ps", "--all", "--filter", `label=${label}`, "--format", "{{.Names}}");
    assert.equal(code, 0, stderr);
    return stdout.split("\n").filter((name) => name !== "");
  }
}

/** False, or the reason why a test that needs a daemon of its own is skipped: node:test's `skip`. */
export const canStartDockerd: string | false = whyNoDockerd();

/** A separate Docker daemon that a test may stop and start, with the test images. It is removed when the test is finished. */
export async function startDockerd(t: TestContext, options: { liveRestore: boolean }): Promise<TestDockerd> {
  const daemon = new TestDockerd(options);
  // Hooks run in the order of their registration. This one must run after those that the test registers later, because a service
  // needs its engine until it has stopped.
  t.after(() => t.after(() => daemon.tearDown()));
  await daemon.start();
  await runScript("images", ["docker"], daemon.environment);
  return daemon;
}

export class TestDockerd {
  readonly engine: Engine;
  readonly #folder = mkdtempSync(join(tmpdir(), "jr-"));
  readonly #options: string[];
  #pid = 0;

  constructor({ liveRestore }: { liveRestore: boolean }) {
    this.#options = liveRestore ? ["--live-restore"] : [];
    this.engine = new Engine("docker", { DOCKER_HOST: `unix://${this.#folder}/docker.sock` });
  }

  get environment(): Record<string, string> {
    return this.engine.environment;
  }

  get pid(): number {
    return this.#pid;
  }

  /** Starts the first daemon, or another one on the same folder. Resolves when it answers. */
  async start(): Promise<void> {
    await runScript("dockerd", [this.#folder, ...this.#options]);
    this.#pid = Number(readFileSync(join(this.#folder, "docker.pid"), "utf8"));
  }

  /** Kills only the daemon: its containerd and the containers continue. */
  async crash(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Without live restore the daemon first stops its containers. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async tearDown(): Promise<void> {
    // Only the daemon can remove what its containers have outside of the folder.
    if (!isAlive(this.#pid)) await this.start();
    await runScript("stop", [this.#folder]);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    process.kill(this.#pid, signal);
    await waitFor(`dockerd ends by ${signal}`, () => !isAlive(this.#pid), 60);
  }
}

/** A separate Podman, with the test images: a test may change its folder. It is removed when the test is finished. */
export async function ownPodman(t: TestContext): Promise<{ engine: Engine; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "jr-"));
  t.after(() => t.after(() => runScript("stop", [folder]))); // after the service, as above
  await runScript("podman", [folder]);
  const engine = new Engine("podman", {
    CONTAINERS_CONF: join(folder, "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
  });
  await runScript("images", ["podman"], engine.environment);
  return { engine, folder };
}

function works(name: EngineName): boolean {
  const given = process.env["TEST_ENGINES"];
  if (given !== undefined) return given.split(" ").includes(name);
  return spawnSync(name, ["image", "inspect", "busybox:latest"], { stdio: "ignore", timeout: 5000, killSignal: "SIGKILL" }).status === 0;
}

function whyNoDockerd(): string | false {
  if (process.getuid?.() !== 0) return "a Docker daemon needs root";
  for (const program of ["dockerd", "docker", "busybox"]) {
    if (!isOnPath(program)) return `${program} is not installed`;
  }
  return false;
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function presentVariables(): Record<string, string> {
  const present: Record<string, string> = {};
  for (const name of variables) {
    const value = process.env[name];
    if (value !== undefined) present[name] = value;
  }
  return present;
}

async function runScript(name: string, args: string[], environment: Record<string, string> = {}): Promise<void> {
  const { code, stderr } = await run(join(scripts, name), args, environment);
  assert.equal(code, 0, `test/engines/${name}: ${stderr}`);
}

function run(program: string, args: string[], environment: Record<string, string>): Promise<Result> {
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const result: Result = { code: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (result.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (result.stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...result, code }));
  });
}
