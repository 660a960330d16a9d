import type { components } from "./openapi.ts";
import type { Bytes, Transport } from "./transport.ts";

export type Entry = components["schemas"]["Entry"];
type Folder = components["schemas"]["Folder"];

export type FileOptions = { signal?: AbortSignal };

/**
 * From the workspace down, with slashes: as text, or percent-encoded, made of the EncodedName of entries. Names of files need not be UTF-8, and text always
 * is.
 */
export type FilePath = string | { encoded: string };

/** `mode`: permissions, octal. */
export type Opened = { kind: "file"; sizeBytes: number; mode: string; bytes: ReadableStream<Uint8Array> } | { kind: "folder"; mode: string };

const entriesPerPage = 10_000; // each page of a huge folder costs the service a look at all of it

/** Files of one job's workspace. */
export class WorkspaceFiles {
  readonly #transport: Transport;
  readonly #id: string;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.#id = id;
  }

  /** The bytes of a file, or that there is a folder. */
  async open(path: FilePath, { signal }: FileOptions = {}): Promise<Opened> {
    const response = await this.#transport.bytes(`${this.#pathOf(path)}?limit=1`, { method: "GET", signal });
    if (isFolder(response)) return { kind: "folder", mode: (await folderIn(response)).Mode };
    const { headers, body } = response;
    return { kind: "file", sizeBytes: Number(headers.get("content-length")), mode: headers.get("file-mode") ?? "644", bytes: body ?? new Blob([]).stream() };
  }

  /** What is in a folder, by name. */
  async *list(path: FilePath, { signal }: FileOptions = {}): AsyncGenerator<Entry> {
    for (let after: string | null = null; ; ) {
      const query: string = after === null ? "" : `&after=${encodeURIComponent(after)}`;
      const response = await this.#transport.bytes(`${this.#pathOf(path)}?limit=${entriesPerPage}${query}`, { method: "GET", signal });
      if (!isFolder(response)) {
        await response.body?.cancel();
        throw new Error(`${typeof path === "string" ? path : path.encoded} is a file, not a folder`);
      }
      const folder = await folderIn(response);
      yield* folder.Entries;
      after = folder.NextAfter;
      if (after === null) return;
    }
  }

  /** Puts a file there in place of what was, whole or not at all. `mode`: its permissions, octal. */
  async write(path: FilePath, bytes: Bytes, { mode, signal }: FileOptions & { mode?: string } = {}): Promise<void> {
    const query = mode === undefined ? "" : `?mode=${mode}`;
    await this.#transport.bytes(`${this.#pathOf(path)}${query}`, { method: "PUT", body: bytes, signal });
  }

  /** Makes a folder, with those on the way, where there is none, and gives it the permissions. */
  async makeFolder(path: FilePath, { mode = "755", signal }: FileOptions & { mode?: string } = {}): Promise<void> {
    await this.#transport.bytes(`${this.#pathOf(path)}?folder=true&mode=${mode}`, { method: "PUT", signal });
  }

  /** Removes a file or an empty folder; `isRecursive`: a folder with all that is in it. */
  async remove(path: FilePath, { isRecursive = false, signal }: FileOptions & { isRecursive?: boolean } = {}): Promise<void> {
    await this.#transport.bytes(`${this.#pathOf(path)}${isRecursive ? "?recursive=true" : ""}`, { method: "DELETE", signal });
  }

  #pathOf(path: FilePath): string {
    return `/${this.#id}/files/${typeof path === "string" ? path.split("/").map(encodeURIComponent).join("/") : path.encoded}`;
  }
}

/** Files are bytes, whatever is in them. */
function isFolder({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("application/json") ?? false;
}

async function folderIn(response: Response): Promise<Folder> {
  const folder: Folder = JSON.parse(await response.text());
  return folder;
}
