import { join } from "node:path";
import type { SharedFile, SharedFiles } from "./shared-file.ts";

export type SearchSource = { directory: string; files: SharedFiles };

export type SearchOptions = {
  /** Contains no line feed, so a match is within one line. */
  text: string;
  isCaseSensitive: boolean;
  offset: number;
  /** The largest number of matches. */
  limit: number;
};

export type Match = { offset: number; bytes: number };
/**
 * `next`: where to go on; null: everything that is there now was searched. `resume`: where to go on when the output has grown, so that
 * every match is found once.
 */
export type SearchResult = { matches: Match[]; next: number | null; resume: number };

/** The limits of one search, in bytes and milliseconds. Another search continues behind it. */
export type SearchBounds = { mostBytes: number; mostMs: number; sliceBytes: number };

/** Matches that are longer than this, with their escape sequences, are not found. */
const longestMatchBytes = 8192;
const bounds: SearchBounds = { mostBytes: 32 << 20, mostMs: 150, sliceBytes: 512 << 10 };

/**
 * Finds a text in an output. Escape sequences are ignored, so text in several colours is found. The search is in bytes, as characters of
 * one byte, so offsets are exact for any output.
 */
export async function searchOutput(
  { directory, files }: SearchSource,
  options: SearchOptions,
  within: SearchBounds = bounds,
): Promise<SearchResult> {
  await using file = await files.open(join(directory, "output"));
  if (file === null) return { matches: [], next: null, resume: options.offset };
  return await search(file, options, within);
}

async function search(
  file: SharedFile,
  { text, isCaseSensitive, offset, limit }: SearchOptions,
  { mostBytes, mostMs, sliceBytes }: SearchBounds,
): Promise<SearchResult> {
  const pattern = patternOf(text, isCaseSensitive);
  const endMs = performance.now() + mostMs;
  // In the worst case, each byte is compared with each character of the text. Meanwhile the event loop does nothing else.
  const buffer = Buffer.allocUnsafe(Math.max(2 * longestMatchBytes, Math.floor(sliceBytes / Math.ceil(text.length / 3))));
  const matches: Match[] = [];
  for (let start = offset; ;) {
    const filled = await file.readInto(buffer, start);
    const isLast = filled < buffer.length;
    const slice = new Visible(buffer.toString("latin1", 0, filled));
    // A match that begins after this may end in the next slice, or in what is not written yet.
    let resume = Math.max(0, slice.outside(filled - longestMatchBytes));
    for (const found of slice.find(pattern)) {
      if (!isLast && found.offset >= resume) break;
      const end = found.offset + found.bytes;
      matches.push({ offset: start + found.offset, bytes: found.bytes });
      if (matches.length === limit) return { matches, next: start + end, resume: start + end };
      resume = Math.max(resume, end);
    }
    start += resume;
    if (isLast) return { matches, next: null, resume: start };
    if (start - offset >= mostBytes || performance.now() > endMs) return { matches, next: start, resume: start };
  }
}

/** Control sequences, and operating system commands with their terminator (ECMA-48). */
const escapes = new RegExp(String.raw`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))`, "g");

type Part = { start: number; end: number; textStart: number };

/** A text without its escape sequences, which still knows the offsets in the whole text. */
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

  /** The offset, or the beginning of the escape sequence that it is in, unless that sequence begins the text. */
  outside(offset: number): number {
    const index = this.#last(({ start }) => start <= offset);
    const part = this.#parts[index];
    return part === undefined || part.end >= offset || part.end === 0 ? offset : part.end;
  }

  #offsetOf(textOffset: number): number {
    const part = this.#parts[this.#last(({ textStart }) => textStart <= textOffset)];
    return part === undefined ? textOffset : part.start + textOffset - part.textStart;
  }

  /** The last part for which `holds` is true, by binary search. */
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

/** A character in UTF-8, one character for each byte, escaped for a pattern. */
function asBytes(character: string): string {
  return [...Buffer.from(character)].map((byte) => String.raw`\x${byte.toString(16).padStart(2, "0")}`).join("");
}
