import { join } from "node:path";
import { shortened } from "../files/emptying.ts";
import { removeFolder } from "../files/folder-removal.ts";
import type { Store } from "../store/store.ts";
import { type Made, readEngine } from "./containers/files.ts";
import type { EngineFinder } from "./containers/finder.ts";
import type { Log } from "./log.ts";
import { setUserWorkspaceAside, workspaceOf } from "./workspaces.ts";

export type Removed = { kind: "removed"; remains: Remains | null } | { kind: "unknown" } | { kind: "not-finished" };

/** What is still on disk of a deleted job: the path where its removal stopped, and why. */
export type Remains = { job: string; path: string; problem: string };

export type RemovalOptions = { jobsDir: string; store: Store; finder: EngineFinder; supervisorPath: string; log: Log };

const firstAgainMs = 60_000;
const longestAgainMs = 3_600_000;
const resumedAtOnce = 4;

/** Deletes what deleted jobs have on disk. The database remembers what is still to be done, over a crash too, and what stands in the way. */
export class Removal {
  readonly #options: RemovalOptions;
  readonly #remains = new Map<string, Remains>();
  readonly #unfinished: string[]; // by earlier services; what this one begins before `resume` is not removed twice at once

  constructor(options: RemovalOptions) {
    this.#options = options;
    this.#unfinished = options.store.unfinishedRemovals();
  }

  /** Of which deleted jobs something could not be removed, and is tried again. */
  get remains(): Remains[] {
    return [...this.#remains.values()];
  }

  /** Those that an earlier service did not come to. */
  resume(): void {
    const ids = this.#unfinished.values();
    const work = async (): Promise<void> => {
      for (const id of ids) await this.remove(id);
    };
    for (let count = 0; count < resumedAtOnce; count += 1) void work();
  }

  /** Never rejects. What is left is tried again, after a time that grows; null: nothing. */
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

  /** The workspace first, since the rest says by which engine there can be files of others in it. */
  async #removeFolders(job: string, directory: string): Promise<Remains | null> {
    for (const path of [...setUserWorkspaceAside(directory), workspaceOf(directory, null), directory]) {
      const remains = await this.#removeFolder(job, path, path === directory ? null : readEngine(directory));
      if (remains !== null) return remains;
    }
    return null;
  }

  /** What a container's users made may be for them alone to remove: where we cannot, for whatever reason, it is tried as root in a container, and looked at again. */
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

  /** Null, or why not. */
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
