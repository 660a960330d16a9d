import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { Client, type WholeJob } from "../../src/client/index.ts";
import type { JobSpec } from "../../src/job/spec.ts";
import { type Answer, call, type CallOptions, open, type Reader } from "./http.ts";
import { argumentsOf, childrenOf, foldersOf, processesOf } from "./processes.ts";
import { waitFor } from "./wait.ts";

export const repository = resolve(import.meta.dirname, "..", "..");

/** Tests run what users run, the bundle; by hand also the source, with JOBRUNNER_SOURCE=1. */
export const sourceOrBundle = { JOBRUNNER_SOURCE: process.env["JOBRUNNER_SOURCE"] };

function refuseOldBundle(): void {
  const bundle = join(repository, "dist", "main.cjs");
  const madeMs = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  const newer = globSync("src/**/*.ts", { cwd: repository }).find((path) => statSync(join(repository, path)).mtimeMs > madeMs);
  assert.ok(newer === undefined, `${newer} is newer than the bundle, which is what the tests run: make (or set JOBRUNNER_SOURCE=1)`);
}

if (sourceOrBundle.JOBRUNNER_SOURCE !== "1") refuseOldBundle();

export type StartOptions = {
  environment?: Record<string, string>;
  stateDir?: string; // removed by whoever made it; else one is made and removed here
  program?: string; // another installation's
};

/**
 * The service as a user starts it, on a port and a state directory of its own. After the test it is stopped, and the test fails if a
 * process of it or its jobs is left.
 */
export async function startService(t: TestContext, options: StartOptions = {}): Promise<Service> {
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  const service = new Service(stateDir, options);
  t.after(async () => {
    await service.tearDown();
    if (options.stateDir !== undefined) return;
    for (const folder of foldersOf(stateDir)) rmSync(folder, { recursive: true, force: true });
  });
  await service.start();
  return service;
}

export class Service {
  readonly stateDir: string;
  readonly #options: StartOptions;
  #process: ChildProcess | null = null;
  #port = 0;
  #log = "";

  constructor(stateDir: string, options: StartOptions = {}) {
    this.stateDir = stateDir;
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    assert.ok(pid !== undefined, "the service runs");
    return pid;
  }

  /** All that the service has printed, since its first start. */
  get log(): string {
    return this.#log;
  }

