import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { randomUUID } from "node:crypto";

/** Runs real jobs by a real launcher, and reads their directories. ../formats.h draws the formats. */

export const program = resolve(process.env["JOBRUNNER_SUPERVISOR"] ?? join(import.meta.dirname, "../../build/jobrunner-supervisor"));
/** A command that runs the program, such as valgrind. */
const usualWrapper = (process.env["JOBRUNNER_SUPERVISOR_WRAPPER"] ?? "").split(" ").filter((word) => word !== "");

export const isWrapped = usualWrapper.length > 0;

export type Step = {
  run?: string; // for bash -c
  args?: string[];
  workdir?: string;
  runOn?: "success" | "failure" | "always";
  ignoreError?: boolean;
  isMerged?: boolean; // standard output and error
  timeoutMs?: number;
  env?: Record<string, string>;
  settle?: string; // for bash -c: the step is run by a client
  streams?: string; // a folder in the job directory, which is created
};

export type Plan = {
  steps: Step[];
  stopSignal?: number;
  stopTimeoutMs?: number;
  timeoutMs?: number;
  idleTimeoutMs?: number;
  drainTimeoutMs?: number;
  stdin?: string;
  cgroup?: string;
  secrets?: string[];
  user?: string; // "uid gid gid..."
  env?: Record<string, string>;
};

export type IndexRecord = { end: number; timeNs: bigint; lost: number; step: number; stream: number };

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const patienceMs = 30_000;
const { ASAN_OPTIONS } = process.env;
const sanitizerOptions = ASAN_OPTIONS === undefined ? {} : { ASAN_OPTIONS };

export async function until<T>(what: string, look: () => T | undefined | null | false): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`did not come about: ${what}`);
    await new Promise((wake) => setTimeout(wake, 3));
  }
}

export class Job {
  readonly id: string;
  readonly directory: string;

  constructor(id: string, directory: string) {
    this.id = id;
    this.directory = directory;
  }

  /** The complete lines of the status file. */
  status(): string[] {
    const file = join(this.directory, "status");
    return existsSync(file) ? readFileSync(file, "latin1").split("\n").slice(0, -1) : [];
  }

