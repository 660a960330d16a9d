import { codeOf } from "../../lib/error-code.ts";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether each job can have a cgroup of its own. `usable`: in the folder `parent`. `absent`: this machine has no cgroups version 2 here.
 * `forbidden`: the service's user may not create them. `failed`: any other reason, which the log must show. Without cgroups, kills find
 * processes by descent alone.
 */
export type CgroupProbe =
  | { kind: "usable"; parent: string }
  | { kind: "absent"; problem: string }
  | { kind: "forbidden"; problem: string }
  | { kind: "failed"; problem: string };

/** Sources: cgroups(7); "cgroup.kill" in the kernel's cgroup-v2 document; proc(5), mountinfo. */
export function probeCgroups(proc = "/proc/self"): CgroupProbe {
  try {
    const mount = mountPoint(readFileSync(`${proc}/mountinfo`, "utf8"));
    if (mount === null) return { kind: "absent", problem: "no cgroup2 file system is mounted" };
    const own = readFileSync(`${proc}/cgroup`, "utf8").match(/^0::(.*)$/m)?.[1];
    if (own === undefined) return { kind: "absent", problem: "the service is in no cgroup of version 2" };
    const parent = join(mount, own, "jobrunner");
    makeFolder(parent);
    if (!canKill(parent)) return { kind: "absent", problem: "the kernel has no cgroup.kill: it is older than 5.14" };
    return { kind: "usable", parent };
  } catch (error) {
    const code = codeOf(error);
    const problem = error instanceof Error ? error.message : String(error);
    return { kind: code === "EACCES" || code === "EPERM" || code === "EROFS" ? "forbidden" : "failed", problem };
  }
}

/** Without `recursive`, with which Node reports ENOENT in place of some other errors, such as EAGAIN (cgroup.max.descendants). */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function canKill(parent: string): boolean {
  const probe = join(parent, `probe-${process.pid}`);
  mkdirSync(probe);
  try {
    return existsSync(join(probe, "cgroup.kill"));
  } finally {
    rmdirSync(probe);
  }
}

/** proc(5), mountinfo: the fifth field is the mount point; the file system's type follows the separator " - ". */
function mountPoint(mountinfo: string): string | null {
  const line = mountinfo.split("\n").find((entry) => entry.includes(" - cgroup2 "));
  return line?.split(" ")[4] ?? null;
}
