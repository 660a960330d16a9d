import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Locks the state directory for this process. The lock is SQLite's, on a database of its own: the kernel releases it however the process
 * ends, so a lock is never stale. Throws a sentence that names the directory and the process that holds it.
 */
export function lockStateDir(stateDir: string): { release(): void } {
  const pidPath = join(stateDir, "jobrunner.pid");
  const lock = new DatabaseSync(join(stateDir, "lock"), { timeout: 0 });
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new Error(
      `the state directory ${stateDir} is in use by another jobrunner${holder(pidPath)}: ` +
        "stop it, or set JOBRUNNER_STATE_DIR to another directory",
      {
        cause: error,
      },
    );
  }
  writeFileSync(pidPath, `${process.pid}\n`);
  return {
    release: () => {
      rmSync(pidPath, { force: true });
      lock.close();
    },
  };
}

/** SQLITE_BUSY: another process holds the lock. */
const busyCode = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === busyCode;
}

function holder(pidPath: string): string {
  try {
    return ` (process ${readFileSync(pidPath, "utf8").trim()})`;
  } catch {
    return ""; // that process has just started and has not written it yet
  }
}
