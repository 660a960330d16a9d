import { readFileSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import type { Name } from "./names.ts";

/**
 * The ID of the mount of an open file (proc_pid_fdinfo(5)). Each bind mount of a file system has its own. Null: /proc does not say. It does
 * not ask the file system, which may be on a network and never answer, so reading it synchronously does not block.
 */
export function mountOf(fd: number): number | null {
  const [, id] = /^mnt_id:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")) ?? [];
  return id === undefined ? null : Number(id);
}

/** The names in this folder that are mount points (proc_pid_mountinfo(5)). Null: the folder's path is too long for /proc. */
export async function mountedIn(fd: number): Promise<Set<Name> | null> {
  const path = await readlink(`/proc/self/fd/${fd}`, { encoding: "latin1" }).catch(() => null);
  if (path === null) return null;
  const table = await readFile("/proc/self/mountinfo", "latin1");
  const folder = path === "/" ? "/" : `${path}/`;
  const points = table
    .split("\n")
    .flatMap(
      (line) => line.split(" ")[4]?.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? [],
    );
  return new Set(
    points.flatMap((point) => (point.startsWith(folder) && !point.slice(folder.length).includes("/") ? [point.slice(folder.length)] : [])),
  );
}
