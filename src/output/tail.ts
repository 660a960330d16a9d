import { setImmediate } from "node:timers/promises";
import { blockBytes } from "./block-cache.ts";
import type { IndexFile } from "./index-file.ts";
import { type Filter, matches } from "./pieces.ts";
import type { SharedFile } from "./shared-file.ts";

type Range = { start: number; end: number };

const newline = 0x0a;
/** Reading from memory has no pauses, so after this time it lets other work go on. */
const turnMs = 5;

/** The offset in the output file at which the last `lines` lines of the filtered output begin. A last line without newline counts. */
export async function findTail(source: { output: SharedFile; index: IndexFile; filter: Filter }, lines: number): Promise<number> {
  const { output, index, filter } = source;
  const size = await output.size();
  if (lines === 0) return size;
  const isFiltered = filter.stream !== null || filter.step !== null;
  const ranges = isFiltered ? wantedBackwards(index, filter) : [{ start: 0, end: size }];
  return findLines(output, ranges, lines);
}

async function* wantedBackwards(index: IndexFile, filter: Filter): AsyncGenerator<Range> {
  for await (const record of index.backwards(await index.count())) {
    if (record.end > record.start && matches(filter, record)) yield record;
  }
}

async function findLines(output: SharedFile, ranges: AsyncIterable<Range> | Iterable<Range>, lines: number): Promise<number> {
  let missing = lines;
  let isLastByte = true; // a newline as the last byte ends the last line and begins none
  let turnStartMs = performance.now();
  for await (const range of ranges) {
    if (performance.now() - turnStartMs > turnMs) {
      await setImmediate();
      turnStartMs = performance.now();
    }
    for await (const { offset, data } of blocksBackwards(output, range)) {
      const from = isLastByte ? data.length - 2 : data.length - 1;
      isLastByte = false;
      for (let at = lastNewline(data, from); at >= 0; at = lastNewline(data, at - 1)) {
        missing -= 1;
        if (missing === 0) return offset + at + 1;
      }
    }
  }
  return 0;
}

async function* blocksBackwards(output: SharedFile, range: Range): AsyncGenerator<{ offset: number; data: Buffer }> {
  for (let end = range.end; end > range.start;) {
    const offset = Math.max(range.start, end - 1 - ((end - 1) % blockBytes));
    const data = await output.read(offset, end - offset);
    if (data.length > 0) yield { offset, data };
    end = offset;
  }
}

/** The last newline at `from` or before it. lastIndexOf would count a negative `from` from the end. */
function lastNewline(data: Buffer, from: number): number {
  return from < 0 ? -1 : data.lastIndexOf(newline, from);
}
