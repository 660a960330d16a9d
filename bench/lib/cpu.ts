// The CPU time of everything that a program starts, however often it forks and whichever process reaps it.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { sleep } from "./tools.ts";
import type { Scope } from "./scope.ts";

export type CpuMeter = {
  what: string;
  /** The command line that runs the given one inside the measured group. */
  enter: (words: readonly string[]) => string[];
  microseconds: () => number;
  /** The number of processes in the group; null: not known. */
  processes: () => number | null;
};

/**
 * Measures by a cgroup v2. Its cpu.stat has `usage_usec` also without the cpu controller, and includes descendants, removed ones too
 * (the kernel's cgroup-v2 document). A service creates the cgroups of its jobs below its own. Null: no cgroup can be created here.
 */
export function cgroupMeter(scope: Scope, name: string): CpuMeter | null {
  const folder = makeCgroup(`${basename(scope.directory)}-${name}`);
  if (folder === null) return null;
  scope.defer(async () => await removeCgroup(folder));
  return {
    what: "a cgroup",
    enter: (words) => ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', join(folder, "cgroup.procs"), ...words],
    microseconds: () => Number(/^usage_usec (\d+)/m.exec(readFileSync(join(folder, "cpu.stat"), "utf8"))?.[1]),
    processes: () => processesOf(folder),
  };
}

/** For machines without cgroups: the CPU time of the whole machine in ticks of 10 ms, other programs included. */
export const machineMeter: CpuMeter = {
  what: "the whole machine, load generator included",
  enter: (words) => [...words],
  microseconds: () => {
    const fields = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
    const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
    return (fields.reduce((sum, value) => sum + value, 0) - idle) * 10_000;
  },
  processes: () => null,
};

/** The CPU time of a process with its threads, in ticks of 10 ms: proc(5). */
export function processMicroseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000; // utime, stime
}

/** Waits until no more processes run than at rest, so that unfinished work counts for its own round. */
export async function settled({ processes }: CpuMeter, atRest: number | null): Promise<void> {
  if (atRest === null) return await sleep(1500);
  for (const end = performance.now() + 5000; (processes() ?? 0) > atRest && performance.now() < end;) await sleep(20);
}

function makeCgroup(name: string): string | null {
  try {
    const mount = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((line) => line.includes(" - cgroup2 "))
      ?.split(" ")[4];
    const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    if (mount === undefined || own === undefined) return null;
    const folder = join(mount, own, name);
    mkdirSync(folder);
    return folder;
  } catch {
    return null;
  }
}

async function removeCgroup(folder: string): Promise<void> {
  try {
    // Do not create the file: older kernels have none.
    const file = openSync(join(folder, "cgroup.kill"), "r+");
    writeSync(file, "1");
    closeSync(file);
  } catch {
    // The scope kills its processes by their directory.
  }
  for (let tries = 0; tries < 100; tries++) {
    try {
      return removeTree(folder);
    } catch {
      await sleep(20); // a killed process remains until it is reaped
    }
  }
}

function removeTree(folder: string): void {
  for (const child of children(folder)) removeTree(child);
  rmdirSync(folder);
}

function processesOf(folder: string): number {
  try {
    const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").length - 1;
    return children(folder).reduce((sum, child) => sum + processesOf(child), own);
  } catch {
    return 0; // it was removed meanwhile
  }
}

function children(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}
