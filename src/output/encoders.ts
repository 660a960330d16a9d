import { isUtf8 } from "node:buffer";
import { formatTime } from "../job/facts.ts";
import { WholeCharacters } from "./characters.ts";
import type { Origin, Piece } from "./pieces.ts";

/** Turns pieces, in the order in which they are given, into what is sent. */
export type Encoder = {
  /**
   * In chunks of some 64 KiB at most, made as they are asked for: a reader that takes nothing must not hold all that a block becomes, which
   * is 32 times as much where each byte is a line with its time. Of an empty batch, which says that nothing has come for a while: what
   * keeps the connection alive, or nothing.
   */
  encode(pieces: Piece[]): Iterable<Buffer>;
  /** What is left at the end; with the outcome, where it is known. */
  end(outcome: object | null): Buffer;
};

const nothing = Buffer.alloc(0);

/** Of the output, in one line of JSON: a control character is six there. */
const longestDataBytes = 8 * 1024;
/** A chunk is complete when it has so much. */
const chunkBytes = 16 * 1024;

/** The bytes alone, of all pieces. */
export const bytesEncoder: Encoder = {
  encode: (pieces) => [Buffer.concat(pieces.flatMap((piece) => (piece.kind === "bytes" ? [piece.data] : [])))],
  end: () => nothing,
};

/** The bytes; each line begins with the time at which its first byte was read, or "-" where that is not known. */
export function timestampsEncoder(): Encoder {
  let isAtLineStart = true;
  const prefixed = function* (data: Buffer, prefix: Buffer): Generator<Buffer> {
    for (let from = 0; from < data.length;) {
      if (isAtLineStart) yield prefix;
      const newline = data.indexOf(0x0a, from);
      isAtLineStart = newline >= 0;
      const to = isAtLineStart ? newline + 1 : data.length;
      yield data.subarray(from, to);
      from = to;
    }
  };
  const encode = function* (pieces: Piece[]): Generator<Buffer> {
    let parts: Buffer[] = [];
    let bytes = 0;
    for (const piece of pieces) {
      if (piece.kind === "gap") continue;
      for (const part of prefixed(piece.data, Buffer.from(`${timeOf(piece.origin) ?? "-"} `))) {
        parts.push(part);
        bytes += part.length;
        if (bytes < chunkBytes) continue;
        yield Buffer.concat(parts);
        parts = [];
        bytes = 0;
      }
    }
    yield Buffer.concat(parts);
  };
  return { encode, end: () => nothing };
}

/** Lines of JSON; the last one is the outcome. An empty object in quiet times, to be ignored, does what the comments among events do. */
export function ndjsonEncoder(): Encoder {
  const characters = new WholeCharacters();
  const write = (piece: Piece): string => `${toJson(piece)}\n`;
  return {
    encode: (pieces) => (pieces.length === 0 ? [Buffer.from("{}\n")] : textChunks(wholePieces(characters, pieces), write)),
    end: (outcome) => Buffer.from(characters.rest().map(write).join("") + (outcome === null ? "" : `${outcomeJson(outcome)}\n`)),
  };
}

function* wholePieces(characters: WholeCharacters, pieces: Piece[]): Generator<Piece> {
  for (const piece of pieces) for (const part of cut(piece)) yield* characters.take([part]);
}

function* cut(piece: Piece): Generator<Piece> {
  if (piece.kind === "gap") return yield piece;
  for (let at = 0; at < piece.data.length; at += longestDataBytes) {
    yield { ...piece, offset: piece.offset + at, data: piece.data.subarray(at, at + longestDataBytes) };
  }
}

function* textChunks(pieces: Iterable<Piece>, write: (piece: Piece) => string): Generator<Buffer> {
  let text = "";
  for (const piece of pieces) {
    text += write(piece);
    if (text.length < chunkBytes) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

/** The id of the end: whoever comes back with it has had all. No offset is written so. */
export const endId = "end";

/**
 * Server-sent events with the JSON of the lines. The id of an event is the offset behind its bytes, so that a client which comes back with
 * its Last-Event-ID goes on exactly there; the end has one of its own, also where it tells of nothing (HTML standard, "Server-sent events":
 * a block without data sets the id). Comments in quiet times find dead connections and keep proxies from closing living ones.
 */
export function eventsEncoder(): Encoder {
  const characters = new WholeCharacters();
  const write = (piece: Piece): string => `id: ${endOf(piece)}\ndata: ${toJson(piece)}\n\n`;
  return {
    encode: (pieces) => (pieces.length === 0 ? [Buffer.from(":\n\n")] : textChunks(wholePieces(characters, pieces), write)),
    end: (outcome) => {
      const last = outcome === null ? "" : `event: outcome\ndata: ${outcomeJson(outcome)}\n`;
      return Buffer.from(`${characters.rest().map(write).join("")}id: ${endId}\n${last}\n`);
    },
  };
}

function toJson(piece: Piece): string {
  const where = {
    Offset: piece.offset,
    Time: timeOf(piece.origin),
    Step: piece.origin?.step ?? null,
    Stream: piece.origin?.stream ?? null,
  };
  if (piece.kind === "gap") return JSON.stringify({ ...where, LostBytes: piece.lostBytes });
  if (isUtf8(piece.data)) return JSON.stringify({ ...where, Data: piece.data.toString("utf8") });
  return JSON.stringify({ ...where, Data: piece.data.toString("base64"), Encoding: "base64" });
}

function outcomeJson(outcome: object): string {
  return JSON.stringify({ Outcome: outcome });
}

function endOf(piece: Piece): number {
  return piece.kind === "bytes" ? piece.offset + piece.data.length : piece.offset;
}

function timeOf(origin: Origin): string | null {
  return origin === null ? null : formatTime(origin.timeNs);
}
