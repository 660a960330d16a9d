import type { BulkPair } from "./bulk-buffers.ts";
import { blockBytes } from "./block-cache.ts";
import type { SharedFile, SharedFiles } from "./shared-file.ts";
import type { Waiting } from "./waiting.ts";

/** A reader that has taken this much without reaching the end reads in bulk. It is more than the kernel keeps for a stalled reader. */
const provenBytes = 8 * 1024 * 1024;

/**
 * The bytes of a file from `start` on, and those that follow, up to `end`. A chunk is valid until the chunk after the next one is
 * requested, so one can be sent while the next one is read.
 */
export async function* followBytes(
  { file, files, waiting }: { file: SharedFile; files: SharedFiles; waiting: Waiting },
  { start, end }: { start: number; end: number },
): AsyncGenerator<Buffer> {
  using bulk = new BulkReader(file, files);
  for (let offset = start; offset < end;) {
    const isLastCheck = waiting.isLastCheck();
    const chunk = await bulk.read(offset, end - offset);
    if (chunk.length > 0) yield chunk;
    else if (isLastCheck) return;
    else await waiting.more();
    offset += chunk.length;
  }
}

/** Reads in small blocks that readers share, or, while it is far behind, in large buffers of its own. */
class BulkReader implements Disposable {
  readonly #file: SharedFile;
  readonly #files: SharedFiles;
  #buffers: BulkPair | null = null;
  #takenBytes = 0; // since it last reached the end

  constructor(file: SharedFile, files: SharedFiles) {
    this.#file = file;
    this.#files = files;
  }

  async read(offset: number, limit: number): Promise<Buffer> {
    if (this.#takenBytes >= provenBytes && limit > blockBytes) this.#buffers ??= this.#files.bulk.take();
    const chunk = this.#buffers === null ? await this.#file.read(offset, limit) : await this.#fill(this.#buffers.next(), offset);
    this.#takenBytes += chunk.length;
    const isAtEnd = chunk.length === 0 || (offset + chunk.length) % blockBytes !== 0;
    if (isAtEnd) this.#caughtUp();
    return chunk.subarray(0, limit);
  }

  [Symbol.dispose](): void {
    this.#caughtUp();
  }

  async #fill(buffer: Buffer, offset: number): Promise<Buffer> {
    return buffer.subarray(0, await this.#file.readInto(buffer, offset));
  }

  #caughtUp(): void {
    this.#takenBytes = 0;
    this.#buffers?.[Symbol.dispose]();
    this.#buffers = null;
  }
}
