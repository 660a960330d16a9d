import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder in which each job gets a cgroup v2 of its own, or null where none can be made: then kills go by process group and
 * descent alone. Sources: cgroups(7), "cgroup.kill" in the kernel's cgroup-v2 document.
 */
export function findCgroupParent(): string | null {
  try {
    const mount = mountPoint(readFileSync("/proc/self/mountinfo", "utf8"));
    const own = readFileSync("/proc/self/cgroup", "utf8").match(/^0::(.*)$/m)?.[1];
    if (mount === null || own === undefined) return null;
    const parent = join(mount, own, "jobrunner");
    mkdirSync(parent, { recursive: true });
    return canKill(parent) ? parent : null;
  } catch {
    // Not root, read-only, or in a container: an ordinary case, shown by GET /healthz.
    return null;
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

/** proc(5), mountinfo: the fifth field is the mount point, the file system type follows the separator " - ". */
function mountPoint(mountinfo: string): string | null {
  const line = mountinfo.split("\n").find((entry) => entry.includes(" - cgroup2 "));
  return line?.split(" ")[4] ?? null;
}
