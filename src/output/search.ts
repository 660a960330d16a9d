import { join } from "node:path";
import type { SharedFile, SharedFiles } from "./shared-file.ts";

export type SearchSource = { directory: string; files: SharedFiles };

export type SearchOptions = {
  /** Without line feeds: no match goes over one. */
  text: string;
  isCaseSensitive: boolean;
  offset: number;
  /** So many matches. */
  limit: number;
};

export type Match = { offset: number; bytes: number };
/** `next`: where to go on; null: that was all that there is now. */
export type SearchResult = { matches: Match[]; next: number | null };

/** How much one search looks at: the bytes, and the milliseconds. Another goes on behind it. */
export type SearchBounds = { mostBytes: number; mostMs: number; sliceBytes: number };

/** A match is found where it is no longer than this, with the escape sequences in it. */
const longestMatchBytes = 8192;
const bounds: SearchBounds = { mostBytes: 32 << 20, mostMs: 150, sliceBytes: 512 << 10 };

/**
 * Where a text is in an output, in order. Escape sequences within it do not count, so that text of several colours is found. It is looked
 * for in bytes, as characters of one byte: offsets are exact, whatever the output is.
 */
export async function searchOutput(
  { directory, files }: SearchSource,
  options: SearchOptions,
  within: SearchBounds = bounds,
): Promise<SearchResult> {
  await using file = await files.open(join(directory, "output"));
  if (file === null) return { matches: [], next: null };
  return await search(file, options, within);
}

async function search(
  file: SharedFile,
  { text, isCaseSensitive, offset, limit }: SearchOptions,
  { mostBytes, mostMs, sliceBytes }: SearchBounds,
): Promise<SearchResult> {
  const pattern = patternOf(text, isCaseSensitive);
  const endMs = performance.now() + mostMs;
  // In the worst case each byte is compared with each character of the text; meanwhile nothing else is done.
  const buffer = Buffer.allocUnsafe(Math.max(2 * longestMatchBytes, Math.floor(sliceBytes / Math.ceil(text.length / 3))));
  const matches: Match[] = [];
  for (let start = offset; ;) {
    const filled = await file.readInto(buffer, start);
    const isLast = filled < buffer.length;
    const slice = new Visible(buffer.toString("latin1", 0, filled));
    // What begins behind this may go on behind the slice.
    let behind = isLast ? filled : slice.outside(filled - longestMatchBytes);
    for (const found of slice.find(pattern)) {
      if (found.offset >= behind) break;
      matches.push({ offset: start + found.offset, bytes: found.bytes });
      if (matches.length === limit) return { matches, next: start + found.offset + found.bytes };
      behind = Math.max(behind, found.offset + found.bytes);
    }
    if (isLast) return { matches, next: null };
    start += behind;
    if (start - offset >= mostBytes || performance.now() > endMs) return { matches, next: start };
  }
}

/** ECMA-48: control sequences and, with their terminator, strings of the operating system's kind. */
const escapes = new RegExp(String.raw`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))`, "g");

type Part = { start: number; end: number; textStart: number };

/** A text without its escape sequences, in which places are known by their offset in the whole. */
class Visible {
  readonly #parts: Part[] = [];
  readonly #text: string;

  constructor(whole: string) {
    if (!whole.includes("\x1b")) {
      this.#text = whole;
      this.#parts.push({ start: 0, end: whole.length, textStart: 0 });
      return;
    }
    const texts: string[] = [];
    let textStart = 0;
    let start = 0;
    const add = (end: number): void => {
      texts.push(whole.slice(start, end));
      this.#parts.push({ start, end, textStart });
      textStart += end - start;
    };
    for (const { index, 0: escape } of whole.matchAll(escapes)) {
      add(index);
      start = index + escape.length;
    }
    add(whole.length);
    this.#text = texts.join("");
  }

  *find(pattern: RegExp): Generator<Match> {
    for (const { index, 0: found } of this.#text.matchAll(pattern)) {
      const offset = this.#offsetOf(index);
      yield { offset, bytes: this.#offsetOf(index + found.length - 1) + 1 - offset };
    }
  }

  /** The offset or, where that is within an escape sequence, where it begins; unless it begins the whole. */
  outside(offset: number): number {
    const index = this.#last(({ start }) => start <= offset);
    const part = this.#parts[index];
    return part === undefined || part.end >= offset || part.end === 0 ? offset : part.end;
  }

  #offsetOf(textOffset: number): number {
    const part = this.#parts[this.#last(({ textStart }) => textStart <= textOffset)];
    return part === undefined ? textOffset : part.start + textOffset - part.textStart;
  }

  /** By binary search: the last part of which it holds. */
  #last(holds: (part: Part) => boolean): number {
    let low = 0;
    let high = this.#parts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const part = this.#parts[middle];
      if (part !== undefined && holds(part)) low = middle;
      else high = middle;
    }
    return low;
  }
}

function patternOf(text: string, isCaseSensitive: boolean): RegExp {
  const characters = Array.from(text, (character) =>
    isCaseSensitive ? [character] : [...new Set([character, character.toLowerCase(), character.toUpperCase()])],
  );
  const written = characters.map((variants) =>
    variants.length === 1 ? variants.map(asBytes).join("") : `(?:${variants.map(asBytes).join("|")})`,
  );
  return new RegExp(written.join(""), "g");
}

/** UTF-8, a character for each byte, and none of them with a meaning of its own in a pattern. */
function asBytes(character: string): string {
  return [...Buffer.from(character)].map((byte) => String.raw`\x${byte.toString(16).padStart(2, "0")}`).join("");
}
