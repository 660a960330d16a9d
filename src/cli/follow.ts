import type { Client, Job, Piece } from "../client/index.ts";
import { type Session, report, whileRead, write } from "./session.ts";
import { visible } from "./table.ts";

/** Writes a job's output to the streams that the job wrote it to. */

export type Output = Extract<Piece, { kind: "output" }>;

/** Writes all output until the job is finished, and gives the job. Reports what a job in the queue waits for. */
export async function follow(session: Session, client: Client, { id, signal }: { id: string; signal: AbortSignal }): Promise<Job> {
  const job = await whileRead(session, {
    signal,
    run: async (both) => {
      const timer = setTimeout(() => void reportQueued(session, client, { id, signal: both }), patienceMs);
      const onFirst = (): void => clearTimeout(timer);
      try {
        return await pour(session, { pieces: client.attach(id, { signal: both }), onFirst });
      } finally {
        onFirst();
      }
    },
  });
  if (job === null) throw new Error(`the output of the job ${id} ended without an outcome`);
  return job;
}

/** A job that is silent for this long may be in the queue. */
const patienceMs = 300;

async function reportQueued(session: Session, client: Client, { id, signal }: { id: string; signal: AbortSignal }): Promise<void> {
  try {
    const { State, Message } = await client.job(id, { signal });
    if (State === "Queued") report(session, Message === null ? "the job is queued" : `the job is queued: it ${visible(Message)}`);
  } catch {
    // The call that follows the output reports what is wrong.
  }
}

type Pouring = { pieces: AsyncIterable<Piece>; decorate?: ((piece: Output) => Uint8Array) | undefined; onFirst?: () => void };

/** Writes pieces as they come, no faster than the reader takes them. Gives the outcome; null if the pieces end without one. */
export async function pour(
  session: Session,
  { pieces, decorate = ({ bytes }) => bytes, onFirst = () => undefined }: Pouring,
): Promise<Job | null> {
  for await (const piece of pieces) {
    onFirst();
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
