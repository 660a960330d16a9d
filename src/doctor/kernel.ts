import { mkdtempSync, readFileSync, rmdirSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { connectionsWithin, limitFor } from "../sockets/descriptors.ts";
import { type Box, type Finding, messageOf, note, ok } from "./box.ts";

/** The limits that the kernel sets for this user. */

/** Counts connections as the service does: half of the descriptors that it does not need itself. */
export function files({ settings: { limits } }: Box): Finding[] {
  const limit = limitOf("Max open files");
  const connections = connectionsWithin(limit);
  if (connections >= limits.maxConnections)
    return [ok(`up to ${limit} can be open (ulimit -n): enough for ${limits.maxConnections} connections`)];
  const wanted = limitFor(limits.maxConnections);
  const remedy = `raise it to ${wanted} (ulimit -n, or LimitNOFILE= in the unit), or lower JOBRUNNER_MAX_CONNECTIONS`;
  return [
    note(
      `up to ${limit} can be open (ulimit -n): enough for ${connections} connections, not for ` +
        `JOBRUNNER_MAX_CONNECTIONS=${limits.maxConnections}`,
      remedy,
    ),
  ];
}

const processesPerJob = 2; // the supervisor and at least one process of the job

export function processes({ settings: { maxRunning } }: Box): Finding[] {
  const own = ownUser.uid === 0 ? Infinity : limitOf("Max processes"); // does not apply to root: getrlimit(2)
  const bounds = [
    own,
    cgroupLimit(),
    numberIn("/proc/sys/kernel/pid_max") ?? Infinity,
    numberIn("/proc/sys/kernel/threads-max") ?? Infinity,
  ];
  const limit = Math.min(...bounds);
  const jobs = Math.floor(limit / processesPerJob);
  if (jobs >= maxRunning) return [ok(`up to ${limit} can run: enough for ${maxRunning} jobs at once`)];
  const remedy = `raise ulimit -u, TasksMax= in the unit or kernel.pid_max, whichever is lowest, or set JOBRUNNER_MAX_RUNNING=${jobs}`;
  return [note(`up to ${limit} can run: enough for ${jobs} jobs at once, not for JOBRUNNER_MAX_RUNNING=${maxRunning}`, remedy)];
}

/** The lowest pids.max from the root to our own cgroup (version 2). */
function cgroupLimit(): number {
  const path = readFileSync("/proc/self/cgroup", "utf8").match(/^0::\/(.*)$/m)?.[1] ?? "";
  const folders = path.split("/").map((_, index, names) => join("/sys/fs/cgroup", ...names.slice(0, index + 1)));
  return Math.min(...folders.map((folder) => numberIn(join(folder, "pids.max")) ?? Infinity));
}

/** Null: there is no such file, or it says "max". */
function numberIn(path: string): number | null {
  try {
    const text = readFileSync(path, "latin1").trim();
    return /^\d+$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

/** The soft limit: proc_pid_limits(5). Node raises the one on open files to the hard limit. */
function limitOf(name: string): number {
  const [, text = ""] = new RegExp(`^${name} +(\\S+)`, "m").exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
  return /^\d+$/.test(text) ? Number(text) : Infinity;
}

/** inotify(7) wakes readers of output; without it they poll every 50 ms. */
export function inotify(): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-doctor-"));
  try {
    watch(folder).close();
    return [ok(`each user can watch up to ${numberIn("/proc/sys/fs/inotify/max_user_watches")} files`)];
  } catch (error) {
    return [
      note(
        `no file can be watched, so readers of output poll every 50 ms: ${messageOf(error)}`,
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
  return [
    note(
      `it is set to ${now.toISOString()}: the expiry of tokens and certificates depends on it`,
      "set it, for instance by timedatectl set-ntp true",
    ),
  ];
}
