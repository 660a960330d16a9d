import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What runs on this box, as /proc shows it (proc(5)). */

/** Also where the main thread has ended and others go on: its state is that of a zombie then. */
export function isAlive(pid: number): boolean {
  return livingThread(pid) !== null;
}

/** A thread of the process by which its memory and files are seen; null: all have ended. */
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

/** Zombies left out. */
export function childrenOf(pid: number): number[] {
  return allProcesses().filter((child) => parentOf(child) === pid && isAlive(child));
}

/** Launcher, supervisors and jobs of a state directory: by where they work, jobs also by the variable that each gets. */
export function processesOf(stateDir: string): number[] {
  return allProcesses().filter((pid) => pid !== process.pid && isAlive(pid) && (worksIn(pid, stateDir) || isJobOf(pid, stateDir)));
}

/** The jobs alone. */
export function jobProcessesOf(stateDir: string): number[] {
  return processesOf(stateDir).filter((pid) => {
    const [program, first] = argumentsOf(livingThread(pid) ?? pid);
    return program !== undefined && first !== "launch"; // none: it is ending at this moment
  });
}

export function argumentsOf(pid: number): string[] {
  return readText(`/proc/${pid}/cmdline`).split("\0").slice(0, -1);
}

export function openFilesOf(pid: number): string[] {
  return listFolder(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`));
}

/**
 * For how long the process's main thread has been ready to run and got no CPU, in milliseconds: the second number of schedstat (proc(5),
 * Documentation/scheduler/sched-stats.rst). What other work of the machine costs the process; 0 where the kernel does not say.
 */
export function waitedForCpuMs(pid: number): number {
  return Number(readText(`/proc/${pid}/task/${pid}/schedstat`).split(" ")[1] ?? 0) / 1e6;
}

/** Of a user's id, as the process acts. */
export function processesOfUser(uid: number): number[] {
  return allProcesses().filter(
    (pid) => isAlive(pid) && new RegExp(`^Uid:\\s+\\d+\\s+${uid}\\s`, "m").test(readText(`/proc/${pid}/status`)),
  );
}

/** Those whose program is this file. */
export function processesRunning(program: string): number[] {
  return allProcesses().filter((pid) => readLink(`/proc/${pid}/exe`) === program);
}

/** Those that work in this very folder. */
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

/** Workspaces of jobs that run as other users lie beside the state directory. */
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

// A process may end between two looks: then there is nothing to see of it.
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
