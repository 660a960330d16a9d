import { blockBytes } from "./block-cache.ts";
import type { IndexFile, IndexRecord, Stream } from "./index-file.ts";
import type { SharedFile } from "./shared-file.ts";
import type { Waiting } from "./waiting.ts";

/** When and by what bytes were written. Null for bytes whose supervisor was killed before it could record that. */
export type Origin = { timeNs: bigint; step: number; stream: Stream } | null;

/** A run of bytes of the output file that came at one time from one stream of one step, or a place where bytes were lost. */
export type Piece =
  | { kind: "bytes"; offset: number; data: Buffer; origin: Origin }
  | { kind: "gap"; offset: number; lostBytes: number; origin: Origin };

/** Which bytes are wanted; null: all. */
export type Filter = { stream: Stream | null; step: number | null };

export function matches(filter: Filter, origin: Origin): boolean {
  if (filter.stream !== null && filter.stream !== origin?.stream) return false;
  return filter.step === null || filter.step === origin?.step;
}

export type PieceSource = {
  output: SharedFile;
  index: IndexFile;
  waiting: Waiting;
  filter: Filter;
  start: number; // an offset in the output file
  end: number; // exclusive; what is lost just there is behind it
  idleMs: number;
};

const maxRecords = 512; // read at once

/**
 * What the index says of the output from `start` on, then what comes, up to `end`; in batches, each from one block of the output, so that a
 * reader holds one block and not as many as it finds pieces in. An empty batch says that nothing was given for `idleMs`, whatever came that
 * is not wanted.
 */
export async function* followPieces(source: PieceSource): AsyncGenerator<Piece[]> {
  const { index, waiting } = source;
  // Without following, what is recorded now is all: a job that writes faster than its reader takes would never end.
  const limit = waiting.follows || waiting.isFinished() ? Infinity : await index.count();
  let number = await index.find(source.start);
  let end = await index.startOf(number);
  let beatDueMs = performance.now() + source.idleMs;
  while (end < source.end) {
    const isWhole = waiting.isFinished();
    const isLastCheck = isWhole || waiting.isLastCheck();
    const records = number < limit ? await index.read(number, end, Math.min(maxRecords, limit - number)) : [];
    number += records.length;
    end = records.at(-1)?.end ?? end;
    for await (const pieces of readPieces(source, records)) {
      yield pieces;
      beatDueMs = performance.now() + source.idleMs;
    }
    if (performance.now() >= beatDueMs) {
      yield [];
      beatDueMs = performance.now() + source.idleMs;
    }
    if (records.length > 0) continue;
    if (isWhole && limit === Infinity) return yield* readUnrecorded(source, end);
    if (isLastCheck) return;
    await waiting.more(Math.max(0, beatDueMs - performance.now()));
  }
}

async function* readPieces(source: PieceSource, records: IndexRecord[]): AsyncGenerator<Piece[]> {
  let batch: Piece[] = [];
  for (const record of records) {
    if (record.start >= source.end) break;
    if (!matches(source.filter, record)) continue;
    const end = Math.min(record.end, source.end);
    for (let offset = Math.max(record.start, source.start); offset < end;) {
      const data = await source.output.read(offset, end - offset);
      if (data.length === 0) break; // a power cut took what the index speaks of
      if (!isOfBlock(batch, offset)) {
        yield batch;
        batch = [];
      }
      batch.push({ kind: "bytes", offset, data, origin: record });
      offset += data.length;
    }
    if (record.lostBytes > 0 && record.end < source.end)
      batch.push({ kind: "gap", offset: record.end, lostBytes: record.lostBytes, origin: record });
  }
  if (batch.length > 0) yield batch;
}

function isOfBlock([first]: Piece[], offset: number): boolean {
  return first === undefined || Math.floor(first.offset / blockBytes) === Math.floor(offset / blockBytes);
}

/** What a supervisor wrote just before it was killed. */
async function* readUnrecorded({ output, filter, start, end }: PieceSource, recordedEnd: number): AsyncGenerator<Piece[]> {
  if (!matches(filter, null)) return;
  for (let offset = Math.max(start, recordedEnd); offset < end;) {
    const data = await output.read(offset, Math.min(blockBytes, end - offset));
    if (data.length === 0) return;
    yield [{ kind: "bytes", offset, data, origin: null }];
    offset += data.length;
  }
}
