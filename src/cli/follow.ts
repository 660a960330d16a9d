import type { Client, Job, Piece } from "../client/index.ts";
import { type Session, report, whileRead, write } from "./session.ts";

/** Writes a job's output to the streams that the job wrote it to. */

export type Output = Extract<Piece, { kind: "output" }>;

/** Writes all output until the job is finished, and gives the job. */
export async function follow(session: Session, client: Client, { id, signal }: { id: string; signal: AbortSignal }): Promise<Job> {
  const job = await whileRead(session, {
    signal,
    run: async (both) => await pour(session, { pieces: client.attach(id, { signal: both }) }),
  });
  if (job === null) throw new Error(`the output of the job ${id} ended without an outcome`);
  return job;
}

type Pouring = { pieces: AsyncIterable<Piece>; decorate?: ((piece: Output) => Uint8Array) | undefined };

/** Writes pieces as they come, no faster than the reader takes them. Gives the outcome; null if the pieces end without one. */
export async function pour(session: Session, { pieces, decorate = ({ bytes }) => bytes }: Pouring): Promise<Job | null> {
  for await (const piece of pieces) {
    switch (piece.kind) {
      case "output":
        await write(piece.stream === "stderr" ? session.stderr : session.stdout, decorate(piece));
        break;
      case "lost":
        report(session, `${piece.lostBytes} bytes of output are missing here: they could not be kept`);
        break;
      case "outcome":
        return piece.job;
    }
  }
  return null;
}
