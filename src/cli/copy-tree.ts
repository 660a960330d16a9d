import { constants, openAsBlob, type Stats } from "node:fs";
import { access, chmod, lstat, mkdir, open, readdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { ApiError } from "../client/errors.ts"; // not from index.ts: commands without a service load no client
import type { Entry, WorkspaceFiles } from "../client/index.ts";
import { type Session, report } from "./session.ts";
import { visible } from "./table.ts";
import { codeOf } from "../lib/error-code.ts";

/**
 * Copies files and folders with their permissions. Their names may have any bytes: local paths are bytes, paths in the workspace are
 * percent-encoded. Links are omitted, because their targets differ on the other side. Other special files, and files that may not be read
 * or written, are omitted as well. Each omission is reported, and the rest is copied.
 */
export class TreeCopy {
  /** The number of omitted files. */
  leftOutCount = 0;
  readonly #session: Session;
  readonly #files: WorkspaceFiles;

  constructor(session: Session, files: WorkspaceFiles) {
    this.#session = session;
    this.#files = files;
  }

  /** `stats`: of `from`, or of the target if it is a link that is to be followed. */
  async upload(from: Buffer, to: string, stats: Stats): Promise<void> {
    const mode = octal(stats.mode);
    if (stats.isFile()) {
      await access(from, constants.R_OK); // its error gives the reason, that of openAsBlob does not
      return await this.#files.write({ encoded: to }, await openAsBlob(from), { mode });
    }
    if (!stats.isDirectory()) return this.#leaveOut(from.toString(), stats.isSymbolicLink() ? "a link" : "neither a file nor a folder");
    for (const name of (await readdir(from, { encoding: "buffer" })).toSorted((one, other) => one.compare(other))) {
      const path = joined(from, name);
      await this.#each(path.toString(), async () => await this.upload(path, joinedEncoded(to, encoded(name)), await lstat(path)));
    }
    await this.#files.makeFolder({ encoded: to }, { mode }); // last, because the folder may be read-only
  }

  /** Copies a folder of the workspace. An existing local folder keeps its permissions. */
  async downloadFolder(from: string, to: Buffer, mode: string): Promise<void> {
    const isNew = await isMade(to);
    for await (const entry of this.#files.list({ encoded: from })) {
      const source = joinedEncoded(from, entry.EncodedName);
      await this.#each(textOf(source), async () => await this.#downloadEntry(entry, source, joined(to, bytesOf(entry))));
    }
    if (isNew) await chmod(to, permissions(mode));
  }

  async #downloadEntry({ Type, Mode }: Entry, from: string, to: Buffer): Promise<void> {
    if (Type === "folder") return await this.downloadFolder(from, to, Mode);
    if (Type !== "file")
      return this.#leaveOut(textOf(from), Type === "link" ? "a link" : Type === "mount" ? "a mount" : "neither a file nor a folder");
    const found = await this.#files.open({ encoded: from });
    if (found.kind === "file") await receive(found, to);
    else await this.downloadFolder(from, to, found.mode); // it was replaced by a folder
  }

  /** Copies one of many files. If it cannot be copied, the others still are. */
  async #each(path: string, copy: () => Promise<void>): Promise<void> {
    try {
      await copy();
    } catch (error) {
      if (!isOfOneAlone(error)) throw error;
      this.leftOutCount += 1;
      report(this.#session, `${visible(path)} is omitted: ${visible(error instanceof Error ? error.message : String(error))}`);
    }
  }

  #leaveOut(path: string, what: string): void {
    this.leftOutCount += 1;
    report(this.#session, `${visible(path)} is ${what}, and omitted`);
  }
}

/** Writes a file of the workspace to a local path. If that is a regular file and no device or pipe, it gets the same permissions. */
export async function receive({ bytes, mode }: { bytes: ReadableStream<Uint8Array>; mode: string }, to: Buffer | string): Promise<void> {
  await using file = await open(to, "w", permissions(mode)).catch(async (error: unknown) => {
    await bytes.cancel();
    throw error;
  });
  await file.writeFile(Readable.fromWeb(bytes));
  if ((await file.stat()).isFile()) await file.chmod(permissions(mode)); // regardless of the umask
}

/** Percent-encoded, byte by byte (RFC 3986). */
export function encoded(name: Buffer): string {
  return [...name]
    .map((byte) =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** Refuses names that no file has. A malicious service could use them to write to another folder. */
function bytesOf({ EncodedName }: Entry): Buffer {
  const name = decoded(EncodedName);
  if (name.includes("/") || name.includes(0) || ["", ".", ".."].includes(name.toString()))
    throw new Error(`the service names a file ${JSON.stringify(EncodedName)}, which no file can be named`);
  return name;
}

function textOf(encodedPath: string): string {
  return decoded(encodedPath).toString();
}

function decoded(path: string): Buffer {
  return Buffer.from(
    path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}

function joined(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from("/"), name]);
}

function joinedEncoded(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Makes the folder and those above it. Returns whether it is new. */
async function isMade(folder: Buffer): Promise<boolean> {
  return (await mkdir(folder, { recursive: true })) !== undefined;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}

/** Without the set-user-ID bit. */
function permissions(mode: string): number {
  return Number.parseInt(mode, 8) & 0o777;
}

const refusals = [400, 403, 404, 409, 413];
const localCodes = ["EACCES", "EPERM", "ENOENT", "ENAMETOOLONG", "EISDIR", "ENOTDIR", "ELOOP", "EEXIST", "ENXIO", "EILSEQ", "EINVAL"];

/** Whether the error concerns this file alone, and not the connection, the service or the disk. */
function isOfOneAlone(error: unknown): boolean {
  if (error instanceof ApiError) return refusals.includes(error.status);
  return error instanceof Error && "syscall" in error && localCodes.includes(codeOf(error));
}
