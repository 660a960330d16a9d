import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { mountOf } from "./mounts.ts";
import { type Name, nameOf } from "./names.ts";
import { codeOf } from "../lib/error-code.ts";

/**
 * Resolves a path in a workspace and never leaves it, even if jobs change folders and links meanwhile. It opens one folder after the other
 * by one name, without following links and without entering mounts, as openat2(2) does with RESOLVE_BENEATH and RESOLVE_NO_XDEV, which
 * Node.js does not have. Links are read and resolved here. At any depth no more than two folders are open at a time.
 */

/** The message is the end of a sentence for people. It does not contain the target of a link. */
export class LeavesWorkspace extends Error {}

/** The path leads to a mount or through one. */
export class LeavesMount extends Error {}

/** An open folder of the workspace (O_PATH), which is good only for opening what is in it. */
type Folder = FileHandle;

/** A name in an open folder. There may be nothing with this name, or anything, also a link, which is not followed. */
export type DirectoryEntry = { folder: Folder; name: Name };

/** What a path leads to, held (O_PATH, see open(2)) but not opened: only `reopen` can use it. */
export type Found = { held: FileHandle; stats: Stats };

export type Start = {
  root: string; // the workspace; if this is a link, the service made it
  path: Name[];
  /** Creates a folder that does not exist. Without it, ENOENT is thrown. */
  make?: (entry: DirectoryEntry) => Promise<void>;
};

const { O_DIRECTORY, O_NOFOLLOW } = constants;
const O_PATH = 0o10000000; // open(2); the same on all architectures of Node.js
const maxLinks = 40; // the limit of the kernel: path_resolution(7)
const maxSteps = 20_000; // twice the names that the path of a request can have; links could demand any number

/** The path of a name in an open folder. It stays right if the folder is moved. */
export function below({ fd }: FileHandle, name: Name): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/${name}`, "latin1");
}

/** Opens what is held. Call it only for files and folders: opening a device or a FIFO has effects. */
export async function reopen({ fd }: FileHandle, flags: number): Promise<FileHandle> {
  return await open(`/proc/self/fd/${fd}`, flags);
}

/**
 * Finds what the path leads to, and follows links. The caller closes it. Throws LeavesWorkspace, LeavesMount, and the errors of open(2)
 * with their codes.
 */
export async function find(start: Start): Promise<Found> {
  const walker = await Walker.at(start);
  try {
    await walker.go({ isFollowingLast: true });
    return walker.here;
  } catch (error) {
    await walker.here.held.close();
    throw error;
  }
}

/**
 * Calls `use` with the entry that the path leads to; null: the workspace itself. If the entry is a link, the link is not followed. Throws
 * what `find` throws.
 */
export async function locate<Result>(start: Start, use: (entry: DirectoryEntry | null) => Promise<Result>): Promise<Result> {
  const walker = await Walker.at(start);
  try {
    return await use(await walker.go({ isFollowingLast: false }));
  } finally {
    await walker.here.held.close();
  }
}

/** What is at an entry. A link is not followed. The caller closes it. */
export async function openEntry({ folder, name }: DirectoryEntry): Promise<Found> {
  return await hold(below(folder, name), mountOf(folder.fd));
}

/** A walk: the folder that it has reached, and the names that led there. */
class Walker {
  here: Found;
  readonly #start: Start;
  readonly #mount: number | null;
  #trail: Name[] = []; // the folders from the workspace down to here

  static async at(start: Start): Promise<Walker> {
    const { mount, ...root } = await holdRoot(start.root);
    return new Walker(start, root, mount);
  }

  constructor(start: Start, root: Found, mount: number | null) {
    this.#start = start;
    this.here = root;
    this.#mount = mount;
  }

  /**
   * Walks to what the path leads to, and returns null. Without `isFollowingLast` it stops at the folder of the last name, and returns the
   * entry without examining it; null: the path leads to the workspace itself.
   */
  async go({ isFollowingLast }: { isFollowingLast: boolean }): Promise<DirectoryEntry | null> {
    const rest = this.#start.path.toReversed(); // the next one is at the end
    for (let links = 0, steps = 0; ; steps += 1) {
      if (steps > maxSteps) throw new LeavesWorkspace("leads through too many folders");
      const name = rest.pop();
      if (name === undefined) return null;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        rest.push(...(await this.#climb()).toReversed());
        continue;
      }
      if (rest.length === 0 && !isFollowingLast) return { folder: this.here.held, name };
      const found = await this.#openEntry(name);
      if (!found.stats.isSymbolicLink()) {
        await this.#enter(found, name);
        continue;
      }
      await found.held.close();
      links += 1;
      if (links > maxLinks) throw new LeavesWorkspace("leads through too many links");
      rest.push(...(await this.#follow(name)).toReversed());
    }
  }

  async #openEntry(name: Name): Promise<Found> {
    const path = below(this.here.held, name);
    const { make } = this.#start;
    try {
      return await hold(path, this.#mount);
    } catch (error) {
      if (make === undefined || codeOf(error) !== "ENOENT") throw error;
      await make({ folder: this.here.held, name });
      return await hold(path, this.#mount);
    }
  }

  /** If it is not a folder, the kernel refuses the next name. */
  async #enter(found: Found, name: Name): Promise<void> {
    await this.here.held.close();
    this.here = found;
    this.#trail.push(name);
  }

  /**
   * Returns to the workspace, and gives the names that lead to the parent of the current folder. The parent is not opened as "..", because
   * the folder may have been moved out of the workspace.
   */
  async #climb(): Promise<Name[]> {
    if (this.#trail.length === 0) throw new LeavesWorkspace("leaves the workspace");
    const above = this.#trail.slice(0, -1);
    await this.#toRoot();
    return above;
  }

  async #toRoot(): Promise<void> {
    await this.#enter(await holdRoot(this.#start.root), "");
    this.#trail = [];
  }

  /**
   * The names of a link's target, which take the place of the link. An absolute target must begin with the path of the workspace, as jobs
   * see it.
   */
  async #follow(name: Name): Promise<Name[]> {
    const target = await linkAt(below(this.here.held, name));
    if (target === null) return [name]; // it is not a link any more, so it is opened again
    if (!target.startsWith("/")) return target.split("/");
    const root = nameOf(this.#start.root);
    if (target !== root && !target.startsWith(`${root}/`)) throw new LeavesWorkspace("leads out of the workspace by a link");
    await this.#toRoot();
    return target.slice(root.length).split("/");
  }
}

async function linkAt(path: Buffer): Promise<Name | null> {
  try {
    return await readlink(path, { encoding: "latin1" });
  } catch (error) {
    if (codeOf(error) === "EINVAL") return null;
    throw error;
  }
}

async function holdRoot(root: string): Promise<Found & { mount: number | null }> {
  const held = await open(root, O_PATH | O_DIRECTORY);
  return await closedOnError(held, async () => ({ held, stats: await held.stat(), mount: mountOf(held.fd) }));
}

/** Checks that it is on this mount before anything else, because a network file system may never answer. */
async function hold(path: Buffer, mount: number | null): Promise<Found> {
  const held = await open(path, O_PATH | O_NOFOLLOW);
  return await closedOnError(held, async () => {
    if (mount === null || mountOf(held.fd) !== mount) throw new LeavesMount();
    return { held, stats: await held.stat() };
  });
}

async function closedOnError<Result>(held: FileHandle, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    await held.close();
    throw error;
  }
}
