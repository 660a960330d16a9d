import { isUtf8 } from "node:buffer";
import type { Piece } from "./pieces.ts";

type BytesPiece = Extract<Piece, { kind: "bytes" }>;

const longestCharacter = 4; // bytes of UTF-8

/**
 * Moves the ends of pieces so that no character of UTF-8 is split. The beginning of a character waits for its rest. If something else
 * follows, the beginning becomes a piece of its own, whose bytes are not a character. Each piece is a contiguous run of the output file.
 */
export class WholeCharacters {
  #begun: BytesPiece | null = null; // at most three bytes

  take(pieces: Piece[]): Piece[] {
    return pieces.flatMap((piece) => this.#takeOne(piece));
  }

  /** The bytes that still wait. Call at the end. */
  rest(): Piece[] {
    const begun = this.#begun;
    this.#begun = null;
    return begun === null ? [] : [begun];
  }

  #takeOne(piece: Piece): Piece[] {
    const [begun] = this.rest();
    if (begun === undefined) return this.#holdBack(piece);
    const joined = join(begun, piece);
    return joined === null ? [begun, ...this.#holdBack(piece)] : this.#holdBack(joined, piece.origin);
  }

  /** `lastOrigin`: that of the last bytes, which differs in a joined piece. */
  #holdBack(piece: Piece, lastOrigin = piece.origin): Piece[] {
    if (piece.kind === "gap") return [piece];
    const whole = piece.data.length - begunBytes(piece.data);
    if (whole === piece.data.length) return [piece];
    // A copy, because the bytes may wait for long, and would keep a block of the file in memory.
    const origin = whole === 0 ? piece.origin : lastOrigin;
    this.#begun = { kind: "bytes", offset: piece.offset + whole, data: Buffer.from(piece.data.subarray(whole)), origin };
    return whole === 0 ? [] : [{ ...piece, data: piece.data.subarray(0, whole) }];
  }
}

/** Joins the beginning of a character and its rest, with the time of the first byte. Null: the piece does not continue the character. */
function join(begun: Piece | undefined, piece: Piece): Piece | null {
  if (begun?.kind !== "bytes" || piece.kind !== "bytes") return null;
  if (begun.offset + begun.data.length !== piece.offset) return null;
  if (begun.origin?.step !== piece.origin?.step || begun.origin?.stream !== piece.origin?.stream) return null;
  const data = Buffer.concat([begun.data, piece.data]);
  const character = data.subarray(0, characterBytes(data[0]));
  const isOne = isUtf8(character) || begunBytes(character) === data.length;
  return isOne ? { ...begun, data } : null;
}

/** How many bytes at the end are an incomplete character. */
function begunBytes(data: Buffer): number {
  for (let back = 1; back < longestCharacter && back <= data.length; back++) {
    const bytes = characterBytes(data[data.length - back]);
    if (bytes > 0) return bytes > back ? back : 0;
  }
  return 0;
}

/** The length of the character that begins with this byte (RFC 3629); 0: none does. */
function characterBytes(first = 0): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
