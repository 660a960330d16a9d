import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why this machine does not permit mounts, or false. */
export function canDo(what: string, attempt: (folder: string) => boolean): string | false {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-files-"));
  try {
    return attempt(folder) ? false : `${what} is not possible here`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const canMount = canDo(
  "mount",
  (folder) => spawnSync("mount", ["--bind", folder, folder]).status === 0 && spawnSync("umount", [folder]).status === 0,
);

/** Unmounted before the service's folder is removed, because the removal would enter the mounts. */
export class Mounts implements Disposable {
  readonly #points: string[] = [];

  add(source: string, point: string): void {
    const { status, stderr } = spawnSync("mount", ["--bind", source, point], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    this.#points.push(point);
  }

  [Symbol.dispose](): void {
    for (const point of this.#points.splice(0)) assert.equal(spawnSync("umount", [point]).status, 0);
  }
}
