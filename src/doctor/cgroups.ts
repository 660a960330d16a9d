import { readFileSync } from "node:fs";
import { probeCgroups } from "../runner/local/cgroups.ts";
import { type Box, type Finding, note, ok } from "./box.ts";

const without = "kills then find a job's processes by descent, which is slower";

/** Whether each job can have a cgroup of its own, and if not, why: cgroups(7). */
export function cgroups({ settings }: Box): Finding[] {
  if (settings.cgroups === "off") return [ok("switched off by JOBRUNNER_CGROUPS=off")];
  const probe = probeCgroups();
  switch (probe.kind) {
    case "usable":
      return [ok(`one for each job, in ${probe.parent}`)];
    case "forbidden":
      return [
        note(
          `none can be created by this user (${probe.problem}): ${without}`,
          "run the service as root, or under systemd with Delegate=yes, as the unit in packaging/systemd does; in a container, give it " +
            "a writable /sys/fs/cgroup",
        ),
      ];
    case "absent": {
      const remedy = hasVersion1()
        ? "start the kernel with systemd.unified_cgroup_hierarchy=1, if jobs fork much"
        : "mount cgroup2 on /sys/fs/cgroup, if jobs fork much";
      return [note(`none: ${probe.problem}; ${without}`, remedy)];
    }
    case "failed":
      return [
        note(`none can be created, for an unexpected reason: ${probe.problem}`, "look into the kernel's log; or set JOBRUNNER_CGROUPS=off"),
      ];
  }
}

function hasVersion1(): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8").includes(" - cgroup ");
}
