import { blockBytes } from "./block-cache.ts";
import type { IndexFile, IndexRecord, Stream } from "./index-file.ts";
import type { SharedFile } from "./shared-file.ts";
import type { Waiting } from "./waiting.ts";

/** The time, step and stream of bytes. Null: the supervisor was killed before it could record them. */
export type Origin = { timeNs: bigint; step: number; stream: Stream } | null;

/** A run of bytes of the output file with one time, step and stream, or a place where bytes were lost. */
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
  end: number; // exclusive; a gap at this offset is behind it
  idleMs: number;
};

const maxRecords = 512; // how many are read at once

/**
 * The pieces of the output from `start` on, and those that follow, up to `end`. Each batch is from one block of the output, so a reader
 * holds only one block. An empty batch means that nothing was yielded for `idleMs`, even if output came that the filter excludes.
 */
export async function* followPieces(source: PieceSource): AsyncGenerator<Piece[]> {
  const { index, waiting } = source;
  // Without following, the end is fixed now. Otherwise reading a job that writes faster than its reader would never end.
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
      if (data.length === 0) break; // a power cut took bytes that have records
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

/** Bytes without records: the supervisor was killed just after it had written them. */
async function* readUnrecorded({ output, filter, start, end }: PieceSource, recordedEnd: number): AsyncGenerator<Piece[]> {
  if (!matches(filter, null)) return;
  for (let offset = Math.max(start, recordedEnd); offset < end;) {
    const data = await output.read(offset, Math.min(blockBytes, end - offset));
    if (data.length === 0) return;
    yield [{ kind: "bytes", offset, data, origin: null }];
    offset += data.length;
  }
}
