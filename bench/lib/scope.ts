// Undoes what a benchmark started, in reverse order, also after a failure or Ctrl-C.
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Scope {
  readonly directory: string;
  #undo: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | null = null;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "jobrunner-bench-"));
  }

  defer(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const undo of this.#undo.toReversed()) {
      try {
        await undo();
      } catch (error) {
        console.error(`  clean-up: ${String(error)}`);
      }
    }
    // Jobs outlive the service on purpose, so a failed benchmark may leave some. Only our own processes use this directory.
    for (let round = 0; round < 20; round++) {
      const left = processesInside(this.directory);
      if (left.length === 0) break;
      for (const pid of left) kill(pid);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The processes that have an open file or their working directory below a directory. */
export function processesInside(directory: string): number[] {
  const inside = (link: string): boolean => {
    try {
      const target = readlinkSync(link);
      return target === directory || target.startsWith(`${directory}/`);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      if (pid === process.pid) return false;
      if (inside(`/proc/${pid}/cwd`)) return true;
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => inside(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended meanwhile.
  }
}
