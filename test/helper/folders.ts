import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/**
 * A folder for a service's state, in memory if there is such a file system: for very many files, and for file times that a disk's file
 * system cannot store.
 */
export function folderInMemory(t: TestContext): string {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "jobrunner-test-"));
  t.after(() => t.after(() => rmSync(folder, { recursive: true, force: true }))); // after the service that is in it
  return folder;
}
