import { wholeFile } from "./download.ts";
import type { components } from "./openapi.ts";
import type { Backoff } from "./backoff.ts";
import type { Connecting } from "./stream.ts";
import type { Answered } from "./answered.ts";
import { type Bytes, longestMsOf, type Transport } from "./transport.ts";

export type Entry = components["schemas"]["Entry"];
type Folder = components["schemas"]["Folder"];

export type FileOptions = { signal?: AbortSignal };

/**
 * A path relative to the workspace, with slashes: as text, or percent-encoded, joined from the EncodedName of entries. Text can only name
 * files whose names are UTF-8.
 */
export type FilePath = string | { encoded: string };

/** `mode`: octal permissions. */
export type Opened =
  | { kind: "file"; sizeBytes: number; mode: string; bytes: ReadableStream<Uint8Array> }
  | { kind: "folder"; mode: string };

const entriesPerPage = 10_000; // for each page, the service reads the whole folder

/** How calls are retried: with a new Backoff for each call. */
export type Dependencies = {
  backoff: (signal: AbortSignal | undefined) => Backoff;
  connecting: (signal: AbortSignal | undefined) => Connecting;
};

/** The files of one job's workspace. Copies are retried like the long calls of the client. */
export class WorkspaceFiles {
  readonly #transport: Transport;
  readonly #id: string;
  readonly #dependencies: Dependencies;

  constructor(transport: Transport, id: string, dependencies: Dependencies) {
    this.#transport = transport;
    this.#id = id;
    this.#dependencies = dependencies;
  }

  /** Opens a file for reading, or tells that the path is a folder. */
  async open(path: FilePath, { signal }: FileOptions = {}): Promise<Opened> {
    const next = async (fromBytes: number): Promise<Answered> => await this.#get(`${this.#pathOf(path)}?limit=1`, { fromBytes, signal });
    const backoff = this.#dependencies.backoff(signal);
    const response = await backoff.through(async () => await next(0));
    if (isFolder(response)) return { kind: "folder", mode: (await this.#folderIn(response, signal)).Mode };
    const { headers } = response;
    const bytes = wholeFile(response, { next, backoff, connecting: this.#dependencies.connecting(signal) });
    return { kind: "file", sizeBytes: Number(headers.get("content-length")), mode: headers.get("file-mode") ?? "644", bytes };
  }

  /** The entries of a folder, sorted by name. */
  async *list(path: FilePath, { signal }: FileOptions = {}): AsyncGenerator<Entry> {
    for (let after: string | null = null; ;) {
      const query: string = after === null ? "" : `&after=${encodeURIComponent(after)}`;
      const folder = await this.#dependencies.backoff(signal).through(async () => await this.#page(path, { query, signal }));
      yield* folder.Entries;
      after = folder.NextAfter;
      if (after === null) return;
    }
  }

  async #page(path: FilePath, { query, signal }: { query: string; signal: AbortSignal | undefined }): Promise<Folder> {
    const response = await this.#get(`${this.#pathOf(path)}?limit=${entriesPerPage}${query}`, { fromBytes: 0, signal });
    if (isFolder(response)) return await this.#folderIn(response, signal);
    await response.body?.cancel();
    throw new Error(`${typeof path === "string" ? path : path.encoded} is a file, not a folder`);
  }

  async #folderIn(response: Answered, signal: AbortSignal | undefined): Promise<Folder> {
    const folder: Folder = JSON.parse(await this.#transport.answer(response.text(), signal));
    return folder;
  }

  /**
   * Writes or replaces a file, completely or not at all. `mode`: octal permissions. If the connection breaks, the bytes are sent again,
   * unless they are a stream, which can be read only once.
   */
  async write(path: FilePath, bytes: Bytes, { mode, signal }: FileOptions & { mode?: string } = {}): Promise<void> {
    const query = mode === undefined ? "" : `?mode=${mode}`;
    const put = async (limit: { limitMs?: number }): Promise<void> =>
      await this.#transport.done(`${this.#pathOf(path)}${query}`, { method: "PUT", body: bytes, ...limit, signal });
    if (bytes instanceof ReadableStream) await put({});
    else {
      const limitMs = this.#dependencies.connecting(signal).silenceMs + longestMsOf(sizeOf(bytes));
      await this.#dependencies.backoff(signal).through(async () => await put({ limitMs }));
    }
  }

  /** Makes a folder, and those above it, unless they exist, and sets its permissions. */
  async makeFolder(path: FilePath, { mode = "755", signal }: FileOptions & { mode?: string } = {}): Promise<void> {
    const { silenceMs: limitMs } = this.#dependencies.connecting(signal);
    await this.#dependencies
      .backoff(signal)
      .through(
        async () => await this.#transport.done(`${this.#pathOf(path)}?folder=true&mode=${mode}`, { method: "PUT", limitMs, signal }),
      );
  }

  /** Removes a file or an empty folder; `isRecursive`: also a folder that is not empty. */
  async remove(path: FilePath, { isRecursive = false, signal }: FileOptions & { isRecursive?: boolean } = {}): Promise<void> {
    await this.#transport.done(`${this.#pathOf(path)}${isRecursive ? "?recursive=true" : ""}`, { method: "DELETE", signal });
  }

  async #get(path: string, { fromBytes, signal }: { fromBytes: number; signal: AbortSignal | undefined }): Promise<Answered> {
    const { silenceMs: limitMs } = this.#dependencies.connecting(signal);
    return await this.#transport.bytes(path, {
      method: "GET",
      headers: fromBytes === 0 ? {} : { Range: `bytes=${fromBytes}-` },
      limitMs,
      signal,
    });
  }

  #pathOf(path: FilePath): string {
    return `/${this.#id}/files/${typeof path === "string" ? path.split("/").map(encodeURIComponent).join("/") : path.encoded}`;
  }
}

function sizeOf(bytes: string | Uint8Array | Blob): number {
  if (typeof bytes === "string") return new Blob([bytes]).size;
  return bytes instanceof Blob ? bytes.size : bytes.byteLength;
}

/** Files are sent as bytes, whatever their type. */
function isFolder({ headers }: Answered): boolean {
  return headers.get("content-type")?.startsWith("application/json") ?? false;
}
