// The memory of processes as the kernel reports it.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { processesInside } from "./scope.ts";
import type { Service } from "./service.ts";

/** Resident bytes, private and shared (VmRSS of /proc/PID/status). */
export function residentBytes(pid: number): number {
  return figureIn(`/proc/${pid}/status`, "VmRSS") * 1024;
}

export type Memory = { privateKilobytes: number; proportionalKilobytes: number };

/** Private memory and proportional set size (Pss) from /proc/PID/smaps_rollup. Null: the process has ended. */
export function memoryOf(pid: number): Memory | null {
  try {
    const file = `/proc/${pid}/smaps_rollup`;
    const privateKilobytes = figureIn(file, "Private_Clean") + figureIn(file, "Private_Dirty");
    return { privateKilobytes, proportionalKilobytes: figureIn(file, "Pss") };
  } catch {
    return null;
  }
}

export type Supervisors = { working: number[]; idle: number[] };

/**
 * The supervisors of a service. They run the program of the launcher and are not children of the service. Working: in the folder of a job.
 * Idle: children of the launcher that wait for a job.
 */
export function supervisorsOf(service: Service): Supervisors {
  const launchers = pids().filter((pid) => parentOf(pid) === service.pid && isSupervisorProgram(pid));
  const working = processesInside(`${service.stateDirectory}/jobs`).filter((pid) => isSupervisorProgram(pid) && !launchers.includes(pid));
  const idle = pids().filter((pid) => launchers.includes(parentOf(pid)) && isSupervisorProgram(pid) && !working.includes(pid));
  return { working, idle };
}

/** A new process of a step runs this program too, for less than a millisecond before exec. */
function isSupervisorProgram(pid: number): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("jobrunner-supervisor");
  } catch {
    return false;
  }
}

function parentOf(pid: number): number {
  try {
    return figureIn(`/proc/${pid}/status`, "PPid");
  } catch {
    return 0;
  }
}

const pids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function figureIn(file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? Number.NaN);
}
