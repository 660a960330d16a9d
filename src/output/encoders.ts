import { isUtf8 } from "node:buffer";
import { formatTime } from "../job/facts.ts";
import { WholeCharacters } from "./characters.ts";
import type { Origin, Piece } from "./pieces.ts";

/** Turns pieces, in their order, into the bytes to send. */
export type Encoder = {
  /**
   * Yields chunks of at most about 64 KiB, made on demand, so that a reader that takes nothing does not hold a whole encoded block: if each
   * byte is a line with its time, that is 32 times as large. An empty batch means that nothing has come for a while: it becomes a
   * heartbeat, or nothing.
   */
  encode(pieces: Piece[]): Iterable<Buffer>;
  /** The last bytes, with the outcome if it is known. */
  end(outcome: object | null): Buffer;
};

const nothing = Buffer.alloc(0);

/** Bytes of output in one line of JSON, where a control character becomes six. */
const longestDataBytes = 8 * 1024;
/** A chunk is complete when it has this size. */
const chunkBytes = 16 * 1024;

/** Only the bytes. */
export const bytesEncoder: Encoder = {
  encode: (pieces) => [Buffer.concat(pieces.flatMap((piece) => (piece.kind === "bytes" ? [piece.data] : [])))],
  end: () => nothing,
};

/** The bytes; each line begins with the time at which its first byte was read, or "-" if that is unknown. */
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

/** Lines of JSON; the last one is the outcome. The heartbeat is an empty object, which clients ignore. */
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

/** The ID of the last event: a client that returns with it has received everything. It is different from every offset. */
export const endId = "end";

/**
 * Server-sent events with the JSON of the lines. An event's ID is the offset behind its bytes, so a client that returns with its
 * Last-Event-ID continues exactly there. The end has an ID of its own, even without an outcome: a block without data also sets the ID (HTML
 * standard, "Server-sent events"). The heartbeats are comments; they detect dead connections, and keep proxies from closing living ones.
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
