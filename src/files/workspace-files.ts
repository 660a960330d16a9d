import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, readlink, rename, rmdir, unlink } from "node:fs/promises";
import { below, type Place, walk } from "./walk.ts";

/** The files of one job's workspace. All throw what walk throws, and NotWhatWasAsked. */

/** What is there is of another kind than the call is for; the message is for people. */
export class NotWhatWasAsked extends Error {}

export type Entry = { name: string; type: "file" | "folder" | "link" | "other"; stats: Stats; target: string | null };
export type Listing = { entries: Entry[]; nextAfter: string | null };

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export class WorkspaceFiles {
  readonly #root: string;

  /** `root`: the workspace. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Opens what is there and gives it, open, to the one that is for it. */
  async look<Result>(path: string[], use: { file: (file: FileHandle, stats: Stats) => Promise<Result>; folder: (folder: FileHandle) => Promise<Result> }): Promise<Result> {
    return await walk({ root: this.#root, path, isFollowingLast: true }, async ({ folder, name }) => {
      if (name === null) return await use.folder(folder);
      // Without waiting, as for a FIFO's writer, and for nothing but a file or a folder.
      await using found = await open(below(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stats = await found.stat();
      if (stats.isDirectory()) return await use.folder(found);
      if (!stats.isFile()) throw new NotWhatWasAsked("is neither a file nor a folder: only those can be fetched");
      await this.#refuseForeign(stats);
      return await use.file(found, stats);
    });
  }

  /** A folder's entries by name, so many, after that of the page before. */
  async list(folder: FileHandle, { after, limit }: { after: string | null; limit: number }): Promise<Listing> {
    const names = (await readdir(below(folder, "."))).toSorted();
    const wanted = after === null ? names : names.filter((name) => name > after);
    const page = wanted.slice(0, limit);
    const entries = await Promise.all(page.map((name) => entryOf(folder, name)));
    return { entries: entries.flatMap((entry) => (entry === null ? [] : [entry])), nextAfter: wanted.length > limit ? (page.at(-1) ?? null) : null };
  }

  /**
   * Puts a file there in place of what was, whole or not at all; folders on the way are made. The owner is the workspace's. `mode` are its
   * permissions.
   */
  async write(path: string[], content: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
    const make = async (folder: FileHandle, name: string): Promise<void> => await this.#makeFolder(folder, name);
    await walk({ root: this.#root, path, isFollowingLast: false, make }, async (place) => {
      const { folder, name } = named(place, "is the workspace itself: name a file in it");
      const temporary = below(folder, `.${randomUUID()}`);
      try {
        await using file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
        for await (const chunk of content) await file.appendFile(chunk);
        await this.#giveToOwner(file);
        await file.chmod(mode);
        await rename(temporary, below(folder, name));
      } catch (error) {
        await unlink(temporary).catch(() => undefined); // the first error says more
        throw codeOf(error) === "EISDIR" ? new NotWhatWasAsked("is a folder: name a file", { cause: error }) : error;
      }
    });
  }

  /** Removes a file, a link or an empty folder; with `isRecursive` a folder with all that is in it. */
  async remove(path: string[], { isRecursive }: { isRecursive: boolean }): Promise<void> {
    await walk({ root: this.#root, path, isFollowingLast: false }, async (place) => {
      const { folder, name } = named(place, "is the workspace itself: it goes when the job is removed");
      await removeAt(folder, name, isRecursive);
    });
  }

  async #makeFolder(folder: FileHandle, name: string): Promise<void> {
    try {
      await mkdir(below(folder, name), 0o755);
    } catch (error) {
      if (codeOf(error) === "EEXIST") return;
      throw error;
    }
    await using made = await open(below(folder, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    await made.chmod(0o755); // whatever the umask
    await this.#giveToOwner(made);
  }

  /** A service that is root keeps the workspaces of others: what it makes there is theirs, and what is not theirs it does not show. */
  async #owner(): Promise<{ uid: number; gid: number } | null> {
    if (process.geteuid?.() !== 0) return null;
    await using root = await open(this.#root, O_RDONLY | O_DIRECTORY);
    const { uid, gid } = await root.stat();
    return uid === 0 ? null : { uid, gid };
  }

  async #giveToOwner(made: FileHandle): Promise<void> {
    const owner = await this.#owner();
    if (owner !== null) await made.chown(owner.uid, owner.gid);
  }

  /** A hard link is no link to walk: of a file that its user may not read, root would show what is in it. */
  async #refuseForeign({ uid }: Stats): Promise<void> {
    const owner = await this.#owner();
    if (owner !== null && uid !== owner.uid) throw new NotWhatWasAsked("belongs to another user than the job's: it is not shown");
  }
}

function named({ folder, name }: Place, otherwise: string): { folder: FileHandle; name: string } {
  if (name === null) throw new NotWhatWasAsked(otherwise);
  return { folder, name };
}

/** Null where it is gone by now. */
async function entryOf(folder: FileHandle, name: string): Promise<Entry | null> {
  try {
    const path = below(folder, name);
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return { name, type: "link", stats, target: await readlink(path) };
    return { name, type: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other", stats, target: null };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function removeAt(parent: FileHandle, name: string, isRecursive: boolean): Promise<void> {
  try {
    return await unlink(below(parent, name));
  } catch (error) {
    const code = codeOf(error);
    if (code !== "EISDIR" && code !== "EPERM") throw error; // unlink(2): Linux says EISDIR of a folder, POSIX EPERM
  }
  if (isRecursive) {
    await using folder = await open(below(parent, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    for (const inner of await readdir(below(folder, "."))) await removeAt(folder, inner, isRecursive);
  }
  await rmdir(below(parent, name));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
