import { join } from "node:path";
import { shortened } from "../files/emptying.ts";
import { removeFolder } from "../files/folder-removal.ts";
import type { Store } from "../store/store.ts";
import { type Made, readEngine } from "./containers/files.ts";
import type { EngineFinder } from "./containers/finder.ts";
import type { Log } from "./log.ts";
import { setUserWorkspaceAside, workspaceOf } from "./workspaces.ts";

export type Removed = { kind: "removed"; remains: Remains | null } | { kind: "not-finished" };

/** What is still on disk of a deleted job: the path where its removal stopped, and why. */
export type Remains = { job: string; path: string; problem: string };

export type RemovalOptions = { jobsDir: string; store: Store; finder: EngineFinder; supervisorPath: string; log: Log };

const firstAgainMs = 60_000;
const longestAgainMs = 3_600_000;
const resumedAtOnce = 4;

/** Deletes the files of removed jobs. The database remembers, also across crashes, which removals are not done and what prevents them. */
export class Removal {
  readonly #options: RemovalOptions;
  readonly #remains = new Map<string, Remains>();
  /** Of earlier services. Read at the start, so that a removal that begins before `resume` does not run twice. */
  readonly #unfinished: string[];

  constructor(options: RemovalOptions) {
    this.#options = options;
    this.#unfinished = options.store.unfinishedRemovals();
  }

  /** Deleted jobs with files that could not be removed yet. Their removal is tried again. */
  get remains(): Remains[] {
    return [...this.#remains.values()];
  }

  /** Continues the removals that earlier services did not finish. */
  resume(): void {
    const ids = this.#unfinished.values();
    const work = async (): Promise<void> => {
      for (const id of ids) await this.remove(id);
    };
    for (let count = 0; count < resumedAtOnce; count += 1) void work();
  }

  /** Never rejects. Returns what is left, which is tried again after a growing delay; null: nothing. */
  async remove(id: string, againMs = firstAgainMs): Promise<Remains | null> {
    const remains = await this.#removeNow(id);
    if (remains === null) {
      this.#remains.delete(id);
      return null;
    }
    const known = this.#remains.get(id);
    this.#remains.set(id, remains);
    if (known?.path !== remains.path || known.problem !== remains.problem) {
      this.#options.log("warn", "not all of a deleted job could be removed; it is tried again in a while", { ...remains });
    }
    setTimeout(() => void this.remove(id, Math.min(againMs * 2, longestAgainMs)), againMs).unref();
    return remains;
  }

  async #removeNow(id: string): Promise<Remains | null> {
    const { jobsDir, store } = this.#options;
    const directory = join(jobsDir, id);
    try {
      const remains = await this.#removeFolders(id, directory);
      await (remains === null ? store.removed(id) : store.notRemoved(remains));
      return remains;
    } catch (error) {
      return { job: id, path: directory, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The workspace goes first: the rest names the engine whose containers may have left other users' files in the workspace. */
  async #removeFolders(job: string, directory: string): Promise<Remains | null> {
    for (const path of [...setUserWorkspaceAside(directory), workspaceOf(directory, null), directory]) {
      const remains = await this.#removeFolder(job, path, path === directory ? null : readEngine(directory));
      if (remains !== null) return remains;
    }
    return null;
  }

  /**
   * Only users of a container may be allowed to remove the files that they made. If the removal fails, root in a container tries it, and
   * the folder is checked again.
   */
  async #removeFolder(job: string, path: string, made: Made | null): Promise<Remains | null> {
    const { supervisorPath: program } = this.#options;
    const left = await removeFolder(program, path);
    if (left === null) return null;
    const refusal = made === null ? null : await this.#removeForeign(path, made);
    const stillLeft = made === null ? left : await removeFolder(program, path);
    if (stillLeft === null) return null;
    const where = stillLeft.path === "" ? path : `${path}/${shortened(stillLeft.path)}`;
    return { job, path: where, problem: refusal === null ? stillLeft.text : `${stillLeft.text}; and by a container: ${refusal}` };
  }

  /** Null, or why the container could not remove the folder. */
  async #removeForeign(folder: string, { client, image }: Made): Promise<string | null> {
    const { finder, supervisorPath: program } = this.#options;
    try {
      await finder.engineOf(client).removeFolder({ folder, parent: join(folder, ".."), image, program });
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
