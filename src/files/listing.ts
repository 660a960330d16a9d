import type { Stats } from "node:fs";
import { type FileHandle, lstat, opendir, readlink } from "node:fs/promises";
import { mountedIn } from "./mounts.ts";
import type { Name } from "./names.ts";
import { below, LeavesMount, openEntry } from "./walk.ts";
import { codeOf } from "../lib/error-code.ts";

/** A folder's entries, sorted by name, in pages. Memory is bounded by the page, not by the folder. */

/** A mount is not examined, because a network file system may never answer. */
export type Entry =
  | { name: Name; type: "file" | "folder" | "link" | "other"; stats: Stats; target: Name | null }
  | { name: Name; type: "mount" };
export type Listing = { entries: Entry[]; nextAfter: Name | null };

export type Page = {
  after: Name | null; // the last name of the page before
  limit: number; // of entries; a page can have fewer although more follow
  /** Called from time to time. False ends the work, and the page has what was found so far. */
  isWanted: () => boolean;
};

const atOnce = 32;
const namesPerRead = 1024; // about half a millisecond of work between two turns of the event loop
const maxPageBytes = 1 << 20; // as JSON, roughly
const bytesPerEntry = 150;

/** `folder` may be held (O_PATH). Throws the errors of opendir(3) and lstat(2). */
export async function listFolder(folder: FileHandle, page: Page): Promise<Listing> {
  const names = await smallestNames(folder, page);
  const mounts = await mountedIn(folder.fd);
  const entries: Entry[] = [];
  let bytes = 0;
  let seen = 0;
  while (seen < Math.min(names.length, page.limit) && bytes < maxPageBytes && page.isWanted()) {
    const some = names.slice(seen, Math.min(seen + atOnce, page.limit));
    for (const entry of await Promise.all(some.map((name) => entryOf(folder, name, mounts)))) {
      if (entry === null) continue;
      entries.push(entry);
      bytes += bytesPerEntry + entry.name.length * 2 + ("target" in entry ? (entry.target?.length ?? 0) : 0);
    }
    seen += some.length;
  }
  return { entries, nextAfter: seen < names.length ? (names[seen - 1] ?? null) : null };
}

/** The names of a page, sorted, and the one after it. It reads all names of the folder and keeps only the smallest. */
async function smallestNames(folder: FileHandle, { after, limit, isWanted }: Page): Promise<Name[]> {
  const wanted = limit + 1;
  let kept: Name[] = [];
  let last: Name | null = null; // names from this one on are not needed
  await using names = await opendir(below(folder, ".").toString("latin1"), { encoding: "latin1", bufferSize: namesPerRead });
  for (let count = 1; ; count += 1) {
    const entry = await names.read();
    if (entry === null || (count % namesPerRead === 0 && !isWanted())) break;
    if ((after !== null && entry.name <= after) || (last !== null && entry.name >= last)) continue;
    kept.push(entry.name);
    if (kept.length < wanted * 2 || kept.length < namesPerRead) continue;
    kept = kept.toSorted().slice(0, wanted);
    last = kept.at(-1) ?? null;
  }
  return kept.toSorted().slice(0, wanted);
}

/** Null: it was removed meanwhile. */
async function entryOf(folder: FileHandle, name: Name, mounts: Set<Name> | null): Promise<Entry | null> {
  try {
    if (mounts === null ? await isMount(folder, name) : mounts.has(name)) return { name, type: "mount" };
    const path = below(folder, name);
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return { name, type: "link", stats, target: await readlink(path, { encoding: "latin1" }) };
    return { name, type: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other", stats, target: null };
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "EINVAL") return null; // EINVAL: it was a link and is something else now
    throw error;
  }
}

async function isMount(folder: FileHandle, name: Name): Promise<boolean> {
  try {
    await (await openEntry({ folder, name })).held.close();
    return false;
  } catch (error) {
    if (error instanceof LeavesMount) return true;
    throw error;
  }
}
