import { setImmediate } from "node:timers/promises";
import { type Box, type Check, type Finding, messageOf, ok, problem } from "./box.ts";
import { certificates } from "./certificates.ts";
import { cgroups } from "./cgroups.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { clock, files, inotify, processes } from "./kernel.ts";
import { containers } from "./containers.ts";
import { ports, trust, unixSocket } from "./network.ts";
import { node, shell, supervisor } from "./programs.ts";
import { removals } from "./removals.ts";
import { database, disk, stateDirectory } from "./state.ts";
import { trial } from "./trial.ts";
import { users } from "./users.ts";

/** Checks this box and the configuration as the service would find them. Safe to run beside a running service. */

/** The checks by name, in the order of the report. */
const checks: [string, Check][] = [
  ["configuration", configuration],
  ["node", node],
  ["supervisor", supervisor],
  ["shell", shell],
  ["job", trial],
  ["cgroups", cgroups],
  ["containers", containers],
  ["users", users],
  ["ports", ports],
  ["socket", unixSocket],
  ["tls", certificates],
  ["trust", trust],
  ["state", stateDirectory],
  ["disk", disk],
  ["database", database],
  ["removals", removals],
  ["files", files],
  ["processes", processes],
  ["inotify", inotify],
  ["clock", clock],
];

/** Runs all checks at once. Starts them one by one, so that a service that calls this can do other work in between. */
export async function doctor(box: Box): Promise<Diagnosis> {
  const checking: Promise<Diagnosis["findings"]>[] = [];
  for (const [name, check] of checks) {
    checking.push(run(box, check).then((found) => found.map((finding) => ({ check: name, ...finding }))));
    await setImmediate();
  }
  return { version: box.version, findings: (await Promise.all(checking)).flat() };
}

function configuration({ mistakes }: Box): Finding[] {
  if (mistakes.length === 0) return [ok("all variables are valid")];
  return mistakes.map((mistake) => problem(mistake, "jobrunner --help lists the variables"));
}

async function run(box: Box, check: Check): Promise<Finding[]> {
  try {
    return await check(box);
  } catch (error) {
    return [problem(`the check failed: ${messageOf(error)}`, "see docs/troubleshooting.md; if it has no answer, please report this")];
  }
}
