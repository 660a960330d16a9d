import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../store/store.ts";
import { readEngine } from "./containers/files.ts";
import type { EngineFinder } from "./containers/finder.ts";
import type { Log } from "./types.ts";
import { removeUserWorkspace, workspaceOf } from "./workspaces.ts";

export type RemovalOptions = { jobsDir: string; store: Store; finder: EngineFinder; supervisorPath: string; log: Log };

const againMs = 60_000;

/** Deletes what deleted jobs have on disk. The database remembers what is still to be done, over a crash too. */
export class Removal {
  readonly #options: RemovalOptions;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** Those that an earlier service did not come to. */
  resume(): void {
    for (const id of this.#options.store.unfinishedRemovals()) void this.remove(id);
  }

  /** Never rejects. */
  async remove(id: string): Promise<void> {
    const directory = join(this.#options.jobsDir, id);
    const workspace = workspaceOf(directory, null);
    try {
      await removeUserWorkspace(directory);
      // First, since the rest says by which engine there can be files of others in it.
      await removeAll(workspace).catch((error: unknown) => this.#removeForeign(directory, error));
      await removeAll(directory);
      await this.#options.store.removed(id);
    } catch (error) {
      this.#options.log("warn", "a deleted job's directory could not be removed; it is tried again in a while", { job: id, err: error });
      setTimeout(() => void this.remove(id), againMs).unref();
    }
  }

  /** Folders that a container's user made, for itself, are removed by one who may. */
  async #removeForeign(directory: string, error: unknown): Promise<void> {
    const isForeign = error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
    const made = isForeign ? readEngine(directory) : null;
    if (made === null) throw error;
    const { finder, supervisorPath } = this.#options;
    await finder.engineOf(made.client).removeFolder({ folder: workspaceOf(directory, null), parent: directory, image: made.image, program: supervisorPath });
  }
}

async function removeAll(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