  /** On the same state directory and port as before, if it ran before. */
  async start(environment: Record<string, string> = {}): Promise<void> {
    const child = this.spawn(environment);
    this.#process = child;
    const listening = /listens on http:\/\/127\.0\.0\.1:(\d+)/;
    const from = this.#log.length;
    await waitFor("the service listens", () => {
      assert.ok(child.exitCode === null && child.signalCode === null, `the service ended at once: ${this.#log.slice(from)}`);
      return listening.test(this.#log.slice(from));
    });
    this.#port = Number(listening.exec(this.#log.slice(from))?.[1]);
  }

  /** Starts the program without waiting for anything. */
  spawn(environment: Record<string, string> = {}): ChildProcess {
    const child = spawn(this.#options.program ?? join(repository, "bin", "jobrunner"), {
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        ...(this.#options.program === undefined ? sourceOrBundle : {}),
        JOBRUNNER_PORT: String(this.#port),
        JOBRUNNER_STATE_DIR: this.stateDir,
        JOBRUNNER_CONTAINER_ENGINE: "none", // tests that run containers name theirs
        ...this.#options.environment,
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (this.#log += chunk.toString()));
    return child;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#process;
    if (child === null) return null;
    child.kill(signal);
    return await this.gone();
  }

  /** Resolves when the service's process is no more, with its exit code. */
  async gone(): Promise<number | null> {
    const child = this.#process;
    if (child === null) return null;
    await waitFor("the service ends", () => child.exitCode !== null || child.signalCode !== null);
    this.#process = null;
    return child.exitCode;
  }

  /** Ends it at whatever instruction it is. */
  async crash(): Promise<void> {
    await this.stop("SIGKILL");
  }

  call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    return call(this.url, method, path, options);
  }

  /**
   * The typed client, as a program that uses it has it; `headers` are added to its own. What is about HTTP itself is asked by `call` and
   * `open`.
   */
  client(headers: Record<string, string> = {}): Client {
    // No connection is kept: the service may be killed between two calls.
    return new Client({
      url: this.url,
      fetch: async (url, init) => await fetch(url, { ...init, headers: { ...init.headers, Connection: "close", ...headers } }),
    });
  }

  async submit(spec: JobSpec, { "Idempotency-Key": idempotencyKey, ...headers }: Record<string, string> = {}): Promise<string> {
    return await this.client(headers).submit(spec, idempotencyKey === undefined ? {} : { idempotencyKey });
  }

  /** Submits, waits for the end, and gives the job with all its output. */
  async run(spec: JobSpec): Promise<{ job: WholeJob; output: Buffer }> {
    const id = await this.submit(spec);
    const job = await this.wait(id);
    return { job, output: await this.output(id) };
  }

  async get(id: string): Promise<WholeJob> {
    return await this.client().job(id);
  }

  /**
   * A job that is not finished by then hangs, on a slow and busy machine too: Podman makes its containers one after the other, at up to
   * a second each.
   */
  async wait(id: string): Promise<WholeJob> {
    return await this.client().wait(id, { timeoutSeconds: 300 });
  }

  async kill(id: string): Promise<void> {
    await this.client().kill(id);
  }

  async activeIds(): Promise<string[]> {
    return await this.client().running();
  }

  async output(id: string, query = ""): Promise<Buffer> {
    const answer = await this.call("GET", `/${id}/attach${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  }

  attach(id: string, query = "", headers: Record<string, string> = {}): Promise<Reader> {
    return open(this.url, "GET", `/${id}/attach${query}`, { headers });
  }

  open(method: string, path: string, headers: Record<string, string> = {}): Promise<Reader> {
    return open(this.url, method, path, { headers });
  }

  /** The process that keeps a job, as it has recorded itself. */
  supervisorOf(id: string): number {
    const pid = this.#recordedSupervisor(id);
    assert.ok(pid !== undefined, `no supervisor has taken ${id} yet`);
    return pid;
  }

  /** The same, as soon as there is one: a job is accepted before. */
  async supervisor(id: string): Promise<number> {
    await waitFor(`a supervisor takes ${id}`, () => this.#recordedSupervisor(id) !== undefined);
    return this.supervisorOf(id);
  }

  #recordedSupervisor(id: string): number | undefined {
    const path = join(this.stateDir, "jobs", id, "status");
    const [firstLine, ...others] = existsSync(path) ? readFileSync(path, "latin1").split("\n") : [];
    return others.length === 0 ? undefined : Number(firstLine?.split(" ")[3]);
  }

  /** The first processes of the steps that run now, and what steps have left behind. */
  childrenOfSupervisor(id: string): number[] {
    return childrenOf(this.supervisorOf(id));
  }

  workspaceOf(id: string): string {
    return join(this.stateDir, "jobs", id, "work");
  }

  /** The present launcher, as soon as there is one. */
  async launcher(): Promise<number> {
    const find = (): number | undefined => childrenOf(this.pid).find((pid) => argumentsOf(pid)[1] === "launch");
    await waitFor("a launcher runs", () => find() !== undefined);
    return find() ?? (await this.launcher());
  }

  /** Kills what still runs; a service that a test has stopped is started for that. */
  async killJobs(): Promise<void> {
    if (this.#process === null || this.#process.exitCode !== null || this.#process.signalCode !== null) await this.start();
    const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse(
      (await this.call("GET", "/jobs?state=Queued,Starting,Running,Stopping&limit=500")).text,
    );
    await Promise.all(Jobs.map(({ ID }) => this.call("DELETE", `/${ID}?force=true`)));
  }

  /** Kills what still runs, stops, and sees to it that nothing is left. */
  async tearDown(): Promise<void> {
    try {
      await this.killJobs();
    } finally {
      await this.stop();
    }
    await waitFor(`nothing of ${this.stateDir} is left running`, () => processesOf(this.stateDir).length === 0, 10);
  }
}
