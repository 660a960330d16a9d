/** Also the most that a reader who is not in bulk gets at once, and so what a stalled one holds. A multiple of the index's records. */
export const blockBytes = 64 * 1024;

const maxBlocks = 256; // 16 MiB for all files together

/**
 * The blocks of files that were read last. A thousand readers who are woken by the same write find its bytes here. A block that leaves
 * the cache lives on as long as a socket has to send of it.
 */
export class BlockCache {
  readonly #blocks = new Map<string, Block>(); // the one used last comes last

  /** The block of the file that holds `offset`; its bytes may still have to be read. */
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

/** The file only grows, so bytes are added behind those that readers already hold, and never changed. */
export class Block {
  readonly start: number;
  readonly buffer = Buffer.allocUnsafeSlow(blockBytes);
  filled = 0;
  /** The read that is under way. */
  reading: Promise<void> | null = null;

  constructor(start: number) {
    this.start = start;
  }

  /** Up to where the bytes are there. */
  get end(): number {
    return this.start + this.filled;
  }

  slice(offset: number, limit: number): Buffer {
    const from = offset - this.start;
    return this.buffer.subarray(Math.min(from, this.filled), Math.min(from + limit, this.filled));
  }
}
