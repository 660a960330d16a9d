import type { Piece } from "../../src/client/index.ts";
import { withLinks } from "./links.ts";
import { type Run, Styler } from "./styles.ts";

/**
 * Output as lines, in pages. Which bytes are a line depends on nothing but the output itself, never on where reading began, so that a page
 * can be read anywhere and fits its neighbours. A line begins
 *
 *     at the first byte, behind a line feed, and where another step begins to write;
 *     and where none of these was within the last 8 KiB before a multiple of that, at this multiple (behind a split
 *     character), or rather behind the last carriage return shortly before it.
 *
 * So no line is longer than 16 KiB, and a page can be cut with little of what is around it. A page has the lines that begin in its 64 KiB.
 */

export const pageBytes = 65_536;
const cutBytes = 8192;
/** A line is cut at a carriage return this near before the limit, so that no state of a progress line is torn. */
const returnBytes = 1024;

/** How many bytes before and after a page are needed to cut it. */
export const beforeBytes = cutBytes;
export const behindBytes = 2 * cutBytes + 4;

export type Line = {
  offsetBytes: number;
  endBytes: number;
  time: string | null;
  step: number | null;
  /** The first line of a step, or of its output after that of another step. */
  isStepStart: boolean;
  /** The number of bytes that were lost directly before the line or in it. */
  lostBytes: number;
  hasStderr: boolean;
  /** The same line continues: it was cut because it is long. */
  isCut: boolean;
  /** A part of a line that was overwritten: another part of the line is shown. */
  isOverwritten: boolean;
  runs: readonly Run[];
  /** The length of the visible text in UTF-16 code units. */
  length: number;
};

/** The style that holds at a byte, as parameters of a sequence. */
export type StylePoint = { offsetBytes: number; sgr: string };

/**
 * `isWhole`: nothing will be added. `end`: the style after the last line; null: the style at the start of the page is not known yet, and
 * its lines are shown as if there was none.
 */
export type Page = { number: number; isWhole: boolean; lines: readonly Line[]; end: StylePoint | null };

export type OutputPiece = Exclude<Piece, { kind: "outcome" }>;

/**
 * `pieces`: contiguous from `beforeBytes` before the page (or the first byte) to `behindBytes` after it (or the last byte). `style`: one
 * that is known between the first of these bytes and the first line of the page.
 */
export function pageOf(
  number: number,
  pieces: readonly OutputPiece[],
  { isWhole, style }: { isWhole: boolean; style: StylePoint | null },
): Page {
  const startBytes = number * pageBytes;
  const parts = pieces.flatMap((piece) => (piece.kind === "output" ? [piece] : []));
  const cuts = findCuts(parts, { startBytes, endBytes: startBytes + pageBytes });
  const styler = new Styler(style?.sgr);
  const firstCut = cuts[0]?.offsetBytes ?? startBytes;
  let step: number | null | undefined;
  for (const { text, step: own } of textsOf(parts, { fromBytes: style?.offsetBytes ?? 0, toBytes: firstCut })) {
    if (step !== undefined && own !== step) styler.reset();
    step = own;
    styler.skip(text);
  }
  const lines = cuts.slice(0, -1).map((cut, index) => {
    if (cut.isStepStart) styler.reset(); // a style ends where another step writes
    return lineOf(cut, cuts[index + 1], { parts, styler, isOpen: !isWhole && index === cuts.length - 2 });
  });
  for (const piece of pieces) if (piece.kind === "lost") noteLoss(lines, piece);
  noteOverwritten(lines, cuts, { isOpen: !isWhole, parts });
  const endBytes = cuts.at(-1)?.offsetBytes ?? startBytes;
  return { number, isWhole, lines, end: style === null ? null : { offsetBytes: endBytes, sgr: styler.sgr } };
}

type Part = Extract<OutputPiece, { kind: "output" }>;
/** `isReturned`: the text before and after it is written to the same line. */
type Cut = { offsetBytes: number; isStepStart: boolean; isReturned: boolean };

/** Where the lines of the page begin, followed by the start of the first line after the page, or the end of the output. */
function findCuts(parts: readonly Part[], { startBytes, endBytes }: { startBytes: number; endBytes: number }): Cut[] {
  const cuts: Cut[] = [];
  let naturalBytes = -Infinity; // the last start of a line that the content determines
  let step: number | null | undefined;
  let pending: number | null = null; // where a long line is cut: after the character that the cut would split
  const add = (offsetBytes: number, isStepStart: boolean, isReturned = false): boolean => {
    const last = cuts.at(-1);
    if (last?.offsetBytes === offsetBytes) last.isStepStart ||= isStepStart;
    else if (offsetBytes >= startBytes) cuts.push({ offsetBytes, isStepStart, isReturned });
    return offsetBytes >= endBytes;
  };
  for (const { offsetBytes, bytes, step: own } of parts) {
    const isStepStart = offsetBytes === 0 || (step !== undefined && own !== step);
    step = own;
    if (isStepStart) {
      naturalBytes = offsetBytes;
      if (add(offsetBytes, true)) return cuts;
    }
    for (let index = 0; index < bytes.length;) {
      const at = offsetBytes + index;
      if (
        pending === null &&
        at % cutBytes === 0 &&
        at > 0 &&
        at - naturalBytes >= cutBytes &&
        at - (parts[0]?.offsetBytes ?? 0) >= cutBytes
      )
        pending = at;
      if (pending !== null && (at - pending >= 3 || !isContinuation(bytes[index]))) {
        const returned = behindReturn(parts, pending);
        pending = null;
        if (add(returned ?? at, false, returned !== null)) return cuts;
      }
      const untilMultiple = cutBytes - (at % cutBytes);
      const stop = pending === null ? Math.min(bytes.length, index + untilMultiple) : index + 1;
      const feed = bytes.subarray(index, stop).indexOf(10);
      index = feed === -1 ? stop : index + feed + 1;
      if (feed !== -1) {
        naturalBytes = offsetBytes + index;
        pending = null;
        if (naturalBytes < lastByte(parts) && add(naturalBytes, false)) return cuts;
      }
    }
  }
  const end = lastByte(parts);
  if (cuts.length > 0 && end > (cuts.at(-1)?.offsetBytes ?? 0)) cuts.push({ offsetBytes: end, isStepStart: false, isReturned: false });
  return cuts;
}

