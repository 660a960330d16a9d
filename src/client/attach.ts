import { Unreachable } from "./errors.ts";
import type { components } from "./openapi.ts";
import type { Backoff } from "./backoff.ts";
import type { Body } from "./answered.ts";
import { type Connecting, eventBatches, type ServerEvent } from "./stream.ts";

type Line = components["schemas"]["AttachLine"];
export type Job = components["schemas"]["Job"];

export type AttachOptions = {
  /** From this byte of the output on. */
  offsetBytes?: number;
  /** Up to this byte, without it: then there is no outcome. */
  endBytes?: number;
  /** From so many lines before the end of what there is. */
  tailLines?: number;
  /** False: what there is now. */
  isFollowing?: boolean;
  stream?: "stdout" | "stderr";
  step?: number;
};

/**
 * Offsets count the bytes of the whole output, whatever is left out. `time` is null where it is not known when the bytes were read from the
 * job.
 */
export type Piece =
  | { kind: "output"; offsetBytes: number; time: string | null; step: number | null; stream: "stdout" | "stderr" | null; bytes: Uint8Array }
  | { kind: "lost"; offsetBytes: number; lostBytes: number }
  | { kind: "outcome"; job: Job };

export type Query = { offset?: number; end?: number; tail?: number; follow?: boolean; stream?: "stdout" | "stderr"; step?: number };
/** Asks for the output as server-sent events, which are heard of also while a job is silent. */
type OpenOutput = (query: Query, signal: AbortSignal) => Promise<Body>;

export type Attaching = { open: OpenOutput; backoff: Backoff; connecting: Connecting };

/**
 * The pieces of a job's output, each once and in order, over as many connections as it takes: each goes on where the last whole piece
 * ended. Ends with the outcome; without one where only a part is wanted, or without following what is there of a job that is not finished.
 */
export async function* attachPieces(
  attaching: Attaching,
  { offsetBytes, endBytes, tailLines, isFollowing = true, ...rest }: AttachOptions,
): AsyncGenerator<Piece> {
  const filter = endBytes === undefined ? rest : { ...rest, end: endBytes };
  const goesOn = tailLines !== undefined && isFollowing;
  // by one line it is known where what there is ends
  const position = new OutputPosition(offsetBytes, goesOn ? Math.max(1, tailLines) : tailLines);
  if (goesOn) {
    // Lines are counted back from what there is at first; when a connection breaks later, more may have come.
    for await (const piece of takePieces(attaching, position, { ...filter, follow: false })) {
      if (tailLines > 0 || piece.kind === "outcome") yield piece;
      if (piece.kind === "outcome") return;
    }
    position.forgetTail();
  }
  yield* takePieces(attaching, position, isFollowing ? filter : { ...filter, follow: false });
}

async function* takePieces({ open, backoff, connecting }: Attaching, position: OutputPosition, wanted: Query): AsyncGenerator<Piece> {
  for (;;) {
    try {
      for await (const batch of eventBatches((both) => open({ ...wanted, ...position.connect() }, both), connecting)) {
        if (batch.length === 0) backoff.opened();
        for (const event of batch) {
          const piece = pieceOf(event);
          if (piece === null || !position.isNew(piece)) continue;
          backoff.calm();
          yield piece;
          if (piece.kind === "outcome") return;
        }
      }
      if (wanted.follow === false || wanted.end !== undefined) return;
      throw new Unreachable(connecting.url, new Error("the output ended without an outcome"));
    } catch (error) {
      await backoff.after(error);
    }
  }
}

/** Up to where the output has been given. */
class OutputPosition {
  #offsetBytes: number | null;
  #tailLines: number | null;
  /** How many gaps at the offset were given; and how many this connection has told of, which tells of all of them again. */
  #gapsGiven = 0;
  #gapsReported = 0;

  constructor(offsetBytes: number | undefined, tailLines: number | undefined) {
    this.#offsetBytes = offsetBytes ?? null;
    this.#tailLines = tailLines ?? null;
  }

  /** Where a new connection is to begin. */
  connect(): Query {
    this.#gapsReported = 0;
    const offset = this.#offsetBytes === null ? {} : { offset: this.#offsetBytes };
    return this.#tailLines === null ? offset : { ...offset, tail: this.#tailLines };
  }

  /** Where no piece came, there was none of what is wanted. */
  forgetTail(): void {
    this.#tailLines = null;
  }

  /** False of a gap that was given before; remembers the piece otherwise. */
  isNew(piece: Piece): boolean {
    if (piece.kind === "outcome") return true;
    const end = piece.offsetBytes + (piece.kind === "output" ? piece.bytes.length : 0);
    if (end !== this.#offsetBytes) this.#gapsGiven = this.#gapsReported = 0;
    if (piece.kind === "lost") this.#gapsReported += 1;
    const isNew = piece.kind === "output" || this.#gapsReported > this.#gapsGiven;
    this.#gapsGiven = Math.max(this.#gapsGiven, this.#gapsReported);
    this.#offsetBytes = end;
    this.forgetTail();
    return isNew;
  }
}

const encoder = new TextEncoder();

/** Null of a heartbeat. */
function pieceOf({ data }: ServerEvent): Piece | null {
  const line: Line = JSON.parse(data);
  if (!("Outcome" in line || "Offset" in line)) return null;
  if ("Outcome" in line) return { kind: "outcome", job: line.Outcome };
  if ("LostBytes" in line) return { kind: "lost", offsetBytes: line.Offset, lostBytes: line.LostBytes };
  const bytes = line.Encoding === "base64" ? fromBase64(line.Data) : encoder.encode(line.Data);
  return { kind: "output", offsetBytes: line.Offset, time: line.Time, step: line.Step, stream: line.Stream, bytes };
}

/** A loop, since `Uint8Array.from` with a function takes thirty times as long, and Node 24 has no `fromBase64`. */
function fromBase64(text: string): Uint8Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = characters.charCodeAt(index);
  return bytes;
}
