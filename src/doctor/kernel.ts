import { mkdtempSync, readFileSync, rmdirSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { connectionsWithin, limitFor } from "../sockets/descriptors.ts";
import { type Box, type Finding, messageOf, note, ok } from "./box.ts";

/** What the kernel lets this user have. */

/** As the service estimates it: half of the descriptors beyond its own. */
export function files({ settings: { limits } }: Box): Finding[] {
  const limit = limitOf("Max open files");
  const connections = connectionsWithin(limit);
  if (connections >= limits.maxConnections) return [ok(`${limit} may be open (ulimit -n): room for ${limits.maxConnections} connections`)];
  const remedy = `ulimit -n ${limitFor(limits.maxConnections)}, or LimitNOFILE= in the unit, or a lower JOBRUNNER_MAX_CONNECTIONS`;
  return [
    note(
      `${limit} may be open (ulimit -n): room for ${connections} connections, not for the ${limits.maxConnections} of JOBRUNNER_MAX_CONNECTIONS`,
      remedy,
    ),
  ];
}

const processesPerJob = 2; // the supervisor, and the least that a job can be

export function processes({ settings: { maxRunning } }: Box): Finding[] {
  const own = ownUser.uid === 0 ? Infinity : limitOf("Max processes"); // root is not bound by it: getrlimit(2)
  const bounds = [
    own,
    cgroupLimit(),
    numberIn("/proc/sys/kernel/pid_max") ?? Infinity,
    numberIn("/proc/sys/kernel/threads-max") ?? Infinity,
  ];
  const limit = Math.min(...bounds);
  const jobs = Math.floor(limit / processesPerJob);
  if (jobs >= maxRunning) return [ok(`${limit} may be there: room for ${maxRunning} jobs at once`)];
  const remedy = `raise ulimit -u, TasksMax= in the unit or kernel.pid_max, whichever is lowest, or set JOBRUNNER_MAX_RUNNING=${jobs}`;
  return [note(`${limit} may be there: room for ${jobs} jobs at once, not for the ${maxRunning} of JOBRUNNER_MAX_RUNNING`, remedy)];
}

/** The least of pids.max on the way down to our own cgroup; of version 2, as systemd has it. */
function cgroupLimit(): number {
  const path = readFileSync("/proc/self/cgroup", "utf8").match(/^0::\/(.*)$/m)?.[1] ?? "";
  const folders = path.split("/").map((_, index, names) => join("/sys/fs/cgroup", ...names.slice(0, index + 1)));
  return Math.min(...folders.map((folder) => numberIn(join(folder, "pids.max")) ?? Infinity));
}

/** Null: it is not there, or "max". */
function numberIn(path: string): number | null {
  try {
    const text = readFileSync(path, "latin1").trim();
    return /^\d+$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

/** The soft limit: proc_pid_limits(5). Of files, Node has raised it to the hard one. */
function limitOf(name: string): number {
  const [, text = ""] = new RegExp(`^${name} +(\\S+)`, "m").exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
  return /^\d+$/.test(text) ? Number(text) : Infinity;
}

/** Readers are woken by it; without it they look every 50 ms. */
export function inotify(): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-doctor-"));
  try {
    watch(folder).close();
    return [ok(`files can be watched, up to ${numberIn("/proc/sys/fs/inotify/max_user_watches")} of each user's`)];
  } catch (error) {
    return [
      note(
        `no file can be watched, so readers of output look for news every 50 ms: ${messageOf(error)}`,
        "sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288",
      ),
    ];
  } finally {
    rmdirSync(folder);
  }
}

const earliest = Date.parse("2026-01-01");

export function clock(): Finding[] {
  const now = new Date();
  if (now.getTime() > earliest) return [ok(`it is ${now.toISOString()}`)];
  return [note(`it is ${now.toISOString()}, they say: tokens and certificates end by the clock`, "set it: timedatectl set-ntp true")];
}