/** Behind the last carriage return that is shortly before this byte, and surely not before a line feed; null: there is none. */
function behindReturn(parts: readonly Part[], offsetBytes: number): number | null {
  const fromBytes = offsetBytes - returnBytes;
  for (let index = firstEndingBehind(parts, offsetBytes - 1); index >= 0; index -= 1) {
    const part = parts[index];
    if (part === undefined) continue;
    if (part.offsetBytes + part.bytes.length <= fromBytes) return null;
    const found = part.bytes.subarray(0, Math.max(0, offsetBytes - 1 - part.offsetBytes)).lastIndexOf(13);
    if (found !== -1) return part.offsetBytes + found >= fromBytes ? part.offsetBytes + found + 1 : null;
  }
  return null;
}

/** Of the parts of one line that was written over and over, one in each page is shown: the last one that is whole. */
function noteOverwritten(
  lines: readonly Line[],
  cuts: readonly Cut[],
  { isOpen, parts }: { isOpen: boolean; parts: readonly Part[] },
): void {
  for (const [index, line] of lines.entries()) {
    if (cuts[index]?.isReturned !== true) continue;
    const isLast = isOpen && index === lines.length - 1;
    const isPartial =
      isLast && !textsOf(parts, { fromBytes: line.offsetBytes, toBytes: line.endBytes }).some(({ text }) => text.includes("\r"));
    const before = lines[index - 1];
    if (line.length === 0 || isPartial) line.isOverwritten = true;
    else if (before !== undefined) before.isOverwritten = true;
  }
}

function lastByte(parts: readonly Part[]): number {
  const last = parts.at(-1);
  return last === undefined ? 0 : last.offsetBytes + last.bytes.length;
}

/** Whether the byte continues a character in UTF-8 (RFC 3629). */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function lineOf(
  { offsetBytes, isStepStart }: Cut,
  next: Cut | undefined,
  { parts, styler, isOpen }: { parts: readonly Part[]; styler: Styler; isOpen: boolean },
): Line {
  const endBytes = next?.offsetBytes ?? offsetBytes;
  const texts = textsOf(parts, { fromBytes: offsetBytes, toBytes: endBytes });
  const runs = withLinks(texts.flatMap(({ text, isStderr }) => styler.runsOf(text, { isStderr, isOpen })));
  return {
    offsetBytes,
    endBytes,
    time: texts[0]?.time ?? null,
    step: texts[0]?.step ?? null,
    isStepStart,
    lostBytes: 0,
    isCut: next !== undefined && !next.isStepStart && !next.isReturned && texts.at(-1)?.text.endsWith("\n") === false,
    isOverwritten: false,
    hasStderr: texts.some(({ isStderr }) => isStderr),
    runs,
    length: runs.reduce((sum, { text }) => sum + text.length, 0),
  };
}

type Text = { text: string; isStderr: boolean; time: string | null; step: number | null };

/** Decodes these bytes, each stream separately. Uses binary search, because a page has many lines. */
function textsOf(parts: readonly Part[], { fromBytes, toBytes }: { fromBytes: number; toBytes: number }): Text[] {
  const texts: { isStderr: boolean; time: string | null; step: number | null; chunks: Uint8Array[] }[] = [];
  for (let index = firstEndingBehind(parts, fromBytes); index < parts.length; index += 1) {
    const part = parts[index];
    if (part === undefined || part.offsetBytes >= toBytes) break;
    const chunk = part.bytes.subarray(Math.max(0, fromBytes - part.offsetBytes), toBytes - part.offsetBytes);
    const isStderr = part.stream === "stderr";
    const last = texts.at(-1);
    if (last?.isStderr === isStderr && last.step === part.step) last.chunks.push(chunk);
    else texts.push({ isStderr, time: part.time, step: part.step, chunks: [chunk] });
  }
  return texts.map(({ chunks, ...rest }) => ({ ...rest, text: decode(chunks) }));
}

function firstEndingBehind(parts: readonly Part[], offsetBytes: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const part = parts[middle];
    if (part !== undefined && part.offsetBytes + part.bytes.length <= offsetBytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function decode(chunks: Uint8Array[]): string {
  const [first, second] = chunks;
  if (first === undefined) return "";
  if (second === undefined) return decoder.decode(first);
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return decoder.decode(whole);
}

/** Adds lost bytes to the line where they were lost, or to the last line if they come after it. */
function noteLoss(lines: Line[], { offsetBytes, lostBytes }: { offsetBytes: number; lostBytes: number }): void {
  const line = lines.findLast((one) => one.offsetBytes <= offsetBytes) ?? null;
  if (line !== null && (offsetBytes < line.endBytes || line === lines.at(-1))) line.lostBytes += lostBytes;
}
