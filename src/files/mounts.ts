import { readFileSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import type { Name } from "./names.ts";

/**
 * The ID of the mount on which an open file is (proc_pid_fdinfo(5)), which bind mounts of one file system have each their own; null: /proc
 * does not say. It asks nothing of the file system, which may be a network's and never answer; so it waits for nothing, either.
 */
export function mountOf(fd: number): number | null {
  const [, id] = /^mnt_id:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")) ?? [];
  return id === undefined ? null : Number(id);
}

/** On what in this folder something is mounted: proc_pid_mountinfo(5). Null: it is too deep for its path to be told. */
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
