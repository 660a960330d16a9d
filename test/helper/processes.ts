import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The processes of this machine, as /proc shows them (proc(5)). */

/** Also true if only the main thread has ended: the state of the process is then that of a zombie. */
export function isAlive(pid: number): boolean {
  return livingThread(pid) !== null;
}

/** A thread through which the process's memory and files are visible; null: all threads have ended. */
function livingThread(pid: number): number | null {
  const threads = [pid, ...(isDead(readStat(`/proc/${pid}`)?.state) ? listFolder(`/proc/${pid}/task`).map(Number) : [])];
  return threads.find((thread) => !isDead(readStat(`/proc/${pid}/task/${thread}`)?.state)) ?? null;
}

function isDead(state: string | undefined): boolean {
  return state === undefined || state === "Z" || state === "X";
}

export function parentOf(pid: number): number | null {
  return readStat(`/proc/${pid}`)?.parent ?? null;
}

/** Without zombies. */
export function childrenOf(pid: number): number[] {
  return allProcesses().filter((child) => parentOf(child) === pid && isAlive(child));
}

/** Launcher, supervisors and jobs of a state directory, found by their working directory; jobs also by their variable. */
export function processesOf(stateDir: string): number[] {
  return allProcesses().filter((pid) => pid !== process.pid && isAlive(pid) && (worksIn(pid, stateDir) || isJobOf(pid, stateDir)));
}

/** Only the jobs. */
export function jobProcessesOf(stateDir: string): number[] {
  return processesOf(stateDir).filter((pid) => {
    const [program, first] = argumentsOf(livingThread(pid) ?? pid);
    return program !== undefined && first !== "launch"; // none: the process is ending
  });
}

export function argumentsOf(pid: number): string[] {
  return readText(`/proc/${pid}/cmdline`).split("\0").slice(0, -1);
}

export function openFilesOf(pid: number): string[] {
  return listFolder(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`));
}

/**
 * How long the main thread of the process has been ready to run without getting a CPU, in milliseconds: the second number of schedstat
 * (proc(5), Documentation/scheduler/sched-stats.rst). It is the delay by other work of the machine; 0 if the kernel does not report it.
 */
export function waitedForCpuMs(pid: number): number {
  return Number(readText(`/proc/${pid}/task/${pid}/schedstat`).split(" ")[1] ?? 0) / 1e6;
}

/** The effective user ID of the process. */
export function processesOfUser(uid: number): number[] {
  return allProcesses().filter(
    (pid) => isAlive(pid) && new RegExp(`^Uid:\\s+\\d+\\s+${uid}\\s`, "m").test(readText(`/proc/${pid}/status`)),
  );
}

/** The processes whose program is this file. */
export function processesRunning(program: string): number[] {
  return allProcesses().filter((pid) => readLink(`/proc/${pid}/exe`) === program);
}

/** The processes whose working directory is this folder. */
export function processesIn(folder: string): number[] {
  return allProcesses().filter((pid) => readLink(`/proc/${pid}/cwd`) === folder);
}

function isJobOf(pid: number, stateDir: string): boolean {
  const variables = readText(`/proc/${livingThread(pid) ?? pid}/environ`).split("\0");
  return foldersOf(stateDir).some((folder) => variables.some((variable) => variable.startsWith(`JOBRUNNER_WORKSPACE=${folder}/`)));
}

function worksIn(pid: number, stateDir: string): boolean {
  const folder = readLink(`/proc/${livingThread(pid) ?? pid}/cwd`);
  return foldersOf(stateDir).some((own) => folder.startsWith(`${own}/`));
}

/** The workspaces of jobs that run as other users are beside the state directory. */
export function foldersOf(stateDir: string): string[] {
  return [stateDir, `${stateDir}-workspaces`];
}

function readStat(folder: string): { state: string; parent: number } | null {
  const text = readText(`${folder}/stat`);
  const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return state === undefined || parent === undefined ? null : { state, parent: Number(parent) };
}

function allProcesses(): number[] {
  return listFolder("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

// The process may have ended meanwhile.
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
