import { constants, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, rename, rmdir, unlink } from "node:fs/promises";
import { emptyFolder, type Left } from "./emptying.ts";
import { type Listing, listFolder, type Page } from "./listing.ts";
import type { Name } from "./names.ts";
import { below, find, LeavesMount, locate, openEntry, type DirectoryEntry, reopen } from "./walk.ts";
import { codeOf } from "../lib/error-code.ts";

/** The files of one job's workspace. Every function throws the errors of walk.ts and those of this file. */

/** There is something of another kind than the call expects. The message is the end of a sentence for people. */
export class NotWhatWasAsked extends Error {}

/** A folder could not be removed completely: `removedCount` entries were removed. The path of `left` is relative to the workspace. */
export class NotAllRemoved extends Error {
  readonly removedCount: number;
  readonly left: Left;

  constructor(removedCount: number, left: Left) {
    super(`not all of a folder could be removed: ${left.text}`);
    this.removedCount = removedCount;
    this.left = left;
  }
}

/** A folder is only held (O_PATH). The caller closes both kinds. */
export type Opened = { kind: "file"; file: FileHandle; stats: Stats } | { kind: "folder"; folder: FileHandle; stats: Stats };

export type Workspace = {
  root: string;
  /** A new path for a file that is being written: on the workspace's file system, in a folder that only the service uses. */
  draft: () => string;
  /** The C program. */
  program: string;
};

/** Runs work that keeps folders open, when it is its turn. */
export type InTurn = <Result>(run: () => Promise<Result>) => Promise<Result>;

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export class WorkspaceFiles {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Opens a file or folder, and keeps nothing else open. It never opens a device, a FIFO or a socket. */
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
   * Writes a file in place of what was there, completely or not at all, and creates its parent folders. The file belongs to the workspace's
   * owner; `mode` is its permissions. While the content arrives, only a draft outside the workspace is open.
   */
  async write(path: Name[], content: AsyncIterable<Uint8Array>, { mode, inTurn }: { mode: number; inTurn: InTurn }): Promise<void> {
    await inTurn(() => this.#locate(path, "is the workspace itself: name a file in it", refuseFolder));
    const draft = this.#workspace.draft();
    try {
      await this.#writeDraft(draft, content, mode);
      await inTurn(() => this.#locate(path, "is the workspace itself: name a file in it", async (entry) => await putInPlace(draft, entry)));
    } catch (error) {
      await unlink(draft).catch(() => undefined); // the first error matters
      throw error;
    }
  }

  /** Creates a folder and its parents if they do not exist, and sets the permissions of the folder. */
  async makeFolder(path: Name[], mode: number): Promise<void> {
    await this.#locate(path, "is the workspace itself, which exists", async (entry) => {
      await this.#make(entry);
      const { held, stats } = await openEntry(entry);
      await using found = held;
      if (!stats.isDirectory()) throw new NotWhatWasAsked("is not a folder");
      await using folder = await reopen(found, O_RDONLY | O_DIRECTORY);
      await folder.chmod(mode);
    });
  }

  /**
   * Removes a file, a link or an empty folder; with `isRecursive` also a folder with everything in it. Returns the number of removed
   * entries. Throws NotAllRemoved.
   */
  async remove(path: Name[], { isRecursive }: { isRecursive: boolean }): Promise<number> {
    const { root, program } = this.#workspace;
    return await locate({ root, path }, async (entry) => {
      if (entry === null) throw new NotWhatWasAsked("is the workspace itself: it is removed with the job");
      if (await isUnlinked(entry)) return 1;
      const { held } = await openEntry(entry);
      await using folder = held;
      if (await isFolderRemoved(entry, { isRecursive })) return 1;
      const { removed, left } = await emptyFolder(program, folder.fd);
      if (left !== null) throw new NotAllRemoved(removed, { ...left, path: [...path, left.path].filter((name) => name !== "").join("/") });
      if (await isFolderRemoved(entry, { isRecursive: true })) return removed + 1;
      throw new NotAllRemoved(removed, { path: path.join("/"), why: "changed", text: "something was added to it meanwhile" });
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

  /** Creates a folder if nothing is there. */
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

  /**
   * The owner of the workspace, if it is not the service's user. Only a service that is root has such workspaces: what it creates there
   * belongs to the owner, and it shows no files of other users. Null: there is no such owner.
   */
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

  /** A hard link cannot be told from a file, so a service that is root would show files that the job's user may not read. */
  async #refuseForeign({ uid }: Stats): Promise<void> {
    const owner = await this.#owner();
    if (owner !== null && uid !== owner.uid) throw new NotWhatWasAsked("does not belong to the job's user, so it is not shown");
  }
}

/** Refuses a folder before the content of the file is read in vain. */
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
    if (code !== "EISDIR" && code !== "EPERM" && code !== "EBUSY") throw error; // unlink(2) of a folder: EISDIR on Linux, EPERM by POSIX
    const { held, stats } = await openEntry(entry); // throws LeavesMount for a mount
    await held.close();
    if (stats.isDirectory()) return false;
    throw error;
  }
}

/** False: the folder is not empty, and its content is to be removed too. */
async function isFolderRemoved({ folder, name }: DirectoryEntry, { isRecursive }: { isRecursive: boolean }): Promise<boolean> {
  try {
    await rmdir(below(folder, name));
    return true;
  } catch (error) {
    if (isRecursive && codeOf(error) === "ENOTEMPTY") return false;
    throw error;
  }
}
