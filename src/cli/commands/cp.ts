import { createWriteStream, openAsBlob, type Stats } from "node:fs";
import { lstat, mkdir, readdir, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { WorkspaceFiles } from "../../client/index.ts";
import { type ConnectionOptions, type Means, type Work, work } from "../command.ts";
import { type Session, tell } from "../session.ts";
import { visible } from "../table.ts";
import { unreadable, WrongUse } from "../wrong-use.ts";

export function addCp(program: Command, means: Means): void {
  program
    .command("cp")
    .description("copies files and folders into a job's workspace, or out of it")
    .argument("<from>", "a file or folder here, - for standard input, or ID:PATH in a workspace")
    .argument("<to>", "ID:PATH, or a file or folder here, - for standard output")
    .addHelpText("after", "\n  jobrunner cp 019a0f3e:out/report.txt .\n  jobrunner cp data 019a0f3e:in/")
    .action(async (from: string, to: string, options: ConnectionOptions) => {
      await work(means, options, { run: async (work) => await copy(work, { from, to }) });
    });
}

async function copy({ session, client }: Work, { from, to }: { from: string; to: string }): Promise<number> {
  const [source, target] = [placeOf(from), placeOf(to)];
  const filesOf = async ({ prefix }: Place): Promise<WorkspaceFiles> => client.files(await client.find(prefix));
  if (source === null && target !== null) await upload(session, await filesOf(target), { from, to: target.path });
  else if (source !== null && target === null) await download(session, await filesOf(source), { from: source.path, to });
  else throw new WrongUse("one of both must be in a workspace, as ID:PATH, and the other here");
  return 0;
}

type Place = { prefix: string; path: string };

/** `ID:PATH`; null: here. What has a slash before the colon is a path here. */
function placeOf(text: string): Place | null {
  const [, prefix, path] = /^([0-9a-fA-F-]{1,36}):(.*)$/.exec(text) ?? [];
  return prefix === undefined || path === undefined || prefix === "-" ? null : { prefix, path: path.replace(/^\/+/, "") };
}

async function upload(session: Session, files: WorkspaceFiles, { from, to }: { from: string; to: string }): Promise<void> {
  if (from === "-") return await files.write(to, Readable.toWeb(session.stdin));
  const target = to === "" || to.endsWith("/") ? posix.join(to, basename(from)) : to;
  const stats = await stat(from).catch((cause: unknown) => {
    throw unreadable(from, cause);
  });
  await uploadTree(session, files, { from, to: target, stats });
}

/** Links in it stay behind: what they lead to here is not what they would lead to there. */
async function uploadTree(session: Session, files: WorkspaceFiles, { from, to, stats }: { from: string; to: string; stats: Stats }): Promise<void> {
  if (stats.isFile()) return await files.write(to, await openAsBlob(from), { mode: (stats.mode & 0o777).toString(8).padStart(3, "0") });
  if (!stats.isDirectory()) return leaveOut(session, from, { isLink: stats.isSymbolicLink() });
  for (const name of (await readdir(from)).toSorted()) {
    const path = join(from, name);
    await uploadTree(session, files, { from: path, to: posix.join(to, name), stats: await lstat(path) });
  }
}

async function download(session: Session, files: WorkspaceFiles, { from, to }: { from: string; to: string }): Promise<void> {
  const found = await files.open(from);
  if (to === "-" && found.kind === "file") return await pipeline(Readable.fromWeb(found.bytes), session.stdout, { end: false });
  if (to === "-") throw new WrongUse(`${from} is a folder: give a folder here to copy it to`);
  const target = (await isFolder(to)) && from !== "" ? join(to, posix.basename(from)) : to;
  if (found.kind === "file") return await pipeline(Readable.fromWeb(found.bytes), createWriteStream(target));
  await downloadFolder(session, files, { from, to: target });
}

async function downloadFolder(session: Session, files: WorkspaceFiles, { from, to }: { from: string; to: string }): Promise<void> {
  await mkdir(to, { recursive: true });
  for await (const { Name, Type, Mode } of files.list(from)) {
    const [source, target] = [posix.join(from, Name), join(to, Name)];
    if (Name.includes("/") || Name === "..") throw new Error(`the service names a file ${JSON.stringify(Name)}, which no file can be named`);
    if (Type === "folder") await downloadFolder(session, files, { from: source, to: target });
    else if (Type !== "file") leaveOut(session, source, { isLink: Type === "link" });
    else {
      const found = await files.open(source);
      if (found.kind === "file") await pipeline(Readable.fromWeb(found.bytes), createWriteStream(target, { mode: Number.parseInt(Mode, 8) & 0o777 }));
    }
  }
}

function leaveOut(session: Session, path: string, { isLink }: { isLink: boolean }): void {
  tell(session, `${visible(path)} is ${isLink ? "a link" : "neither a file nor a folder"}, and left out`);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
