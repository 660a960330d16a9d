import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ownUser } from "../identity/own-user.ts";
import { configuredSize } from "../lib/configured-size.ts";
import { migrate } from "../store/schema.ts";
import { type Box, type Finding, isWritable, messageOf, note, ok, problem } from "./box.ts";
import { serviceOf } from "./running.ts";

/** The state directory, its file system, and the database in it. */

const elsewhere = "set JOBRUNNER_STATE_DIR to another directory";

export function stateDirectory({ settings: { stateDir: path } }: Box): Finding[] {
  const present = nearest(path);
  if (!statSync(present).isDirectory()) return [problem(`${path} cannot be created: ${present} is not a directory`, elsewhere)];
  return [present === path ? owned(path) : unmade(path, present), ...fileSystem(present)];
}

function unmade(path: string, present: string): Finding {
  if (isWritable(present)) return ok(`${path} is created at the first start`);
  return problem(
    `${path} does not exist, and ${ownUser.name} may not create it in ${present}`,
    `set JOBRUNNER_STATE_DIR to a directory of ${ownUser.name}'s own`,
  );
}

/** The same checks as at the start of the service. */
function owned(path: string): Finding {
  const { uid, mode } = statSync(path);
  if (uid !== ownUser.uid)
    return problem(
      `${path} belongs to another user (uid ${uid})`,
      `be that user (sudo -u '#${uid}' jobrunner doctor), or set JOBRUNNER_STATE_DIR to a directory of ${ownUser.name}'s own`,
    );
  if (!isWritable(path)) return problem(`${path} is not writable`, `chmod u=rwx ${path}, or ${elsewhere}`);
  if ((mode & 0o077) !== 0) {
    const names = readdirSync(path);
    const isOther = names.length > 0 && !names.includes("jobrunner.db");
    if (isOther)
      return problem(
        `${path} is open to other users and holds more than the state of a service`,
        "set JOBRUNNER_STATE_DIR to a directory that holds nothing else",
      );
    if ((mode & 0o022) !== 0 && names.length > 0)
      return problem(`other users can write to ${path} and may have changed its files`, elsewhere);
    return ok(`${path} is open to other users: the service restricts it at its start`);
  }
  const pid = serviceOf(path);
  return ok(`${path}${pid === null ? ", not in use" : `, in use by the service, process ${pid}`}`);
}

const inMemory = new Set(["tmpfs", "ramfs"]);
const shared = /^(nfs|cifs|smb|9p|ceph|lustre|gpfs|beegfs|glusterfs|afs|ocfs2|fuse\.(sshfs|glusterfs|s3fs|rclone|ceph))/;
const withoutFifos = new Set(["vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"]);

function fileSystem(path: string): Finding[] {
  const type = typeAt(path);
  if (inMemory.has(type))
    return [
      note(
        `it is in memory (${type}): a reboot deletes all jobs and tokens`,
        "set JOBRUNNER_STATE_DIR to a directory on a disk to keep them",
      ),
    ];
  if (shared.test(type))
    return [
      note(
        `it is on a network file system (${type}): on some, locks and SQLite's log are unsafe, and on all they are slow`,
        "set JOBRUNNER_STATE_DIR to a directory on a disk of this box",
      ),
    ];
  if (withoutFifos.has(type))
    return [
      problem(
        `it is on ${type}, which has neither FIFOs nor owners`,
        "set JOBRUNNER_STATE_DIR to a directory on a Linux file system such as ext4",
      ),
    ];
  return [];
}

/** The type of the file system that holds the path: of the mount with the longest matching path (proc_pid_mountinfo(5)). */
function typeAt(path: string): string {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [fields = "", after = ""] = line.split(" - ");
      const point = fields.split(" ")[4]?.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
      const leads = point === "/" || path === point || path.startsWith(`${point}/`);
      return point !== undefined && leads ? [{ point, type: after.split(" ")[0] ?? "" }] : [];
    });
  return mounts.toSorted((one, other) => one.point.length - other.point.length).at(-1)?.type ?? "";
}

const littleBytes = 1 << 30;
const fewFiles = 10_000; // a job has about eight

export function disk({ settings: { stateDir, minFreeBytes } }: Box): Finding[] {
  const { bavail, bsize, files, ffree } = statfsSync(nearest(stateDir));
  const freeBytes = bavail * bsize;
  const free = `${inMiB(freeBytes)} free`;
  if (freeBytes < minFreeBytes)
    return [
      problem(
        `${free}, less than JOBRUNNER_MIN_FREE_BYTES (${configuredSize(minFreeBytes)}): the service accepts no jobs`,
        "free some space, or lower the variable",
      ),
    ];
  if (files > 0 && ffree < fewFiles)
    return [note(`${free}, but only ${ffree} free inodes`, "remove files: a job needs about eight inodes")];
  if (freeBytes < littleBytes)
    return [note(`${free}: the output of jobs may fill the disk`, "free some space, or remove old jobs: jobrunner rm ID")];
  return [ok(free)];
}

/** Does not disturb a running service. */
export function database({ settings: { stateDir } }: Box): Finding[] {
  const path = join(stateDir, "jobrunner.db");
  if (statSync(nearest(path)).uid !== ownUser.uid) return []; // reported by the check of the state directory
  if (!existsSync(path)) return [ok("none yet: it is created at the first start")];
  try {
    const database = new DatabaseSync(readAlone(path), { readOnly: true, timeout: 1000 });
    try {
      const schema = numberOf(database, "PRAGMA user_version");
      if (schema > presentSchema())
        return [problem(`it was written by a newer jobrunner (schema ${schema})`, "use the newer version, or another JOBRUNNER_STATE_DIR")];
      return [ok(`it can be opened and holds ${numberOf(database, "SELECT count(*) FROM jobs")} jobs`)];
    } finally {
      database.close();
    }
  } catch (error) {
    return [
      problem(
        `${path} cannot be read: ${messageOf(error)}`,
        "run this as the user of the service; if the file is damaged, restore a backup: docs/operations.md",
      ),
    ];
  }
}

/** Opens a database without a write-ahead log as immutable, so that SQLite creates no files beside it. */
export function readAlone(path: string): URL {
  const url = pathToFileURL(path);
  if (!existsSync(`${path}-wal`)) url.search = "immutable=1";
  return url;
}

function presentSchema(): number {
  const empty = new DatabaseSync(":memory:");
  try {
    migrate(empty);
    return numberOf(empty, "PRAGMA user_version");
  } finally {
    empty.close();
  }
}

function numberOf(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}

/** The path itself, or its nearest parent that exists. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}

function inMiB(bytes: number): string {
  return `${Math.floor(bytes / (1 << 20)).toLocaleString("en")} MiB`;
}
