import type { Changes, Start } from "./changes.ts";

export type Reading = {
  scope: string | null; // the owner whose jobs alone are told of; null: all
  signal: AbortSignal;
  /** Resolves with its end when it is this reader's turn to be told what it missed. */
  takeTurn: () => Promise<() => void>;
};

/** So much one reader that takes nothing may hold of what is sent to it. */
const chunkBytes = 16 * 1024;
const heartbeatMs = 15_000; // proxies close what is silent for longer
const heartbeat = Buffer.from(":\n\n");

/**
 * Changes of jobs' states as server-sent events. Ids are `LOG-NUMBER-END`: the position in the log of changes, which is the running
 * service's own, and the last end that was committed, by which a later one knows what has changed since. Throws where a reader is so slow
 * that the rest of an event is not kept any more.
 */
export async function* eventStream(changes: Changes, start: Start, reading: Reading): AsyncGenerator<Buffer> {
  const { log, source } = changes;
  const { scope, signal } = reading;
  let position = { number: start.kind === "position" ? start.number : log.last, parts: 0 };
  let end = start.kind === "position" ? start.end : source.lastEnd();
  let isMissing = start.kind === "elsewhere";
  if (start.kind === "now") yield Buffer.from(`: changes of state from now on\nid: ${changes.id(log.last)}\n\n`);
  else yield Buffer.from(": changes of state from where you were\n\n");
  while (!signal.aborted) {
    const endBefore = source.lastEnd();
    const read = isMissing ? { kind: "missing" as const } : log.read(position, scope);
    if (read.kind === "missing") {
      if (position.parts > 0) throw new Error("a reader of events took one so slowly that it is not kept any more");
      position = { number: log.last, parts: 0 };
      const since = isMissing && start.kind === "elsewhere" ? start.end : end;
      isMissing = false;
      yield* reportMissed(changes, { ...reading, since, id: changes.id(position.number) });
      end = endBefore;
    } else if (read.bytes.length > 0) {
      yield read.bytes;
      position = read.position;
    } else {
      position = read.position;
      end = endBefore; // all that was told of up to here
      if ((await log.more(position, { signal, limitMs: heartbeatMs })) === "idle") yield heartbeat;
    }
  }
}

type Missed = Reading & { since: number | null; id: string };

/**
 * That changes may be missing, and the latest state of each job that may have changed; the id comes behind, so that who breaks off hears it
 * all again.
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
      : "changes may be missing here, also of jobs that are finished: the latest state of those that are not follows, and GET /jobs has " +
        "all";
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
