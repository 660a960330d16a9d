/** A reader without bulk buffers gets at most one block at once, so a stalled one holds no more. A multiple of the record size. */
export const blockBytes = 64 * 1024;

const maxBlocks = 256; // 16 MiB for all files together

/**
 * The blocks of files that were read last. A thousand readers that are woken by the same write find its bytes here. A block that leaves the
 * cache stays in memory while a socket has to send bytes of it.
 */
export class BlockCache {
  readonly #blocks = new Map<string, Block>(); // in the order of their last use

  /** The block of the file that contains `offset`. Its bytes may not be read yet. */
  blockAt(fileId: number, offset: number): Block {
    const start = offset - (offset % blockBytes);
    const key = `${fileId} ${start}`;
    const block = this.#blocks.get(key) ?? new Block(start);
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    if (this.#blocks.size > maxBlocks) this.#forgetOldest();
    return block;
  }

  forget(fileId: number): void {
    for (const key of this.#blocks.keys()) {
      if (key.startsWith(`${fileId} `)) this.#blocks.delete(key);
    }
  }

  #forgetOldest(): void {
    for (const key of this.#blocks.keys()) {
      this.#blocks.delete(key);
      return;
    }
  }
}

/** The file only grows, so bytes are only added behind those that readers hold, and never changed. */
export class Block {
  readonly start: number;
  readonly buffer = Buffer.allocUnsafeSlow(blockBytes);
  filled = 0;
  /** The read in progress. */
  reading: Promise<void> | null = null;

  constructor(start: number) {
    this.start = start;
  }

  /** The offset in the file up to which bytes are present. */
  get end(): number {
    return this.start + this.filled;
  }

  slice(offset: number, limit: number): Buffer {
    const from = offset - this.start;
    return this.buffer.subarray(Math.min(from, this.filled), Math.min(from + limit, this.filled));
  }
}
