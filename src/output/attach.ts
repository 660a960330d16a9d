import { stat } from "node:fs/promises";
import { join } from "node:path";
import { bytesEncoder, type Encoder, eventsEncoder, ndjsonEncoder, timestampsEncoder } from "./encoders.ts";
import { IndexFile, type Stream } from "./index-file.ts";
import { followPieces, type Piece } from "./pieces.ts";
import { followBytes } from "./raw.ts";
import type { SharedFile } from "./shared-file.ts";
import { Slices } from "./slices.ts";
import { findTail } from "./tail.ts";
import { Waiting } from "./waiting.ts";
import type { OutputWatchers } from "./watcher.ts";
import { codeOf } from "../lib/error-code.ts";

/** What a reader must know about the job. */
export type AttachSource = {
  directory: string; // the job's directory, which need not exist yet
  watchers: OutputWatchers;
  /** Whether the output is complete. True also if the job was removed. After a change to true, the watchers are woken. */
  isFinished: () => boolean;
  /** The finished job, as JSON shows it; null: it was removed. Called once, when the job is finished and its output was read. */
  outcome: () => object | null;
};

export type AttachOptions = {
  encoding: "raw" | "ndjson" | "sse";
  /** An offset in the output file, also with a filter. If the output of a running job is shorter, the reader waits. */
  offset: number;
  /** Begin this many lines (of the filtered output) before the present end, but not before `offset`. */
  tail: number | null;
  /** False: only the output that is there now, without an outcome if the job is not finished. */
  follow: boolean;
  stream: Stream | null;
  step: number | null;
  timestamps: boolean; // for raw output only: the other forms always have them
  /**
   * Where to stop, exclusive. If the output of a running job is shorter, the reader waits. Null: at the output's end; then the encoded
   * forms end with the outcome.
   */
  end: number | null;
};

/** Proxies close connections that are silent for longer: nginx after 60 s, others after 30 s. */
const heartbeatMs = 15_000;

/** Shared by all readers, because there is one event loop. */
const slices = new Slices();

/** How many bytes of output there are now. */
export async function outputSize(directory: string): Promise<number> {
  try {
    return (await stat(join(directory, "output"))).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0; // the job has not started, or never did
    throw error;
  }
}

/**
 * The output of a job in chunks: what is there, then what follows, until the job is finished or the signal aborts. A chunk's bytes are
 * valid until the chunk after the next one is requested. To keep a chunk for longer, copy it.
 */
export async function* attach(source: AttachSource, options: AttachOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const isPlain = options.encoding === "raw" && options.stream === null && options.step === null && !options.timestamps;
  const path = join(source.directory, isPlain ? "output" : "index"); // a record is written after the bytes that it describes
  const { follow } = options;
  using waiting = new Waiting({ path, watchers: source.watchers, follow, isFinished: source.isFinished, signal });
  yield* isPlain ? attachPlain(source, options, waiting) : attachEncoded(source, options, waiting);
}

async function* attachPlain({ directory, watchers }: AttachSource, options: AttachOptions, waiting: Waiting): AsyncGenerator<Buffer> {
  const { files } = watchers;
  await using file = yield* openWhenThere<never>(watchers, { path: join(directory, "output"), waiting, beat: null });
  if (file === null) return;
  const start = await startOf(options, { output: file, index: new IndexFile(null) });
  // Without following, the end is fixed now. Otherwise reading a job that writes faster than its reader would never end.
  const end = Math.min(options.end ?? Infinity, options.follow ? Infinity : await file.size());
  yield* followBytes({ file, files, waiting }, { start, end });
}

async function* attachEncoded(source: AttachSource, options: AttachOptions, waiting: Waiting): AsyncGenerator<Buffer> {
  const encoder = encoderFor(options);
  const endsWhole = options.follow || source.isFinished();
  for await (const pieces of attachPieces(source, options, waiting)) {
    const chunks = encoder.encode(pieces)[Symbol.iterator]();
    const nextChunk = (): Promise<IteratorResult<Buffer, unknown>> => slices.run(() => chunks.next());
    for (let next = await nextChunk(); next.done !== true; next = await nextChunk()) if (next.value.length > 0) yield next.value;
  }
  if (waiting.isAborted) return;
  const last = encoder.end(endsWhole && options.end === null ? source.outcome() : null);
  if (last.length > 0) yield last;
}

async function* attachPieces({ directory, watchers }: AttachSource, options: AttachOptions, waiting: Waiting): AsyncGenerator<Piece[]> {
  // If a supervisor was killed, there may be bytes without a record.
  await using indexFile = yield* openWhenThere<Piece[]>(watchers, { path: join(directory, "index"), waiting, beat: [] });
  await using output = yield* openWhenThere<Piece[]>(watchers, { path: join(directory, "output"), waiting, beat: [] });
  if (output === null) return;
  const index = new IndexFile(indexFile);
  const filter = { stream: options.stream, step: options.step };
  const start = await startOf(options, { output, index });
  yield* followPieces({ output, index, waiting, filter, start, end: options.end ?? Infinity, idleMs: heartbeatMs });
}

type Opening<Beat> = { path: string; waiting: Waiting; beat: Beat | null };

/**
 * Waits for a file of the job, and opens it. Null: the job, or the wait, ended without one. A job may be in the queue for hours, so this
 * yields a heartbeat from time to time, if `beat` makes one.
 */
async function* openWhenThere<Beat>(
  { files }: OutputWatchers,
  { path, waiting, beat }: Opening<Beat>,
): AsyncGenerator<Beat, SharedFile | null> {
  for (;;) {
    const isLastCheck = waiting.isLastCheck();
    const file = await files.open(path, { isHot: !isLastCheck });
    if (file !== null || isLastCheck) return file;
    if ((await waiting.more(heartbeatMs)) === "idle" && beat !== null) yield beat;
  }
}

async function startOf({ offset, tail, stream, step }: AttachOptions, files: { output: SharedFile; index: IndexFile }): Promise<number> {
  if (tail === null) return offset;
  return Math.max(offset, await findTail({ ...files, filter: { stream, step } }, tail));
}

function encoderFor({ encoding, timestamps }: AttachOptions): Encoder {
  switch (encoding) {
    case "raw":
      return timestamps ? timestampsEncoder() : bytesEncoder;
    case "ndjson":
      return ndjsonEncoder();
    case "sse":
      return eventsEncoder();
  }
}
