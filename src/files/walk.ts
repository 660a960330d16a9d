import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { mountOf } from "./mounts.ts";
import { type Name, nameOf } from "./names.ts";
import { codeOf } from "../lib/error-code.ts";

/**
 * The way through a workspace that never leaves it, whatever jobs make of its folders and links meanwhile: from one folder to the next, by
 * one name, without following what is there and without entering what is mounted there (as openat2(2) does with RESOLVE_BENEATH and
 * RESOLVE_NO_XDEV, which Node has not). Links are read and walked here. However deep it goes, no more than two folders are open at a time.
 */

/** `refusal` is a sentence for people; it does not hold what a link says. */
export class LeavesWorkspace extends Error {}

/** Something else is mounted there, or on the way. */
export class LeavesMount extends Error {}

/** An open folder of the workspace, good for walking on alone (O_PATH). */
type Folder = FileHandle;

/** A name in an open folder, which may be nothing, anything, or (never followed) a link. */
export type DirectoryEntry = { folder: Folder; name: Name };

/** What is there, not opened but held (O_PATH, see open(2)): it is good for `reopen` and for nothing else. */
export type Found = { held: FileHandle; stats: Stats };

export type Start = {
  root: string; // the workspace; a link there is the service's own
  path: Name[];
  /** Called for a folder that is not there; makes it. Without it, ENOENT is thrown. */
  make?: (entry: DirectoryEntry) => Promise<void>;
};

const { O_DIRECTORY, O_NOFOLLOW } = constants;
const O_PATH = 0o10000000; // open(2); the same on all architectures that Node has
const maxLinks = 40; // as the kernel has it: path_resolution(7)
const maxSteps = 20_000; // a path of a request has no more than half as many names; links could ask for any number

/** A name in an open folder, which stays that folder wherever it is moved to. */
export function below({ fd }: FileHandle, name: Name): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/${name}`, "latin1");
}

/** Opens what is held. Only of files and folders: to open a device or a FIFO does something. */
export async function reopen({ fd }: FileHandle, flags: number): Promise<FileHandle> {
  return await open(`/proc/self/fd/${fd}`, flags);
}

/**
 * Finds what the path leads to, links followed; the caller closes it. Throws LeavesWorkspace, LeavesMount, and the errors of open(2) with
 * their codes.
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

/** Calls `use` with the entry that the path leads to, where a link is not followed; null: that is the workspace itself. Throws the same. */
export async function locate<Result>(start: Start, use: (entry: DirectoryEntry | null) => Promise<Result>): Promise<Result> {
  const walker = await Walker.at(start);
  try {
    return await use(await walker.go({ isFollowingLast: false }));
  } finally {
    await walker.here.held.close();
  }
}

/** What is at a entry, without following it; the caller closes it. */
export async function openEntry({ folder, name }: DirectoryEntry): Promise<Found> {
  return await hold(below(folder, name), mountOf(folder.fd));
}

/** Where a walk is, and how it came there. */
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

  /** To what the path leads to, or (null then, too, where that is the workspace) to the folder of the last name, which is not looked at. */
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

  /** Where it is no folder, the kernel says so at the next name. */
  async #enter(found: Found, name: Name): Promise<void> {
    await this.here.held.close();
    this.here = found;
    this.#trail.push(name);
  }

  /**
   * To the workspace again, and the names to the folder above this: to ask a folder for its parent would lead out of one that was moved
   * away.
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

  /** The names to walk in place of a link. An absolute one is a way from the workspace where it begins with its path, as jobs see it. */
  async #follow(name: Name): Promise<Name[]> {
    const target = await linkAt(below(this.here.held, name));
    if (target === null) return [name]; // it has become something else: looked at again
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

/** Nothing is asked of what is there before it is known to be on this mount. */
async function hold(path: Buffer, mount: number | null): Promise<Found> {
  const held = await open(path, O_PATH | O_NOFOLLOW);
  return await closedOnError(held, async () => {
    if (mount === null || mountOf(held.fd) !== mount) throw new LeavesMount();
    return { held, stats: await held.stat() };
  });
}

async function closedOnError<Result>(held: FileHandle, look: () => Promise<Result>): Promise<Result> {
  try {
    return await look();
  } catch (error) {
    await held.close();
    throw error;
  }
}
