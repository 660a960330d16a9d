import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Ends } from "./ends.ts";

type Resolve = (answer: number | null) => void;

const restartDelayMs = 1000;
/** The kernel answers in a tenth of a millisecond. Requests wait for the answer, so a program that does not answer is killed. */
const answerTimeoutMs = 2000;

/**
 * The C program that asks the kernel about single connections, and the lines exchanged with it (supervisor/formats.h). Node cannot ask, and
 * reading the kernel's tables takes milliseconds, however few connections there are. The program is started on first use, and again after
 * it has ended.
 */
export class SockDiag {
  readonly #path: string;
  readonly #timeoutMs: number;
  #process: ChildProcess | null = null;
  #endedMs = -Infinity;
  #isClosed = false;
  #asked: Resolve[] = []; // in the order of the questions
  #late: NodeJS.Timeout | null = null; // while an answer is awaited

  constructor(path: string, timeoutMs = answerTimeoutMs) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Null: the program does not know, does not run, or does not answer in time. */
  ask(what: "owner" | "queue", { localAddress, localPort, remoteAddress, remotePort }: Ends): Promise<number | null> {
    const child = this.#process ?? this.#start();
    const stdin = child?.stdin;
    if (child === null || stdin === null || stdin === undefined) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#late ??= setTimeout(() => child.kill("SIGKILL"), this.#timeoutMs).unref();
      stdin.write(`${what} ${localAddress} ${localPort} ${remoteAddress} ${remotePort}\n`);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#process?.stdin?.end();
  }

  #start(): ChildProcess | null {
    if (this.#isClosed || performance.now() - this.#endedMs < restartDelayMs) return null;
    // Detached: a Ctrl-C in the service's terminal must not end it. It ends with its standard input.
    const child = spawn(this.#path, ["sockets"], { detached: true, env: {}, cwd: "/", stdio: ["pipe", "pipe", "ignore"] });
    this.#process = child;
    child.stdin.on("error", () => undefined); // the program's end says the same
    createInterface({ input: child.stdout }).on("line", (line) => this.#answered(/^\d+$/.test(line) ? Number(line) : null));
    child.once("error", () => this.#ended(child));
    child.once("close", () => this.#ended(child));
    return child;
  }

  #answered(answer: number | null): void {
    this.#asked.shift()?.(answer);
    if (this.#asked.length > 0) this.#late?.refresh();
    else this.#stopWaiting();
  }

  #ended(child: ChildProcess): void {
    if (this.#process !== child) return;
    this.#process = null;
    this.#endedMs = performance.now();
    this.#stopWaiting();
    for (const resolve of this.#asked.splice(0)) resolve(null);
  }

  #stopWaiting(): void {
    if (this.#late !== null) clearTimeout(this.#late);
    this.#late = null;
  }
}
