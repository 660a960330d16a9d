import { stat } from "node:fs/promises";
import { basename, join, posix, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { WorkspaceFiles } from "../client/index.ts";
import type { CommandContext } from "./command.ts";
import { encoded, receive, TreeCopy } from "./copy-tree.ts";
import type { Session } from "./session.ts";
import { unreadable, UsageError } from "./usage-error.ts";

/** Copies into a workspace or out of it, and gives the exit status. Only `cp` loads this. */
export async function copy({ session, client }: CommandContext, { from, to }: { from: string; to: string }): Promise<number> {
  const [source, target] = [workspacePathOf(from), workspacePathOf(to)];
  const filesOf = async ({ job }: WorkspacePath): Promise<WorkspaceFiles> =>
    client.files(await client.find(job, { byName: "newest", isRetried: true }));
  if (source === null && target !== null) return await upload(session, await filesOf(target), { from, to: target.path });
  if (source !== null && target === null) return await download(session, await filesOf(source), { from: source.path, to });
  throw new UsageError(
    "exactly one of them must be in a workspace, as JOB:PATH, and the other one a local path (with a colon in it: ./PATH)",
  );
}

type WorkspacePath = { job: string; path: string };

/** The parts of `JOB:PATH`, by ID or name; null for a local path. A path with a slash before the colon is local. */
function workspacePathOf(text: string): WorkspacePath | null {
  const [, job, path] = /^([^/:]+):(.*)$/s.exec(text) ?? [];
  return job === undefined || path === undefined ? null : { job, path: path.replace(/^\/+/, "") };
}

async function upload(session: Session, files: WorkspaceFiles, { from, to }: { from: string; to: string }): Promise<number> {
  if (from === "-") {
    await files.write(to, Readable.toWeb(session.stdin));
    return 0;
  }
  const target = to === "" || to.endsWith("/") ? posix.join(to, basename(resolve(from))) : to;
  const stats = await stat(from).catch((cause: unknown) => {
    throw unreadable(from, cause);
  });
  const copying = new TreeCopy(session, files);
  await copying.upload(Buffer.from(from), encodedPath(target), stats);
  return copying.leftOutCount === 0 ? 0 : 1;
}

async function download(session: Session, files: WorkspaceFiles, { from, to }: { from: string; to: string }): Promise<number> {
  const found = await files.open(from);
  if (to === "-") {
    if (found.kind === "folder") throw new UsageError(`${from} is a folder: give a folder as its destination`);
    await pipeline(Readable.fromWeb(found.bytes), session.stdout, { end: false });
    return 0;
  }
  const target = (await isFolder(to)) && from !== "" ? join(to, posix.basename(from)) : to;
  const copying = new TreeCopy(session, files);
  if (found.kind === "file") await receive(found, target);
  else await copying.downloadFolder(encodedPath(from), Buffer.from(target), found.mode);
  return copying.leftOutCount === 0 ? 0 : 1;
}

function encodedPath(path: string): string {
  return path
    .split("/")
    .filter((name) => name !== "")
    .map((name) => encoded(Buffer.from(name)))
    .join("/");
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