  /** The other fields of the lines with this first word. */
  lines(word: string): string[][] {
    return this.status()
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.split(" ").slice(1));
  }

  /** The order of events, by first words and steps: "start 1", "end 1", "stop kill", "done". */
  events(): string[] {
    return this.status()
      .slice(1)
      .map((line) => {
        const [word = "", first = "", second = ""] = line.split(" ");
        if (word === "stop") return `stop ${second}`;
        return word === "done" || word === "swept" ? word : `${word} ${first}`;
      });
  }

  output(): Buffer {
    return readFileSync(join(this.directory, "output"));
  }

  text(): string {
    return this.output().toString("latin1");
  }

  index(): IndexRecord[] {
    const bytes = readFileSync(join(this.directory, "index"));
    if (bytes.length % 32 !== 0) throw new Error("the index ends within a record");
    return Array.from({ length: bytes.length / 32 }, (_, number) => {
      const at = number * 32;
      if (bytes.readUIntBE(at + 29, 3) !== 0) throw new Error("the last three bytes of a record are not zero");
      return {
        end: Number(bytes.readBigUInt64LE(at)),
        timeNs: bytes.readBigInt64LE(at + 8),
        lost: Number(bytes.readBigUInt64LE(at + 16)),
        step: bytes.readUInt32LE(at + 24),
        stream: bytes.readUInt8(at + 28),
      };
    });
  }

  /** The output of this step and stream, according to the index. */
  part(step: number, stream: number): string {
    let from = 0;
    const parts: Buffer[] = [];
    const bytes = this.output();
    for (const record of this.index()) {
      if (record.step === step && record.stream === stream) parts.push(bytes.subarray(from, record.end));
      from = record.end;
    }
    return Buffer.concat(parts).toString("latin1");
  }

  async finished(): Promise<this> {
    await until(`the end of the job, which says ${JSON.stringify(this.status())}`, () =>
      /\n(done|swept) .*\n$/.test(`\n${this.status().join("\n")}\n`),
    );
    return this;
  }

  async printed(text: string): Promise<void> {
    await until(`output with ${text}`, () => existsSync(join(this.directory, "output")) && this.text().includes(text));
  }

  order(line: string): void {
    const fd = openSync(join(this.directory, "control"), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(fd, `${line}\n`);
    closeSync(fd);
  }

  isAlive(): boolean {
    try {
      closeSync(openSync(join(this.directory, "control"), constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch {
      return false;
    }
  }

  supervisorPid(): number {
    return Number(this.status()[0]?.split(" ")[3]);
  }
}

/** A state directory with a launcher. */
export class Box {
  readonly state: string;
  readonly heard: string[] = [];
  readonly logged: string[] = [];
  /** How many supervisors the test kills. Any other death is a crash, or a sanitizer's finding. */
  expectedDeaths = 0;
  wrapper = usualWrapper;
  #launcher: ChildProcess | null = null;

  constructor(parent = tmpdir()) {
    this.state = mkdtempSync(join(parent, "supervisor-test-"));
    mkdirSync(join(this.state, "jobs"));
    execFileSync("mkfifo", [join(this.state, "doorbell")]);
  }

  get launcher(): ChildProcess {
    if (this.#launcher !== null) return this.#launcher;
    const [file, ...args] = [...this.wrapper, program, "launch", this.state];
    const child = spawn(file, args, { detached: true, env: sanitizerOptions, cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
    child.stdout?.setEncoding("latin1").on("data", (text: string) => this.heard.push(...text.split("\n").slice(0, -1)));
    child.stderr?.setEncoding("latin1").on("data", (text: string) => this.logged.push(text));
    child.stdin?.on("error", () => undefined);
    this.#launcher = child;
    return child;
  }

  tell(line: string): void {
    this.launcher.stdin?.write(`${line}\n`);
  }

  prepare(plan: Plan): Job {
    const id = randomUUID();
    const directory = join(this.state, "jobs", id);
    mkdirSync(directory, { mode: 0o700 });
    if (plan.stdin !== undefined) writeFileSync(join(directory, "stdin-text"), plan.stdin);
    for (const { streams } of plan.steps) if (streams !== undefined) mkdirSync(join(directory, streams));
    writeFileSync(join(directory, "plan"), planBytes(plan, id, directory));
    return new Job(id, directory);
  }

  run(plan: Plan): Job {
    const job = this.prepare(plan);
    this.tell(`run ${job.id}`);
    return job;
  }

  async closeLauncher(): Promise<void> {
    const child = this.#launcher;
    if (child === null) return;
    this.#launcher = null;
    child.stdin?.end();
    await until("the launcher's end", () => child.exitCode !== null || child.signalCode !== null);
  }

  /** Throws if a process of a job is left, or a sanitizer has found something. */
  async close(): Promise<void> {
    const ids = readdirSync(join(this.state, "jobs"));
    await this.closeLauncher();
    const left = (): number[] => ids.flatMap((id) => [...processesOf(id), ...supervisorsOf(id)]);
    try {
      await until("the end of every process", () => left().length === 0);
    } catch (error) {
      // A failed test must not leave jobs to the next test.
      for (const pid of left()) process.kill(pid, "SIGKILL");
      throw error;
    }
    const refused = ids.flatMap((id) => new Job(id, join(this.state, "jobs", id)).status().filter((line) => line.startsWith("refused ")));
    rmSync(this.state, { recursive: true, force: true });
    const deaths = this.heard.filter((line) => line === "died").length;
    if (deaths > this.expectedDeaths) throw new Error(`${deaths} supervisors died, ${this.expectedDeaths} were to`);
    if (refused.length > 0) throw new Error(`events that the table of moves has no place for: ${refused.join("; ")}`);
    if (this.logged.length > 0) throw new Error(`the launcher or a supervisor said: ${this.logged.join("")}`);
  }
}

function planBytes(plan: Plan, id: string, directory: string): Buffer {
  const environment = { PATH: path, JOBRUNNER_JOB_ID: id, ...plan.env };
  const optional = (key: string, value: string | number | undefined): string[] => (value === undefined ? [] : [`${key}=${value}`]);
  return Buffer.from(
    [
      "jobrunner-plan 1",
      `id=${id}`,
      ...optional("cgroup", plan.cgroup),
      `stop_signal=${plan.stopSignal ?? 15}`,
      `stop_timeout_ms=${plan.stopTimeoutMs ?? 5000}`,
      ...optional("timeout_ms", plan.timeoutMs),
      ...optional("idle_timeout_ms", plan.idleTimeoutMs),
      ...optional("drain_timeout_ms", plan.drainTimeoutMs),
      ...optional("user", plan.user),
      ...(plan.secrets ?? []).map((secret) => `secret=${secret}`),
      ...(plan.stdin === undefined ? [] : ["stdin=stdin-text"]),
      ...Object.entries(environment).map(([name, value]) => `env=${name}=${value}`),
      ...plan.steps.flatMap((step) => [
        "step",
        ...optional("run_on", step.runOn),
        ...(step.ignoreError === true ? ["ignore_error=1"] : []),
        ...optional("timeout_ms", step.timeoutMs),
        ...(step.isMerged === true ? ["output=merged"] : []),
        `workdir=${resolve(directory, "work", step.workdir ?? ".")}`,
        ...(step.args ?? ["/bin/bash", "-c", step.run ?? ""]).map((argument) => `arg=${argument}`),
        ...Object.entries(step.env ?? {}).map(([name, value]) => `env=${name}=${value}`),
        ...optional("streams", step.streams),
        ...(step.settle === undefined ? [] : ["/bin/bash", "-c", step.settle].map((argument) => `settle=${argument}`)),
      ]),
      "end",
    ].join("\0") + "\0",
  );
}

/** Living processes of the job: those with its ID in their environment, or with a working directory in its workspace. */
export function processesOf(id: string): number[] {
  return pids().filter((pid) => isLiving(pid) && (marks(pid).includes(`JOBRUNNER_JOB_ID=${id}`) || home(pid).includes(`/jobs/${id}/work`)));
}

/** Living supervisors and sweepers of the job. */
function supervisorsOf(id: string): number[] {
  return pids().filter((pid) => isLiving(pid) && home(pid).endsWith(`/jobs/${id}`));
}

function marks(pid: number): string[] {
  return orNone(() => readFileSync(`/proc/${livingThread(pid) ?? pid}/environ`, "latin1")).split("\0");
}

function home(pid: number): string {
  return orNone(() => readlinkSync(`/proc/${livingThread(pid) ?? pid}/cwd`));
}

/** Returns "" if the process ends meanwhile. */
function orNone(look: () => string): string {
  try {
    return look();
  } catch {
    return "";
  }
}

export function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** True also if the main thread has ended and another one lives. */
export function isLiving(pid: number): boolean {
  return livingThread(pid) !== undefined;
}

/** A living thread. If the main thread has ended, only such a thread shows memory and files. */
function livingThread(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .find((thread) => !["Z", "X", ""].includes(stateOf(pid, thread)));
  } catch {
    return undefined;
  }
}

function stateOf(pid: number, thread: number): string {
  const text = orNone(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1"));
  return text.charAt(text.lastIndexOf(")") + 2);
}

/** Compiles a program of this folder. */
export function compile(name: string): { file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "supervisor-test-"));
  const file = join(folder, name);
  execFileSync(process.env["CC"] ?? "cc", ["-O1", "-pthread", "-o", file, join(import.meta.dirname, `${name}.c`)]);
  chmodSync(folder, 0o755);
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A folder for cgroups of this test run, or null if none can be created. */
export function makeCgroups(): { folder: string; remove(): void } | null {
  const mount = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.includes(" - cgroup2 "))
    ?.split(" ")[4];
  if (mount === undefined) return null;
  try {
    const folder = mkdtempSync(join(mount, "supervisor-test-"));
    return { folder, remove: () => rmdirSync(folder) };
  } catch {
    return null;
  }
}
