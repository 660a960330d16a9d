import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";

/**
 * The process ID of the service that uses this state directory, or null. It holds the lock file open. Taking the lock to test it could keep
 * a service from starting at that moment.
 */
export function serviceOf(stateDir: string): number | null {
  try {
    const pid = Number(readFileSync(join(stateDir, "jobrunner.pid"), "utf8"));
    const lock = realpathSync(join(stateDir, "lock"));
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => targetOf(join(folder, fd)) === lock) ? pid : null;
  } catch {
    return null; // no service runs, or this user may not see it
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null; // closed meanwhile
  }
}
