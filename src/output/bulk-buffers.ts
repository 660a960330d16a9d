import { blockBytes } from "./block-cache.ts";

const budgetBytes = 64 * 1024 * 1024; // for all readers together

/**
 * Measured over loopback, CPU time per byte: reads of 64 KiB cost four times as much as reads of 1 MiB, which cost a third more than 4 MiB.
 */
const largestBytes = 4 * 1024 * 1024;
const smallestBytes = 256 * 1024;
const shareOfRest = 1 / 16;

/** Large buffers for readers that take much output quickly. A reader that gets none reads in small blocks, which is only slower. */
export class BulkBuffers {
  #restBytes = budgetBytes;

  /**
   * Two buffers, so that one can be filled while the other is sent. Dispose of them. Their size is a part of what is left, so the first
   * readers get large ones and the thirtieth still gets some. Null: hardly anything is left.
   */
  take(): BulkPair | null {
    const share = Math.min(largestBytes, Math.max(smallestBytes, this.#restBytes * shareOfRest));
    const bytes = share - (share % blockBytes);
    if (2 * bytes > this.#restBytes) return null;
    this.#restBytes -= 2 * bytes;
    return new BulkPair(bytes, () => (this.#restBytes += 2 * bytes));
  }
}

/** The memory is not given to another reader afterwards, because a socket may still be sending the last bytes. */
export class BulkPair implements Disposable {
  readonly #buffers: [Buffer, Buffer];
  #onDispose: () => void;

  constructor(bytes: number, onDispose: () => void) {
    this.#buffers = [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)];
    this.#onDispose = onDispose;
  }

  /** The buffer that was not returned by the previous call. */
  next(): Buffer {
    this.#buffers.reverse();
    return this.#buffers[0];
  }

  [Symbol.dispose](): void {
    this.#onDispose();
    this.#onDispose = () => undefined;
  }
}
