import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repository, sourceOrBundle } from "./service.ts";
import { waitFor } from "./wait.ts";

/** The command line as a user runs it. */

export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };
/** `stdin`: null leaves it open, for `type`. */
export type CliOptions = { environment?: Record<string, string | undefined>; stdin?: string | null };

/** Runs a command of the service at `url` to its end. */
export async function cli(t: TestContext, url: string, args: string[], options: CliOptions = {}): Promise<Ended> {
  return await startCli(t, url, args, options).ended();
}

export function startCli(t: TestContext, url: string, args: string[], options: CliOptions = {}): Running {
  return startProgram(t, [join(repository, "bin", "jobrunner"), ...args], {
    ...options,
    environment: { ...sourceOrBundle, JOBRUNNER_URL: url, ...options.environment },
  });
}

/** Runs any program with these arguments; it is killed after the test if it still runs. */
export function startProgram(t: TestContext, [program = "", ...args]: string[], { environment = {}, stdin = "" }: CliOptions): Running {
  const child = spawn(program, args, {
    cwd: repository,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TERM: "xterm", ...environment },
  });
  const running = new Running(child);
  t.after(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined); // the program need not read it
  if (stdin !== null) child.stdin.end(stdin);
  return running;
}

export class Running {
  readonly child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  #stderr = "";
  #isFinished = false;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.once("close", () => (this.#isFinished = true));
  }

  /** The output so far. */
  get stdout(): string {
    return this.bytes().toString();
  }

  get stderr(): string {
    return this.#stderr;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  /** Resolves as soon as the program has printed `text` on either stream. */
  async until(text: string, timeoutSeconds = 60): Promise<void> {
    await waitFor(`${JSON.stringify(text)} is printed`, () => this.stdout.includes(text) || this.stderr.includes(text), timeoutSeconds);
  }

  interrupt(signal: NodeJS.Signals = "SIGINT"): void {
    this.child.kill(signal);
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  async ended(timeoutSeconds = 60): Promise<Ended> {
    await waitFor(`${this.child.spawnargs.join(" ")} ends`, () => this.#isFinished, timeoutSeconds);
    return { code: this.child.exitCode, signal: this.child.signalCode, stdout: this.stdout, stderr: this.stderr };
  }
}
