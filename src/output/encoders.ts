import { isUtf8 } from "node:buffer";
import { formatTime } from "../job/facts.ts";
import { WholeCharacters } from "./characters.ts";
import type { Origin, Piece } from "./pieces.ts";

/** Turns pieces, in the order in which they are given, into what is sent. */
export type Encoder = {
  /** Of an empty batch, which says that nothing has come for a while: what keeps the connection alive, or nothing. */
  encode(pieces: Piece[]): Buffer;
  /** What is left at the end; with the outcome, where it is known. */
  end(outcome: object | null): Buffer;
};

const nothing = Buffer.alloc(0);

/** The bytes alone, of all pieces. */
export const bytesEncoder: Encoder = {
  encode: (pieces) => Buffer.concat(pieces.flatMap((piece) => (piece.kind === "bytes" ? [piece.data] : []))),
  end: () => nothing,
};

/** The bytes; each line begins with the time at which its first byte was read, or "-" where that is not known. */
export function timestampsEncoder(): Encoder {
  let isAtLineStart = true;
  const prefixed = (data: Buffer, prefix: Buffer): Buffer[] => {
    const parts: Buffer[] = [];
    for (let from = 0; from < data.length; ) {
      if (isAtLineStart) parts.push(prefix);
      const newline = data.indexOf(0x0a, from);
      isAtLineStart = newline >= 0;
      const to = isAtLineStart ? newline + 1 : data.length;
      parts.push(data.subarray(from, to));
      from = to;
    }
    return parts;
  };
  const encodeOne = (piece: Piece): Buffer[] =>
    piece.kind === "gap" ? [] : prefixed(piece.data, Buffer.from(`${timeOf(piece.origin) ?? "-"} `));
  return { encode: (pieces) => Buffer.concat(pieces.flatMap(encodeOne)), end: () => nothing };
}

/** Lines of JSON; the last one is the outcome. An empty object in quiet times, to be ignored, does what the comments among events do. */
export function ndjsonEncoder(): Encoder {
  const characters = new WholeCharacters();
  const lines = (pieces: Piece[]): string => pieces.map((piece) => `${toJson(piece)}\n`).join("");
  return {
    encode: (pieces) => Buffer.from(pieces.length === 0 ? "{}\n" : lines(characters.take(pieces))),
    end: (outcome) => Buffer.from(lines(characters.rest()) + (outcome === null ? "" : `${outcomeJson(outcome)}\n`)),
  };
}

/** The id of the end: whoever comes back with it has had all. No offset is written so. */
export const endId = "end";

/**
 * Server-sent events with the JSON of the lines. The id of an event is the offset behind its bytes, so that a client which comes back with
 * its Last-Event-ID goes on exactly there; the end has one of its own, also where it tells of nothing (HTML standard, "Server-sent events": a block
 * without data sets the id). Comments in quiet times find dead connections and keep proxies from closing living ones.
 */
export function eventsEncoder(): Encoder {
  const characters = new WholeCharacters();
  const events = (pieces: Piece[]): string => pieces.map((piece) => `id: ${endOf(piece)}\ndata: ${toJson(piece)}\n\n`).join("");
  return {
    encode: (pieces) => Buffer.from(pieces.length === 0 ? ":\n\n" : events(characters.take(pieces))),
    end: (outcome) => {
      const last = outcome === null ? "" : `event: outcome\ndata: ${outcomeJson(outcome)}\n`;
      return Buffer.from(`${events(characters.rest())}id: ${endId}\n${last}\n`);
    },
  };
}

function toJson(piece: Piece): string {
  const where = { Offset: piece.offset, Time: timeOf(piece.origin), Step: piece.origin?.step ?? null, Stream: piece.origin?.stream ?? null };
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
