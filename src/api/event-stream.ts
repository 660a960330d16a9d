import type { Changes, Start } from "./changes.ts";

export type Reading = {
  scope: string | null; // report only the jobs of this owner; null: all
  signal: AbortSignal;
  /** Waits until this reader may catch up. Resolves with the function that ends its turn. */
  takeTurn: () => Promise<() => void>;
};

/** The largest chunk that is sent while a reader catches up: a stalled reader keeps one in memory. */
const chunkBytes = 16 * 1024;
const heartbeatMs = 15_000; // proxies close connections that are silent for longer
const heartbeat = Buffer.from(":\n\n");

/**
 * Changes of jobs' states as server-sent events. An ID is `LOG-NUMBER-END`: LOG and NUMBER are a position in the log of this run of the
 * service. END is the last end of a job that was committed: a later run of the service finds what has changed since. Throws if a reader is
 * so slow that the rest of an event was dropped before it was sent.
 */
export async function* eventStream(changes: Changes, start: Start, reading: Reading): AsyncGenerator<Buffer> {
  const { log, source } = changes;
  const { scope, signal } = reading;
  let position = { number: start.kind === "position" ? start.number : log.last, parts: 0 };
  let end = start.kind === "position" ? start.end : source.lastEnd();
  let isMissing = start.kind === "not-in-log";
  if (start.kind === "now") yield Buffer.from(`: changes of state from now on\nid: ${changes.id(log.last)}\n\n`);
  else yield Buffer.from(": changes of state from where you were\n\n");
  while (!signal.aborted) {
    const endBefore = source.lastEnd();
    const read = isMissing ? { kind: "missing" as const } : log.read(position, scope);
    if (read.kind === "missing") {
      if (position.parts > 0) throw new Error("a reader of events was so slow that the rest of its event was dropped");
      position = { number: log.last, parts: 0 };
      const since = isMissing && start.kind === "not-in-log" ? start.end : end;
      isMissing = false;
      yield* reportMissed(changes, { ...reading, since, id: changes.id(position.number) });
      end = endBefore;
    } else if (read.bytes.length > 0) {
      yield read.bytes;
      position = read.position;
    } else {
      position = read.position;
      end = endBefore; // all ends up to this one have been reported
      if ((await log.more(position, { signal, limitMs: heartbeatMs })) === "idle") yield heartbeat;
    }
  }
}

type Missed = Reading & { since: number | null; id: string };

/**
 * Reports that changes may be missing, and then the latest state of each job that may have changed. The ID is sent last, so a reader that
 * disconnects meanwhile gets all of it again.
 */
async function* reportMissed({ log, source }: Changes, { scope, signal, takeTurn, since, id }: Missed): AsyncGenerator<Buffer> {
  const turn = takeTurn();
  for (let isWaiting = true; isWaiting && !signal.aborted;) {
    const waited = log.more({ number: Infinity, parts: 0 }, { signal, limitMs: heartbeatMs });
    isWaiting = (await Promise.race([turn.then(() => "turn" as const), waited])) !== "turn";
    if (isWaiting) yield heartbeat;
  }
  if (signal.aborted) return void turn.then((endTurn) => endTurn());
  const endTurn = await turn;
  try {
    const { isWhole, jobs } = source.missedSince(since ?? Number.MAX_SAFE_INTEGER, scope);
    const Message = isWhole
      ? "changes may be missing here: the latest state of every job that may have changed follows"
      : "changes may be missing here, also of finished jobs: the latest state of every unfinished job follows, and GET /jobs lists all";
    yield Buffer.from(`event: missing\ndata: ${JSON.stringify({ IsWhole: isWhole, Message })}\n\n`);
    for (const json of jobs) {
      const text = Buffer.from(`event: job\ndata: ${json}\n\n`);
      for (let at = 0; at < text.length; at += chunkBytes) yield text.subarray(at, at + chunkBytes);
    }
    yield Buffer.from(`id: ${id}\n\n`);
  } finally {
    endTurn();
  }
}
