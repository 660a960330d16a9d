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

/** What a reader must know of the job. */
export type AttachSource = {
  directory: string; // need not exist yet
  watchers: OutputWatchers;
  /** True when the output is whole; also where the job is unknown by now. A change to true is followed by a wake of the watchers. */
  isFinished: () => boolean;
  /** The job as it ended, as JSON shows it; null where it is unknown by now. Asked once, when it is finished and its output was read. */
  outcome: () => object | null;
};

export type AttachOptions = {
  encoding: "raw" | "ndjson" | "sse";
  /** Of the output file, also with a filter. An offset that a running job has not come to is waited for. */
  offset: number;
  /** How far back from what is there now: so many lines (of what the filter leaves), and no further back than `offset`. */
  tail: number | null;
  /** False: what is there now; of a job that is not finished no outcome then. */
  follow: boolean;
  stream: Stream | null;
  step: number | null;
  timestamps: boolean; // raw only: the others have them
  /**
   * Where to stop, exclusive; null: nowhere, and the encoded forms end with the outcome. An end that a running job has not come to is
   * waited for.
   */
  end: number | null;
};

/** Proxies close what is silent for longer: nginx after 60 s, others after 30. */
const heartbeatMs = 15_000;

/** Of all readers: the event loop is one. */
const slices = new Slices();

/** How many bytes of output there are now. */
export async function outputSize(directory: string): Promise<number> {
  try {
    return (await stat(join(directory, "output"))).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0; // it never started, or not yet
    throw error;
  }
}

/**
 * The output of a job in chunks: what is there, then what comes, until the job is finished or the signal aborts. The bytes of a chunk stay
 * as they are until the chunk after the next is asked for; to keep one for longer, copy it.
 */
export async function* attach(source: AttachSource, options: AttachOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const isPlain = options.encoding === "raw" && options.stream === null && options.step === null && !options.timestamps;
  const path = join(source.directory, isPlain ? "output" : "index"); // records are written after the bytes that they are of
  const { follow } = options;
  using waiting = new Waiting({ path, watchers: source.watchers, follow, isFinished: source.isFinished, signal });
  yield* isPlain ? attachPlain(source, options, waiting) : attachEncoded(source, options, waiting);
}

async function* attachPlain({ directory, watchers }: AttachSource, options: AttachOptions, waiting: Waiting): AsyncGenerator<Buffer> {
  const { files } = watchers;
  await using file = yield* openWhenThere<never>(watchers, { path: join(directory, "output"), waiting, beat: null });
  if (file === null) return;
  const start = await startOf(options, { output: file, index: new IndexFile(null) });
  // Without following, what is there now is all: a job that writes faster than its reader takes would never end.
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
  // Where a supervisor came no further, there are bytes without an index.
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
 * Null where the job, or the wait for it, ended without one. A job may be in the queue for hours: there is a beat, where one is given,
 * whenever it is time for one.
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
