import { strict as assert } from "node:assert";
import { isUtf8 } from "node:buffer";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { formatTime } from "../src/job/facts.ts";
import type { AttachOptions } from "../src/output/attach.ts";
import { isTorture } from "./helper/torture.ts";
import { WrittenJob } from "./helper/written-job.ts";

const numRuns = isTorture ? 20_000 : 300;

/** Difficult bytes for readers: incomplete characters, lines of all lengths, and pieces longer than a read. */
const text = fc.constantFrom("\n", "a", "é", "😀", "line\n", "\n\n", "\0", "\r\n", '"\\', "\u2028").map((part) => Buffer.from(part));
const broken = fc.constantFrom([0xc3], [0xa9], [0xf0], [0x9f, 0x98], [0x80], [0xff], [0xe0, 0x80]).map((part) => Buffer.from(part));
const random = fc.uint8Array({ maxLength: 20 }).map((part) => Buffer.from(part));
const long = fc.integer({ min: 60_000, max: 140_000 }).map((length) => Buffer.alloc(length, "long é "));
const fragment = fc.oneof(
  { weight: 12, arbitrary: text },
  { weight: 4, arbitrary: broken },
  { weight: 4, arbitrary: random },
  { weight: 1, arbitrary: long },
);

const write = fc.record({
  data: fc.array(fragment, { maxLength: 4 }).map((parts) => Buffer.concat(parts)),
  stream: fc.constantFrom("stdout" as const, "stderr" as const),
  step: fc.integer({ min: 1, max: 2 }),
  lostBytes: fc.constantFrom(0, 0, 0, 5),
});
type ModelWrite = typeof write extends fc.Arbitrary<infer T> ? T : never;

const options = fc.record({
  offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 300_000 })),
  stream: fc.constantFrom(null, "stdout" as const, "stderr" as const),
  step: fc.constantFrom(null, null, 1, 2),
});
type Selection = Pick<AttachOptions, "offset" | "stream" | "step"> & { tail?: number | null };

test("for any output, a reader with any offset, tail and filter gets exactly what it requested, in every encoding", async () => {
  const property = fc.asyncProperty(
    fc.array(write, { maxLength: 12 }),
    options,
    fc.constantFrom(null, 0, 1, 2, 5),
    async (writes, selected, tail) => {
      await withJob(async (job) => {
        job.write(...writes).end();
        await checkAll({ writes, selection: { ...selected, tail }, read: (how) => job.read({ ...selected, tail, ...how }) });
      });
    },
  );
  await fc.assert(property, { numRuns });
});

test("for any output that is written during reading, a reader gets exactly what it requested, in every encoding", async () => {
  const property = fc.asyncProperty(fc.array(write, { maxLength: 12 }), options, fc.nat(12), async (writes, selection, before) => {
    await withJob(async (job) => {
      job.write(...writes.slice(0, before));
      const reads = new Map(encodings.map((how) => [JSON.stringify(how), job.read({ ...selection, ...how })]));
      for (const next of writes.slice(before)) {
        await setImmediate();
        job.write(next);
      }
      job.end();
      await checkAll({ writes, selection, read: async (how) => (await reads.get(JSON.stringify(how))) ?? assert.fail() });
    });
  });
  const twoBegun = [{ data: Buffer.from([0xc2]) }, { data: Buffer.from([0x80, 0xc3]) }].map((part) => ({
    ...part,
    stream: "stderr" as const,
    step: 2,
    lostBytes: 0 as const,
  }));
  await fc.assert(property, { numRuns, examples: [[twoBegun, { offset: 0, stream: null, step: null }, 0]] });
});

test("for any output, resuming with the ID of any event gives exactly the rest", async () => {
  const property = fc.asyncProperty(fc.array(write, { maxLength: 12 }), options, fc.nat(), async (writes, selection, pick) => {
    await withJob(async (job) => {
      job.write(...writes).end();
      const ids = [...(await job.text({ ...selection, encoding: "sse" })).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
      const offset = ids[pick % Math.max(1, ids.length)] ?? selection.offset;
      const rest = piecesOf(
        (await job.text({ ...selection, offset, encoding: "sse" })).replaceAll(/^(id: \d+|id: end|event: outcome|)\n|^data: /gm, ""),
      );
      assert.deepEqual(Buffer.concat(rest.map(bytesOf)), expectedBytes(wantedOf(writes, { ...selection, offset })));
    });
  });
  await fc.assert(property, { numRuns });
});

const encodings: Partial<AttachOptions>[] = [{}, { timestamps: true }, { encoding: "ndjson" }, { encoding: "sse" }];

type Check = { writes: ModelWrite[]; selection: Selection; read: (how: Partial<AttachOptions>) => Promise<Buffer> };

async function checkAll({ writes, selection, read }: Check): Promise<void> {
  const wanted = wantedOf(writes, selection);
  assertSame(await read({}), expectedBytes(wanted));
  assertSame(await read({ timestamps: true }), expectedStamped(wanted));
  checkPieces(piecesOf(String(await read({ encoding: "ndjson" }))), writes, wanted);
  const events = String(await read({ encoding: "sse" }));
  checkPieces(piecesOf(events.replaceAll(/^(id: \d+|id: end|event: outcome|)\n|^data: /gm, "")), writes, wanted);
}

/** The bytes of one write that the reader wants. */
type Wanted = { offset: number; data: Buffer; write: number };

function wantedOf(writes: ModelWrite[], { offset, stream, step, tail = null }: Selection): Wanted[] {
  let end = 0;
  const matching = writes.flatMap(({ data, ...origin }, index): Wanted[] => {
    end += data.length;
    const isWanted = (stream ?? origin.stream) === origin.stream && (step ?? origin.step) === origin.step;
    return isWanted ? [{ offset: end - data.length, data, write: index }] : [];
  });
  const start = Math.max(offset, tail === null ? 0 : tailOf(matching, tail, end));
  return matching.flatMap((run) => {
    const skipped = Math.max(0, start - run.offset);
    return skipped >= run.data.length ? [] : [{ ...run, offset: run.offset + skipped, data: run.data.subarray(skipped) }];
  });
}

function tailOf(matching: Wanted[], lines: number, end: number): number {
  if (lines === 0) return end;
  const starts = matching.flatMap(({ offset, data }) =>
    [...data.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [offset + at + 1] : [])),
  );
  const lastByte = matching.findLast(({ data }) => data.length > 0);
  const lastEnd = lastByte === undefined ? 0 : lastByte.offset + lastByte.data.length;
  return starts.filter((start) => start !== lastEnd).at(-lines) ?? 0;
}

