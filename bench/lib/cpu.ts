// The CPU time of everything that a program starts, however often it forks and whoever reaps it.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { sleep } from "./tools.ts";
import type { Scope } from "./scope.ts";

export type CpuMeter = {
  what: string;
  /** The command that runs this one where it is measured. */
  enter: (words: readonly string[]) => string[];
  microseconds: () => number;
  /** How many processes are measured now; null: not known. */
  processes: () => number | null;
};

/**
 * A cgroup v2, whose cpu.stat has `usage_usec` whether or not the cpu controller is there, descendants included, those removed too
 * (the kernel's cgroup-v2 document). A service makes the cgroups of its jobs below its own. null: none can be made here.
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

/** Where no cgroup can be made: all that the machine does, in ticks of 10 ms, so what else runs counts as well. */
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

/** What a process with its threads has used, in ticks of 10 ms: proc(5). */
export function processMicroseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000; // utime, stime
}

/** Waits until there are no more processes than at rest: what a round left to be done is its own. */
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
    // Not created: on an older kernel there is none.
    const file = openSync(join(folder, "cgroup.kill"), "r+");
    writeSync(file, "1");
    closeSync(file);
  } catch {
    // The scope kills by directory.
  }
  for (let tries = 0; tries < 100; tries++) {
    try {
      return removeTree(folder);
    } catch {
      await sleep(20); // a process that was killed is there until it has been reaped
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
    return 0; // removed meanwhile
  }
}

function children(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}
