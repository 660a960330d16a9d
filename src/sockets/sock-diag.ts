import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Ends } from "./ends.ts";

type Resolve = (answer: number | null) => void;

const restartAfterMs = 1000;

/**
 * The C program that asks the kernel about single connections, and the lines between it and us (supervisor/formats.h): Node cannot, and the
 * kernel's tables take milliseconds to read, however few connections there are. It is started when it is first needed, and anew when it has ended.
 */
export class SockDiag {
  readonly #path: string;
  #process: ChildProcess | null = null;
  #endedMs = -Infinity;
  #isClosed = false;
  #asked: Resolve[] = []; // in order

  constructor(path: string) {
    this.#path = path;
  }

  /** Null: it does not know, or does not run. */
  ask(what: "owner" | "queue", { localAddress, localPort, remoteAddress, remotePort }: Ends): Promise<number | null> {
    const stdin = (this.#process ?? this.#start())?.stdin;
    if (stdin === null || stdin === undefined) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      stdin.write(`${what} ${localAddress} ${localPort} ${remoteAddress} ${remotePort}\n`);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#process?.stdin?.end();
  }

  #start(): ChildProcess | null {
    if (this.#isClosed || performance.now() - this.#endedMs < restartAfterMs) return null;
    // Detached: a Ctrl-C in the service's terminal is for the service. It ends with its standard input.
    const child = spawn(this.#path, ["sockets"], { detached: true, env: {}, cwd: "/", stdio: ["pipe", "pipe", "ignore"] });
    this.#process = child;
    child.stdin.on("error", () => undefined); // its end says it
    createInterface({ input: child.stdout }).on("line", (line) => this.#asked.shift()?.(/^\d+$/.test(line) ? Number(line) : null));
    child.once("error", () => this.#ended(child));
    child.once("close", () => this.#ended(child));
    return child;
  }

  #ended(child: ChildProcess): void {
    if (this.#process !== child) return;
    this.#process = null;
    this.#endedMs = performance.now();
    for (const resolve of this.#asked.splice(0)) resolve(null);
  }
}
