import { blockBytes } from "./block-cache.ts";
import type { SharedFile } from "./shared-file.ts";

/** The index of a job's output, drawn in supervisor/formats.h: which step wrote which bytes to which stream, and when they were read. */

export type Stream = "stdout" | "stderr";

/** Describes the bytes from `start` up to `end`, and how many bytes were lost at `end`. */
export type IndexRecord = {
  start: number;
  end: number;
  timeNs: bigint;
  lostBytes: number;
  step: number;
  stream: Stream;
};

const recordBytes = 32; // blockBytes is a multiple of it, so a block has whole records

/** Reads records by their number, at most one block at a time. An incomplete record does not count. file null: there is none. */
export class IndexFile {
  readonly #file: SharedFile | null;

  constructor(file: SharedFile | null) {
    this.#file = file;
  }

  async count(): Promise<number> {
    return Math.floor(((await this.#file?.size()) ?? 0) / recordBytes);
  }

  /** Records from `number` on: at least one, if there are any. `start`: the offset at which the bytes of the first one begin. */
  async read(number: number, start: number, limit = Infinity): Promise<IndexRecord[]> {
    const bytes = await this.#file?.read(number * recordBytes, Math.min(limit * recordBytes, blockBytes));
    return bytes === undefined ? [] : decode(bytes, start);
  }

  /** The offset at which the bytes of a record begin. The record need not exist yet. */
  async startOf(number: number): Promise<number> {
    if (number === 0) return 0;
    const [before] = await this.read(number - 1, 0, 1);
    return before?.end ?? 0;
  }

  /** The number of the first record that ends at or behind `offset`; if there is none, the number of records. */
  async find(offset: number): Promise<number> {
    let [low, high] = [0, await this.count()];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.startOf(middle + 1)) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The offset at which the step that wrote the byte at `offset` (or the last byte) begins to write: after the last byte of another step.
   * 0: at the first byte, or somewhere at or before `floor`.
   */
  async stepStart(offset: number, floor: number): Promise<number> {
    const perBlock = blockBytes / recordBytes;
    const count = await this.count();
    let step: number | null = null;
    for (let end = Math.min(count, (await this.find(offset + 1)) + 1); end > 0;) {
      const first = end - 1 - ((end - 1) % perBlock);
      const bytes = (await this.#file?.read(first * recordBytes, (end - first) * recordBytes)) ?? Buffer.alloc(0);
      for (let at = Math.floor(bytes.length / recordBytes - 1) * recordBytes; at >= 0; at -= recordBytes) {
        const endBytes = Number(bytes.readBigUInt64LE(at));
        const own = bytes.readUInt32LE(at + 24);
        if (step !== null && own !== step) return endBytes;
        if (step !== null && endBytes <= floor) return 0;
        step = own;
      }
      end = first;
    }
    return 0;
  }

  /** All records before `number`, in reverse order. */
  async *backwards(number: number): AsyncGenerator<IndexRecord> {
    const perBlock = blockBytes / recordBytes;
    for (let end = number; end > 0;) {
      const first = end - 1 - ((end - 1) % perBlock);
      const records = await this.read(first, await this.startOf(first), end - first);
      yield* records.toReversed();
      end = first;
    }
  }
}

function decode(bytes: Buffer, start: number): IndexRecord[] {
  const records: IndexRecord[] = [];
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    const end = Number(bytes.readBigUInt64LE(at));
    records.push({
      start,
      end,
      timeNs: bytes.readBigInt64LE(at + 8),
      lostBytes: Number(bytes.readBigUInt64LE(at + 16)),
      step: bytes.readUInt32LE(at + 24),
      stream: bytes.readUInt8(at + 28) === 2 ? "stderr" : "stdout",
    });
    start = end;
  }
  return records;
}
