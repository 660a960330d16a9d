import { readFileSync } from "node:fs";
import { findCgroupParent } from "../runner/local/cgroups.ts";
import { type Box, type Finding, note, ok } from "./box.ts";

const without = "kills then find a job's processes by descent, which is slower";

/** Whether each job can have a cgroup; else why not: cgroups(7). */
export function cgroups({ settings }: Box): Finding[] {
  if (settings.cgroups === "off") return [ok("switched off by JOBRUNNER_CGROUPS=off")];
  const parent = findCgroupParent();
  if (parent !== null) return [ok(`one for each job, in ${parent}`)];
  const types = new Set(
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" - ")[1]?.split(" ")[0]),
  );
  if (types.has("cgroup2")) {
    const remedy =
      "run the service as root, or by systemd with Delegate=yes, as the unit in packaging/systemd does; in a container, give it a writable /sys/fs/cgroup";
    return [note(`none can be made by this user, or the kernel is older than 5.14: ${without}`, remedy)];
  }
  if (types.has("cgroup"))
    return [note(`there is version 1 alone: ${without}`, "start the kernel with systemd.unified_cgroup_hierarchy=1, if jobs fork much")];
  return [note(`none are mounted: ${without}`, "mount cgroup2 on /sys/fs/cgroup, if jobs fork much")];
}
