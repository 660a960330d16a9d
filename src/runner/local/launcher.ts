import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export type LauncherEvents = {
  /** Nothing was claimed and nothing ran: the job may be tried again later. */
  onFailed: (id: string, errno: number) => void;
  /** Some supervisor was killed. */
  onDied: () => void;
  /** A new launcher runs: requests that the old one did not finish must be sent again. */
  onRestarted: () => void;
  log: (level: "info" | "warn" | "error", message: string, fields?: object) => void;
};

const restartDelayMs = 200;

/**
 * The C program that forks supervisors, and the lines exchanged with it (supervisor/formats.h). If it is killed, another one is started.
 */
export class Launcher {
  readonly #command: { path: string; stateDir: string };
  readonly #events: LauncherEvents;
  #process: ChildProcess | null = null;
  #lines: string[] = [];
  #isClosed = false;

  constructor(command: { path: string; stateDir: string }, events: LauncherEvents) {
    this.#command = command;
    this.#events = events;
    this.#start();
  }

  get isRunning(): boolean {
    return this.#process?.pid !== undefined;
  }

  run(id: string): void {
    this.#send(`run ${id}\n`);
  }

  sweep(id: string): void {
    this.#send(`sweep ${id}\n`);
  }

  /** The launcher ends with its standard input; supervisors stay. */
  close(): void {
    this.#isClosed = true;
    this.#process?.stdin?.end();
    this.#process?.unref();
  }

  /** One write, at the next tick, for all jobs of a commit. Work of the tick after that comes later. */
  #send(line: string): void {
    if (this.#lines.push(line) === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const text = this.#lines.join("");
    this.#lines = [];
    this.#process?.stdin?.write(text);
  }

  #start(): void {
    const { path, stateDir } = this.#command;
    // Detached: a Ctrl-C in the service's terminal must not end it. Without environment: jobs must not see the service's.
    const child = spawn(path, ["launch", stateDir], { detached: true, env: {}, cwd: "/", stdio: ["pipe", "pipe", "inherit"] });
    this.#process = child;
    child.stdin.on("error", (error) => this.#events.log("warn", "the launcher does not read its input", { err: error }));
    createInterface({ input: child.stdout }).on("line", (line) => this.#handle(line));
    let isGone = false;
    const gone = (why: string): void => {
      if (isGone) return;
      isGone = true;
      this.#process = null;
      if (!this.#isClosed) this.#restart(why);
    };
    child.once("error", (error) => gone(error.message));
    child.once("exit", (code, signal) => gone(signal ?? `exit code ${code}`));
  }

  #restart(why: string): void {
    this.#events.log("warn", "the launcher ended and is started again", { why });
    setTimeout(() => {
      if (this.#isClosed) return;
      this.#start();
      this.#events.onRestarted();
    }, restartDelayMs);
  }

  #handle(line: string): void {
    const [word, id, errno] = line.split(" ");
    if (word === "died") this.#events.onDied();
    else if (word === "failed" && id !== undefined) this.#events.onFailed(id, Number(errno));
    else this.#events.log("warn", "the launcher sent an unknown line", { line });
  }
}
