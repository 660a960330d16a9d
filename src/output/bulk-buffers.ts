import { blockBytes } from "./block-cache.ts";

const budgetBytes = 64 * 1024 * 1024; // for all readers together

/** Measured over loopback, processor time for each byte: 64 KiB a read costs four times as much as 1 MiB, 1 MiB a third more than 4. */
const largestBytes = 4 * 1024 * 1024;
const smallestBytes = 256 * 1024;
const shareOfRest = 1 / 16;

/** Large buffers for readers who take much and fast. Who gets none reads in small blocks: slower, but as correct. */
export class BulkBuffers {
  #restBytes = budgetBytes;

  /**
   * Two, so that one can be filled while the other is sent; to be disposed of. A part of what is left, so that the first ones get the best
   * and the thirtieth something; null when hardly anything is left.
   */
  take(): BulkPair | null {
    const share = Math.min(largestBytes, Math.max(smallestBytes, this.#restBytes * shareOfRest));
    const bytes = share - (share % blockBytes);
    if (2 * bytes > this.#restBytes) return null;
    this.#restBytes -= 2 * bytes;
    return new BulkPair(bytes, () => (this.#restBytes += 2 * bytes));
  }
}

/** The memory is not handed to another reader afterwards: a socket may still be sending the last of it. */
export class BulkPair implements Disposable {
  readonly #buffers: [Buffer, Buffer];
  #onDispose: () => void;

  constructor(bytes: number, onDispose: () => void) {
    this.#buffers = [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)];
    this.#onDispose = onDispose;
  }

  /** Not the one that it gave before, but the one before that. */
  next(): Buffer {
    this.#buffers.reverse();
    return this.#buffers[0];
  }

  [Symbol.dispose](): void {
    this.#onDispose();
    this.#onDispose = () => undefined;
  }
}
