import { constants } from "node:fs";
import { type FileHandle, open, opendir, rmdir, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { emptyFolder, type Left, type Why } from "./emptying.ts";
import { nameOf } from "./names.ts";
import { below, LeavesMount, openEntry, type DirectoryEntry } from "./walk.ts";
import { codeOf } from "../lib/error-code.ts";

const { O_DIRECTORY, O_RDONLY } = constants;
const fewNames = 32;

/**
 * Removes a folder and everything in it, or the link or file that is in its place. A mount is not removed. Null: nothing is left. A few
 * files are removed here, because a process would take longer. `program`: the C program.
 */
export async function removeFolder(program: string, path: string): Promise<Left | null> {
  try {
    await using parent = await open(dirname(path), O_RDONLY | O_DIRECTORY);
    const entry = { folder: parent, name: nameOf(basename(path)) };
    const { held, stats } = await openEntry(entry);
    await using folder = held;
    if (!stats.isDirectory()) await unlink(below(entry.folder, entry.name));
    else if (!(await isRemovedAtOnce(entry, folder))) return await removeByProgram(program, entry, folder);
    return null;
  } catch (error) {
    if (error instanceof LeavesMount) return { path: "", why: "mount", text: "something is mounted there" };
    return codeOf(error) === "ENOENT" ? null : leftBy(error);
  }
}

async function removeByProgram(program: string, { folder, name }: DirectoryEntry, held: FileHandle): Promise<Left | null> {
  const { left } = await emptyFolder(program, held.fd);
  if (left === null) await rmdir(below(folder, name));
  return left;
}

/** False: the folder has more than a few files, or some could not be removed. */
async function isRemovedAtOnce({ folder, name }: DirectoryEntry, held: FileHandle): Promise<boolean> {
  try {
    const found: string[] = [];
    for await (const entry of await opendir(below(held, ".").toString("latin1"), { encoding: "latin1", bufferSize: fewNames + 1 })) {
      if (entry.isDirectory() || found.length === fewNames) return false;
      found.push(entry.name);
    }
    await Promise.all(found.map((inner) => unlink(below(held, inner))));
    await rmdir(below(folder, name));
    return true;
  } catch {
    return false;
  }
}

const whyByCode: Record<string, Why> = { EACCES: "denied", EPERM: "denied", ENOTEMPTY: "changed", EBUSY: "mount" };

function leftBy(error: unknown): Left {
  const why = whyByCode[codeOf(error)] ?? "other";
  return { path: "", why, text: error instanceof Error ? error.message : String(error) };
}
