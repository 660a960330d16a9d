import { type FileHandle, open } from "node:fs/promises";
import { type Block, BlockCache } from "./block-cache.ts";
import { BulkBuffers } from "./bulk-buffers.ts";

/** The files that are being read, each open once for all of its readers. */
export class SharedFiles {
  readonly bulk = new BulkBuffers();
  readonly #blocks = new BlockCache();
  readonly #files = new Map<string, SharedFile>();

  /** To be disposed of by whoever opened it; the last one closes it. Null where there is no such file. */
  async open(path: string): Promise<SharedFile | null> {
    const known = this.#files.get(path);
    if (known !== undefined && (await known.acquire())) return known; // missing: that look began before we asked
    const file = this.#files.get(path) ?? new SharedFile(path, this.#blocks, (unused) => this.#forget(path, unused));
    this.#files.set(path, file);
    return (await file.acquire()) ? file : null;
  }

  /** How many files are open. */
  get size(): number {
    return this.#files.size;
  }

  #forget(path: string, file: SharedFile): void {
    if (this.#files.get(path) === file) this.#files.delete(path);
  }
}

/** A file that only grows. Deleting it meanwhile changes nothing for those who read it. */
export class SharedFile implements AsyncDisposable {
  static #lastId = 0;
  readonly #id = (SharedFile.#lastId += 1);
  readonly #cache: BlockCache;
  readonly #handle: Promise<FileHandle | null>;
  readonly #onUnused: (file: SharedFile) => void;
  #users = 0;

  constructor(path: string, cache: BlockCache, onUnused: (file: SharedFile) => void) {
    this.#cache = cache;
    this.#handle = openIfThere(path);
    this.#onUnused = onUnused;
  }

  async acquire(): Promise<boolean> {
    this.#users += 1;
    try {
      if ((await this.#handle) !== null) return true;
    } catch (error) {
      this.#onUnused(this);
      throw error;
    }
    this.#onUnused(this); // it may exist the next time
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#onUnused(this);
    this.#cache.forget(this.#id);
    await (await this.#handle)?.close();
  }

  async size(): Promise<number> {
    return (await (await this.#handle)?.stat())?.size ?? 0;
  }

  /**
   * Bytes from `offset` on: one at least where there are any, `limit` and a block of the cache at most. They are shared with other readers
   * and must not be changed. Many readers at the same place cost one or two reads of the file.
   */
  async read(offset: number, limit: number): Promise<Buffer> {
    const block = this.#cache.blockAt(this.#id, offset);
    if (block.end <= offset) await block.reading; // begun before we asked: what it does not find may be there now
    if (block.end <= offset) await (block.reading ??= this.#extend(block));
    return block.slice(offset, limit);
  }

  /** Fills the buffer from `offset` on as far as there are bytes; returns how many. */
  async readInto(buffer: Buffer, offset: number): Promise<number> {
    const handle = await this.#handle;
    return handle === null ? 0 : (await handle.read(buffer, 0, buffer.length, offset)).bytesRead;
  }

  async #extend(block: Block): Promise<void> {
    try {
      block.filled += await this.readInto(block.buffer.subarray(block.filled), block.end);
    } finally {
      block.reading = null;
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