function expectedBytes(wanted: Wanted[]): Buffer {
  return Buffer.concat(wanted.map(({ data }) => data));
}

function expectedStamped(wanted: Wanted[]): Buffer {
  let isAtLineStart = true;
  const parts = wanted.flatMap(({ data, write }) =>
    data
      .toString("latin1")
      .split(/(?<=\n)/)
      .filter((part) => part !== "")
      .map((part) => {
        const prefix = isAtLineStart ? `${formatTime(timeOf(write))} ` : "";
        isAtLineStart = part.endsWith("\n");
        return prefix + part;
      }),
  );
  return Buffer.from(parts.join(""), "latin1");
}

function checkPieces(pieces: Piece[], writes: ModelWrite[], wanted: Wanted[]): void {
  assert.deepEqual(pieces.at(-1), { Outcome: { State: "Succeeded" } });
  const lines = pieces.slice(0, -1).filter(({ LostBytes }) => LostBytes === undefined);
  assertSame(Buffer.concat(lines.map(bytesOf)), expectedBytes(wanted));
  for (const line of lines) {
    const run = wanted.findLast(({ offset }) => offset <= (line.Offset ?? -1));
    const { stream, step } = writes[run?.write ?? -1] ?? assert.fail("bytes that were not asked for");
    assert.deepEqual([line.Stream, line.Step, line.Time], [stream, step, formatTime(timeOf(run?.write ?? -1))]);
  }
  const areWhole = runsOf(writes, wanted).every((run) => isUtf8(run));
  if (areWhole)
    assert.ok(
      lines.every(({ Encoding }) => Encoding === undefined),
      "no character is split",
    );
}

/** Ranges of bytes without another stream or step and without a gap in between. */
function runsOf(writes: ModelWrite[], wanted: Wanted[]): Buffer[] {
  const runs: Buffer[] = [];
  let last: Wanted | null = null;
  for (const next of wanted) {
    const [a, b] = [writes[last?.write ?? -1], writes[next.write]];
    const between = writes.slice(last?.write, next.write);
    const isOneRun = a?.stream === b?.stream && a?.step === b?.step && between.every(({ lostBytes }) => lostBytes === 0);
    const isNext = last !== null && last.offset + last.data.length === next.offset;
    runs.push(isOneRun && isNext ? Buffer.concat([runs.pop() ?? Buffer.alloc(0), next.data]) : next.data);
    last = next;
  }
  return runs;
}

type Piece = Partial<{
  Offset: number;
  Time: string;
  Step: number;
  Stream: string;
  Data: string;
  Encoding: string;
  LostBytes: number;
  Outcome: object;
}>;

function piecesOf(lines: string): Piece[] {
  return lines
    .split("\n")
    .slice(0, -1)
    .map((line): Piece => JSON.parse(line));
}

function bytesOf({ Data = "", Encoding }: Piece): Buffer {
  return Buffer.from(Data, Encoding === "base64" ? "base64" : "utf8");
}

const timeOf = (record: number): bigint => 1_800_000_000_000_000_000n + BigInt(record) * 1_000_000_000n;

function assertSame(actual: Buffer, expected: Buffer): void {
  if (!actual.equals(expected)) assert.fail(`${excerpt(actual)} instead of ${excerpt(expected)}`);
}

const excerpt = (bytes: Buffer): string => `${bytes.length} bytes ${JSON.stringify(bytes.subarray(0, 300).toString("latin1"))}`;

async function withJob(use: (job: WrittenJob) => Promise<void>): Promise<void> {
  const job = new WrittenJob().start();
  try {
    await use(job);
    assert.equal(job.watchers.files.size, 0);
  } finally {
    job.remove();
  }
}
