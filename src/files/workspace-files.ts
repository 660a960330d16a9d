import { constants, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, rename, rmdir, unlink } from "node:fs/promises";
import { emptyFolder, type Left } from "./emptying.ts";
import { type Listing, listFolder, type Page } from "./listing.ts";
import type { Name } from "./names.ts";
import { below, find, LeavesMount, locate, openEntry, type DirectoryEntry, reopen } from "./walk.ts";
import { codeOf } from "../lib/error-code.ts";

/** The files of one job's workspace. All throw what the walk throws, and what stands here. */

/** What is there is of another kind than the call is for; the message is for people. */
export class NotWhatWasAsked extends Error {}

/** A folder was not removed whole. So much of it was; `left` was not, of which the path is from the workspace down. */
export class NotAllRemoved extends Error {
  readonly removedCount: number;
  readonly left: Left;

  constructor(removedCount: number, left: Left) {
    super(`not all of a folder could be removed: ${left.text}`);
    this.removedCount = removedCount;
    this.left = left;
  }
}

/** A folder is only held (O_PATH). The caller closes either. */
export type Opened = { kind: "file"; file: FileHandle; stats: Stats } | { kind: "folder"; folder: FileHandle; stats: Stats };

export type Workspace = {
  root: string;
  /** A path, of the workspace's file system and in a folder of the service's alone, for a file that is being written. */
  draft: () => string;
  /** The C program. */
  program: string;
};

/** Runs what holds folders open, when it is its turn. */
export type InTurn = <Result>(run: () => Promise<Result>) => Promise<Result>;

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export class WorkspaceFiles {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** What is there, open; of the way to it, nothing is. A device, a FIFO or a socket is never opened. */
  async open(path: Name[]): Promise<Opened> {
    const { held, stats } = await find({ root: this.#workspace.root, path });
    if (stats.isDirectory()) return { kind: "folder", folder: held, stats };
    try {
      if (!stats.isFile()) throw new NotWhatWasAsked("is neither a file nor a folder: only those can be fetched");
      await this.#refuseForeign(stats);
      return { kind: "file", file: await reopen(held, O_RDONLY | O_NONBLOCK), stats };
    } finally {
      await held.close();
    }
  }

  async list(folder: FileHandle, page: Page): Promise<Listing> {
    return await listFolder(folder, page);
  }

  /**
   * Puts a file there in place of what was, whole or not at all; folders on the way are made. The owner is the workspace's. `mode` are its
   * permissions. While its bytes are waited for, nothing is open but a draft of it, outside of the workspace.
   */
  async write(path: Name[], content: AsyncIterable<Uint8Array>, { mode, inTurn }: { mode: number; inTurn: InTurn }): Promise<void> {
    await inTurn(() => this.#locate(path, "is the workspace itself: name a file in it", refuseFolder));
    const draft = this.#workspace.draft();
    try {
      await this.#writeDraft(draft, content, mode);
      await inTurn(() => this.#locate(path, "is the workspace itself: name a file in it", async (entry) => await putInPlace(draft, entry)));
    } catch (error) {
      await unlink(draft).catch(() => undefined); // the first error says more
      throw error;
    }
  }

  /** Makes a folder, with those on the way, where there is none, and gives it these permissions. */
  async makeFolder(path: Name[], mode: number): Promise<void> {
    await this.#locate(path, "is the workspace itself, which is there", async (entry) => {
      await this.#make(entry);
      const { held, stats } = await openEntry(entry);
      await using found = held;
      if (!stats.isDirectory()) throw new NotWhatWasAsked("is no folder");
      await using folder = await reopen(found, O_RDONLY | O_DIRECTORY);
      await folder.chmod(mode);
    });
  }

  /**
   * Removes a file, a link or an empty folder; with `isRecursive` a folder with all that is in it. Gives how many there were; throws
   * NotAllRemoved.
   */
  async remove(path: Name[], { isRecursive }: { isRecursive: boolean }): Promise<number> {
    const { root, program } = this.#workspace;
    return await locate({ root, path }, async (entry) => {
      if (entry === null) throw new NotWhatWasAsked("is the workspace itself: it goes when the job is removed");
      if (await isUnlinked(entry)) return 1;
      const { held } = await openEntry(entry);
      await using folder = held;
      if (await isFolderRemoved(entry, { isRecursive })) return 1;
      const { removed, left } = await emptyFolder(program, folder.fd);
      if (left !== null) throw new NotAllRemoved(removed, { ...left, path: [...path, left.path].filter((name) => name !== "").join("/") });
      if (await isFolderRemoved(entry, { isRecursive: true })) return removed + 1;
      throw new NotAllRemoved(removed, { path: path.join("/"), why: "changed", text: "something is put into it meanwhile" });
    });
  }

  async #locate<Result>(path: Name[], otherwise: string, use: (entry: DirectoryEntry) => Promise<Result>): Promise<Result> {
    return await locate({ root: this.#workspace.root, path, make: (entry) => this.#make(entry) }, async (entry) => {
      if (entry === null) throw new NotWhatWasAsked(otherwise);
      return await use(entry);
    });
  }

  async #writeDraft(path: string, content: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
    await using file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    for await (const chunk of content) await file.appendFile(chunk);
    await this.#giveToOwner(file);
    await file.chmod(mode);
  }

  /** A folder, if nothing is there. */
  async #make({ folder, name }: DirectoryEntry): Promise<void> {
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
    await using root = await open(this.#workspace.root, O_RDONLY | O_DIRECTORY);
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

/** Before the bytes of a file are waited for in vain. */
async function refuseFolder(entry: DirectoryEntry): Promise<void> {
  try {
    const { held, stats } = await openEntry(entry);
    await held.close();
    if (stats.isDirectory()) throw new NotWhatWasAsked("is a folder: name a file");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

async function putInPlace(draft: string, { folder, name }: DirectoryEntry): Promise<void> {
  try {
    await rename(draft, below(folder, name));
  } catch (error) {
    if (codeOf(error) === "EISDIR") throw new NotWhatWasAsked("is a folder: name a file", { cause: error });
    if (codeOf(error) === "EBUSY") throw new LeavesMount();
    throw error;
  }
}

/** False: it is a folder. */
async function isUnlinked(entry: DirectoryEntry): Promise<boolean> {
  try {
    await unlink(below(entry.folder, entry.name));
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code !== "EISDIR" && code !== "EPERM" && code !== "EBUSY") throw error; // unlink(2): Linux says EISDIR of a folder, POSIX EPERM
    const { held, stats } = await openEntry(entry); // of a mount, throws what is
    await held.close();
    if (stats.isDirectory()) return false;
    throw error;
  }
}

/** False: there is something in it, and that is to be removed. */
async function isFolderRemoved({ folder, name }: DirectoryEntry, { isRecursive }: { isRecursive: boolean }): Promise<boolean> {
  try {
    await rmdir(below(folder, name));
    return true;
  } catch (error) {
    if (isRecursive && codeOf(error) === "ENOTEMPTY") return false;
    throw error;
  }
}
