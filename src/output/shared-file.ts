import * as fs from "node:fs";
import { promisify } from "node:util";
import { type Block, BlockCache } from "./block-cache.ts";
import { BulkBuffers } from "./bulk-buffers.ts";
import { codeOf } from "../lib/error-code.ts";

const [open, close, read, stat] = [promisify(fs.open), promisify(fs.close), promisify(fs.read), promisify(fs.fstat)];

/** The files that are being read. Each is opened once for all of its readers. */
export class SharedFiles {
  readonly bulk = new BulkBuffers();
  readonly #blocks = new BlockCache();
  readonly #files = new Map<string, SharedFile>();

  /**
   * Each caller disposes of the file; the last one closes it. Null: there is no such file. `isHot`: the job is not finished, so the file is
   * in the kernel's memory. It is opened and first read on the event loop's own thread, because waiting for another thread takes longer.
   */
  async open(path: string, { isHot = false } = {}): Promise<SharedFile | null> {
    const known = this.#files.get(path);
    if (known !== undefined && (await known.acquire())) return known; // otherwise that attempt began before this call and found nothing
    const file = this.#files.get(path) ?? new SharedFile({ path, isHot }, this.#blocks, (unused) => this.#forget(path, unused));
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

/** A file that only grows. If it is deleted meanwhile, its readers do not notice. */
export class SharedFile implements AsyncDisposable {
  static #lastId = 0;
  readonly #id = (SharedFile.#lastId += 1);
  readonly #cache: BlockCache;
  readonly #fd: Promise<number | null>;
  readonly #onUnused: (file: SharedFile) => void;
  #users = 0;
  #hotOffset: number | null; // bytes from there on were just written, and are in the kernel's memory

  constructor({ path, isHot }: { path: string; isHot: boolean }, cache: BlockCache, onUnused: (file: SharedFile) => void) {
    this.#cache = cache;
    this.#fd = openIfThere(path, isHot);
    this.#hotOffset = isHot ? 0 : null;
    this.#onUnused = onUnused;
  }

  async acquire(): Promise<boolean> {
    this.#users += 1;
    try {
      if ((await this.#fd) !== null) return true;
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
    const fd = await this.#fd;
    if (fd !== null) await close(fd);
  }

  async size(): Promise<number> {
    const fd = await this.#fd;
    return fd === null ? 0 : (await stat(fd)).size;
  }

  /**
   * Bytes from `offset` on: at least one, if there are any, and at most `limit` or a block of the cache. They are shared with other readers
   * and must not be changed. Many readers at the same offset cost one or two reads of the file.
   */
  async read(offset: number, limit: number): Promise<Buffer> {
    const block = this.#cache.blockAt(this.#id, offset);
    if (block.end <= offset) await block.reading; // it began before this call, so bytes that it did not find may exist now
    if (block.end <= offset) await (block.reading ??= this.#extend(block));
    return block.slice(offset, limit);
  }

  /** Fills the buffer with the bytes from `offset` on. Returns how many there were. */
  async readInto(buffer: Buffer, offset: number): Promise<number> {
    const fd = await this.#fd;
    return fd === null ? 0 : (await read(fd, buffer, 0, buffer.length, offset)).bytesRead;
  }

  async #extend(block: Block): Promise<void> {
    try {
      const room = block.buffer.subarray(block.filled);
      const bytes = block.end === this.#hotOffset ? await this.#readHot(room, block.end) : await this.readInto(room, block.end);
      block.filled += bytes;
      if (bytes < room.length) this.#hotOffset = block.end;
    } finally {
      block.reading = null;
    }
  }

  async #readHot(buffer: Buffer, offset: number): Promise<number> {
    const fd = await this.#fd;
    return fd === null ? 0 : fs.readSync(fd, buffer, 0, buffer.length, offset);
  }
}

async function openIfThere(path: string, isHot: boolean): Promise<number | null> {
  try {
    return isHot ? fs.openSync(path, "r") : await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
