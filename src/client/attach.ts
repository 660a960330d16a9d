import { Unreachable } from "./errors.ts";
import type { components } from "./openapi.ts";
import type { Backoff } from "./backoff.ts";
import type { Body } from "./answered.ts";
import { type Connecting, eventBatches, type ServerEvent } from "./stream.ts";

type Line = components["schemas"]["AttachLine"];
export type Job = components["schemas"]["Job"];

export type AttachOptions = {
  /** Begins with this byte of the output. */
  offsetBytes?: number;
  /** Ends before this byte, and without an outcome. */
  endBytes?: number;
  /** Begins this number of lines before the present end. */
  tailLines?: number;
  /** False: ends at the present end. */
  isFollowing?: boolean;
  stream?: "stdout" | "stderr";
  step?: number;
};

/**
 * Offsets count the bytes of the whole output, including those that are filtered out. `time` is when the bytes were read from the job;
 * null: unknown.
 */
export type Piece =
  | { kind: "output"; offsetBytes: number; time: string | null; step: number | null; stream: "stdout" | "stderr" | null; bytes: Uint8Array }
  | { kind: "lost"; offsetBytes: number; lostBytes: number }
  | { kind: "outcome"; job: Job };

export type Query = { offset?: number; end?: number; tail?: number; follow?: boolean; stream?: "stdout" | "stderr"; step?: number };
/** Requests the output as server-sent events, which have heartbeats while a job is silent. */
type OpenOutput = (query: Query, signal: AbortSignal) => Promise<Body>;

export type Attaching = { open: OpenOutput; backoff: Backoff; connecting: Connecting };

/**
 * The pieces of a job's output, each once and in order, over as many connections as needed. Each connection continues after the last whole
 * piece. Ends with the outcome, unless only a part is requested, or the job is unfinished and not followed.
 */
export async function* attachPieces(
  attaching: Attaching,
  { offsetBytes, endBytes, tailLines, isFollowing = true, ...rest }: AttachOptions,
): AsyncGenerator<Piece> {
  const filter = endBytes === undefined ? rest : { ...rest, end: endBytes };
  const goesOn = tailLines !== undefined && isFollowing;
  // With `tailLines: 0`, one line is requested to learn where the output ends.
  const position = new OutputPosition(offsetBytes, goesOn ? Math.max(1, tailLines) : tailLines);
  if (goesOn) {
    // Lines are counted back from the first end. When a connection breaks later, more lines may have come.
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

/** The end of what was yielded. */
class OutputPosition {
  #offsetBytes: number | null;
  #tailLines: number | null;
  /** The number of gaps at the offset that were yielded, and that this connection has reported: each connection reports all of them. */
  #gapsGiven = 0;
  #gapsReported = 0;

  constructor(offsetBytes: number | undefined, tailLines: number | undefined) {
    this.#offsetBytes = offsetBytes ?? null;
    this.#tailLines = tailLines ?? null;
  }

  /** Where a new connection must begin. */
  connect(): Query {
    this.#gapsReported = 0;
    const offset = this.#offsetBytes === null ? {} : { offset: this.#offsetBytes };
    return this.#tailLines === null ? offset : { ...offset, tail: this.#tailLines };
  }

  /** If no piece came, none matched: later ones are all new. */
  forgetTail(): void {
    this.#tailLines = null;
  }

  /** False for a gap that was yielded before. Otherwise remembers the piece. */
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

/** Null for a heartbeat. */
function pieceOf({ data }: ServerEvent): Piece | null {
  const line: Line = JSON.parse(data);
  if (!("Outcome" in line || "Offset" in line)) return null;
  if ("Outcome" in line) return { kind: "outcome", job: line.Outcome };
  if ("LostBytes" in line) return { kind: "lost", offsetBytes: line.Offset, lostBytes: line.LostBytes };
  const bytes = line.Encoding === "base64" ? fromBase64(line.Data) : encoder.encode(line.Data);
  return { kind: "output", offsetBytes: line.Offset, time: line.Time, step: line.Step, stream: line.Stream, bytes };
}

/** A loop, because `Uint8Array.from` with a function takes thirty times as long, and Node 24 has no `fromBase64`. */
function fromBase64(text: string): Uint8Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = characters.charCodeAt(index);
  return bytes;
}
