import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";

/**
 * The way through a workspace that never leaves it, whatever jobs make of its folders and links meanwhile: from one open folder to the next, by
 * one name, without following what is there (as openat2(2) does with RESOLVE_BENEATH, which Node has not). Links are read and walked here.
 */

/** `refusal` is a sentence for people; it does not hold what a link says. */
export class LeavesWorkspace extends Error {}

/** An open folder of the workspace and a name in it, which may be nothing, anything, or (never followed) a link; null: the workspace itself. */
export type Place = { folder: FileHandle; name: string | null };

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const maxLinks = 40; // as the kernel has it: path_resolution(7)

/** A name below an open folder, which stays that folder wherever it is moved to. */
export function below(folder: FileHandle, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}

export type Walk = {
  root: string; // the workspace; a link there is the service's own
  path: string[];
  isFollowingLast: boolean; // whether a link at the end is walked, too
  /** Called for a folder that is not there; makes it. Without it, ENOENT is thrown. */
  make?: (folder: FileHandle, name: string) => Promise<void>;
};

/** Calls `use` with where the path leads. Throws LeavesWorkspace, and the errors of open(2) with their codes. */
export async function walk<Result>({ root, path, isFollowingLast, make }: Walk, use: (place: Place) => Promise<Result>): Promise<Result> {
  await using opened = new Folders();
  await opened.enter(root, O_DIRECTORY);
  const rest = [...path];
  for (let links = 0; ; ) {
    const name = rest.shift();
    if (name === undefined) return await use({ folder: opened.last, name: null });
    if (name === "" || name === ".") continue;
    if (name === "..") {
      await opened.leave();
      continue;
    }
    const isLast = rest.length === 0;
    if (!isLast || isFollowingLast) {
      const target = await linkAt(opened.last, name);
      if (target !== null) {
        links += 1;
        if (links > maxLinks) throw new LeavesWorkspace("leads through too many links");
        rest.unshift(...(await follow(opened, target, root)));
        continue;
      }
    }
    if (isLast) return await use({ folder: opened.last, name });
    if (make !== undefined) await make(opened.last, name);
    await opened.enter(below(opened.last, name), O_DIRECTORY | O_NOFOLLOW);
  }
}

/** The open folders from the workspace down to where we are. */
class Folders implements AsyncDisposable {
  readonly #open: FileHandle[] = [];

  get last(): FileHandle {
    const folder = this.#open.at(-1);
    if (folder === undefined) throw new Error("no folder is open");
    return folder;
  }

  async enter(path: string, flags: number): Promise<void> {
    this.#open.push(await open(path, O_RDONLY | flags));
  }

  async leave(): Promise<void> {
    if (this.#open.length === 1) throw new LeavesWorkspace("leaves the workspace");
    await this.#open.pop()?.close();
  }

  async toRoot(): Promise<void> {
    while (this.#open.length > 1) await this.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#open.splice(0)) await folder.close();
  }
}

async function linkAt(folder: FileHandle, name: string): Promise<string | null> {
  try {
    return await readlink(below(folder, name));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EINVAL" || code === "ENOENT") return null; // not a link, or nothing: what comes next says so
    throw error;
  }
}

/** The names to walk in place of a link. An absolute one is a way from the workspace where it begins with its path, as jobs see it. */
async function follow(opened: Folders, target: string, root: string): Promise<string[]> {
  if (!target.startsWith("/")) return target.split("/");
  if (target !== root && !target.startsWith(`${root}/`)) throw new LeavesWorkspace("leads out of the workspace by a link");
  await opened.toRoot();
  return target.slice(root.length).split("/");
}
