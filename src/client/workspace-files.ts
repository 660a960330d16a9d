import type { components } from "./openapi.ts";
import type { Bytes, Transport } from "./transport.ts";

export type Entry = components["schemas"]["Entry"];
type Folder = components["schemas"]["Folder"];

export type FileOptions = { signal?: AbortSignal };

/** Files of one job's workspace. Paths are from the workspace down, with slashes. */
export class WorkspaceFiles {
  readonly #transport: Transport;
  readonly #id: string;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.#id = id;
  }

  /** The bytes of a file, or that there is a folder. */
  async open(path: string, { signal }: FileOptions = {}): Promise<{ kind: "file"; sizeBytes: number; bytes: ReadableStream<Uint8Array> } | { kind: "folder" }> {
    const response = await this.#transport.bytes(`${this.#pathOf(path)}?limit=1`, { method: "GET", signal });
    if (isFolder(response)) {
      await response.body?.cancel();
      return { kind: "folder" };
    }
    return { kind: "file", sizeBytes: Number(response.headers.get("content-length")), bytes: response.body ?? new Blob([]).stream() };
  }

  /** What is in a folder, by name. */
  async *list(path: string, { signal }: FileOptions = {}): AsyncGenerator<Entry> {
    for (let after: string | null = null; ; ) {
      const query: string = after === null ? "" : `?after=${encodeURIComponent(after)}`;
      const response = await this.#transport.bytes(`${this.#pathOf(path)}${query}`, { method: "GET", signal });
      if (!isFolder(response)) {
        await response.body?.cancel();
        throw new Error(`${path} is a file, not a folder`);
      }
      const folder: Folder = JSON.parse(await response.text());
      yield* folder.Entries;
      after = folder.NextAfter;
      if (after === null) return;
    }
  }

  /** Puts a file there in place of what was, whole or not at all. `mode`: its permissions, octal. */
  async write(path: string, bytes: Bytes, { mode, signal }: FileOptions & { mode?: string } = {}): Promise<void> {
    const query = mode === undefined ? "" : `?mode=${mode}`;
    await this.#transport.bytes(`${this.#pathOf(path)}${query}`, { method: "PUT", body: bytes, signal });
  }

  /** Removes a file or an empty folder; `isRecursive`: a folder with all that is in it. */
  async remove(path: string, { isRecursive = false, signal }: FileOptions & { isRecursive?: boolean } = {}): Promise<void> {
    await this.#transport.bytes(`${this.#pathOf(path)}${isRecursive ? "?recursive=true" : ""}`, { method: "DELETE", signal });
  }

  #pathOf(path: string): string {
    return `/${this.#id}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
  }
}

/** Files are bytes, whatever is in them. */
function isFolder({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("application/json") ?? false;
}
