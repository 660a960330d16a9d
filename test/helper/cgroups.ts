import { probeCgroups } from "../../src/runner/local/cgroups.ts";

const probe = probeCgroups();

/**
 * The two ways by which a kill finds a job's processes. Where no cgroup can be made, "auto" is the same as "off": then its tests are
 * skipped.
 */
export const cgroupModes = [
  { cgroups: "auto", skip: probe.kind === "usable" ? false : `no cgroup can be made here: ${probe.problem}` },
  { cgroups: "off", skip: false },
] as const;
