import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";

/**
 * The process of the service that has this state directory, or null. It is known by the lock that it holds open; to try the lock could be what
 * keeps a service from starting at this moment.
 */
export function serviceOf(stateDir: string): number | null {
  try {
    const pid = Number(readFileSync(join(stateDir, "jobrunner.pid"), "utf8"));
    const lock = realpathSync(join(stateDir, "lock"));
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => targetOf(join(folder, fd)) === lock) ? pid : null;
  } catch {
    return null; // nothing runs there, or it is not for us to see
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null; // closed meanwhile
  }
}
