import { probeCgroups } from "../../src/runner/local/cgroups.ts";

const probe = probeCgroups();

/**
 * The two ways in which a kill finds a job's processes. If no cgroup can be created, "auto" is the same as "off", so its tests are skipped.
 */
export const cgroupModes = [
  { cgroups: "auto", skip: probe.kind === "usable" ? false : `no cgroup can be made here: ${probe.problem}` },
  { cgroups: "off", skip: false },
] as const;
