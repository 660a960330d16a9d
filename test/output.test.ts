import { strict as assert } from "node:assert";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { outputSize } from "../src/output/attach.ts";
import { WrittenJob } from "./helper/written-job.ts";

const hostile = Buffer.concat([Buffer.from("a\0b\r\n\n"), Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x80]), Buffer.from("é\u2028😀\n")]);

test("a finished job's output is its bytes: NUL, invalid UTF-8, a line of 10 MB", async (t) => {
  const line = Buffer.concat([Buffer.alloc(10_000_000, "x"), Buffer.from("\n")]);
  const job = new WrittenJob(t).start().write({ data: hostile }, { data: line }, { data: hostile, stream: "stderr" }).end();
  assert.deepEqual(await job.read(), Buffer.concat([hostile, line, hostile]));
  assert.equal(await outputSize(job.directory), job.bytes);
});

test("output that is read in large chunks has the same bytes", async (t) => {
  const data = Buffer.alloc(40_000_000);
  for (let at = 0; at < data.length; at += 4) data.writeUInt32LE(at, at);
  const job = new WrittenJob(t).start().write({ data }).end();
  for (const range of [{}, { offset: 1 }, { offset: 12_345_678, end: 35_000_001 }]) {
    const expected = data.subarray(range.offset ?? 0, range.end ?? data.length);
    assert.ok((await job.read(range)).equals(expected), JSON.stringify(range));
  }
});

test("the output of a job without output, and of one killed before it had a directory, is empty", async (t) => {
  assert.equal(await new WrittenJob(t).start().end().text(), "");
  const killed = new WrittenJob(t).end();
  assert.equal(await killed.text(), "");
  assert.equal(await outputSize(killed.directory), 0);
  assert.equal(await killed.text({ encoding: "ndjson" }), '{"Outcome":{"State":"Succeeded"}}\n');
});

test("reading starts at an offset, also after the end", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "0123456789" }).end();
  assert.equal(await job.text({ offset: 3 }), "3456789");
  assert.equal(await job.text({ offset: 10 }), "");
  assert.equal(await job.text({ offset: 1e12 }), "");
  assert.equal(await job.text({ offset: 3, end: 6 }), "345");
});

test("with a filter, the offset is still that of the output file", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "out1\n" }, { data: "err1\n", stream: "stderr" }, { data: "out2\n" }).end();
  assert.equal(await job.text({ offset: 2, stream: "stdout" }), "t1\nout2\n");
  assert.equal(await job.text({ offset: 7, stream: "stderr" }), "r1\n");
  assert.equal(await job.text({ offset: 10, stream: "stderr" }), "");
});

test("a stream or a step selects its bytes, in order", async (t) => {
  const job = new WrittenJob(t).start();
  job.write(
    { data: "a", step: 1 },
    { data: "b", step: 1, stream: "stderr" },
    { data: "c", step: 2 },
    { data: "d", step: 2, stream: "stderr" },
  );
  job.end();
  assert.equal(await job.text({ stream: "stdout" }), "ac");
  assert.equal(await job.text({ stream: "stderr" }), "bd");
  assert.equal(await job.text({ step: 2 }), "cd");
  assert.equal(await job.text({ step: 2, stream: "stderr" }), "d");
  assert.equal(await job.text({ step: 3 }), "");
});

test("tail starts at the last lines of the current output", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "1\n22\n\n" }, { data: "e\n", stream: "stderr" }, { data: "44\nrest" }).end();
  assert.equal(await job.text({ tail: 0 }), "");
  assert.equal(await job.text({ tail: 1 }), "rest");
  assert.equal(await job.text({ tail: 2 }), "44\nrest");
  assert.equal(await job.text({ tail: 4 }), "\ne\n44\nrest");
  assert.equal(await job.text({ tail: 100 }), "1\n22\n\ne\n44\nrest");
  assert.equal(await job.text({ tail: 3, stream: "stdout" }), "\n44\nrest");
  assert.equal(await job.text({ tail: 1, stream: "stderr" }), "e\n");
  assert.equal(await job.text({ tail: 3, offset: 10 }), "\nrest");
});

test("a tail line may be longer than one read", async (t) => {
  const long = `${"x".repeat(300_000)}\n`;
  const job = new WrittenJob(t).start().write({ data: long }, { data: "e", stream: "stderr" }, { data: long }, { data: long }).end();
  assert.ok((await job.text({ tail: 2 })) === `e${long}${long}`);
  assert.ok((await job.text({ tail: 3, stream: "stdout" })) === long + long + long);
});

test("without following, a reader of a running job gets the current output, and no outcome", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "now\n" });
  assert.equal(await job.text({ follow: false }), "now\n");
  assert.equal(await job.text({ follow: false, stream: "stderr" }), "");
  assert.doesNotMatch(await job.text({ follow: false, encoding: "ndjson" }), /Outcome/);
  assert.match(await job.end().text({ follow: false, encoding: "ndjson" }), /Outcome/);
});

test("timestamps are the times at which the first bytes of lines were read", async (t) => {
  const job = new WrittenJob(t).start();
  job.write({ data: "one\ntw" }, { data: "o\n" }, { data: "\nlast", stream: "stderr" }).writeUnrecorded("!\nunknown\n").end();
  const [first, , third] = ["2027-01-15T08:00:00.000000Z", "", "2027-01-15T08:00:02.000000Z"];
  const expected = `${first} one\n${first} two\n${third} \n${third} last!\n- unknown\n`;
  assert.equal(await job.text({ timestamps: true }), expected);
  assert.equal(await job.text({ timestamps: true, stream: "stderr" }), `${third} \n${third} last`);
  assert.equal(await job.text({ timestamps: true, tail: 1 }), "- unknown\n");
});

test("NDJSON gives offset, time, step and stream, and ends with the outcome", async (t) => {
  const job = new WrittenJob(t).start();
  job.write({ data: "hello\n" }, { data: Buffer.from([0xff, 0]), stream: "stderr", step: 2 }, { data: "", lostBytes: 7, step: 2 });
  assert.deepEqual(linesOf(await job.end().text({ encoding: "ndjson" })), [
    { Offset: 0, Time: "2027-01-15T08:00:00.000000Z", Step: 1, Stream: "stdout", Data: "hello\n" },
    { Offset: 6, Time: "2027-01-15T08:00:01.000000Z", Step: 2, Stream: "stderr", Data: "/wA=", Encoding: "base64" },
    { Offset: 8, Time: "2027-01-15T08:00:02.000000Z", Step: 2, Stream: "stdout", LostBytes: 7 },
    { Outcome: { State: "Succeeded" } },
  ]);
});

test("characters are not split over lines, however they were written", async (t) => {
  const text = "aé😀\u0800z";
  const job = new WrittenJob(t).start();
  for (const byte of Buffer.from(text)) job.write({ data: Buffer.from([byte]) });
  const lines = linesOf(await job.end().text({ encoding: "ndjson" }));
  assert.deepEqual(
    lines.slice(0, -1).map(({ Data }) => Data),
    ["a", "é", "😀", "\u0800", "z"],
  );
});

test("a character that another stream interrupts is given as bytes; an incomplete one does not affect its neighbours", async (t) => {
  const [head, tail] = [Buffer.from([0xf0, 0x9f]), Buffer.from([0x98, 0x80])];
  const job = new WrittenJob(t).start();
  job.write({ data: Buffer.concat([Buffer.from("a"), head]) }, { data: "err", stream: "stderr" }, { data: tail });
  job.write({ data: Buffer.from([0xe9]) }, { data: "latin" }, { data: head }).end();
  const lines = linesOf(await job.text({ encoding: "ndjson" }));
  assert.deepEqual(
    lines.slice(0, -1).map(({ Data, Encoding }) => (Encoding === undefined ? Data : Buffer.from(String(Data), "base64"))),
    ["a", head, "err", tail, Buffer.from([0xe9]), "latin", head],
  );
});

test("bytes that a killed supervisor could not record have no time, step and stream", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "known\n" }).writeUnrecorded("unknown\n").end();
  assert.deepEqual(linesOf(await job.text({ encoding: "ndjson" }))[1], {
    Offset: 6,
    Time: null,
    Step: null,
    Stream: null,
    Data: "unknown\n",
  });
  assert.equal(await job.text({ stream: "stdout" }), "known\n");
});

test("an incomplete record, and one of bytes lost in a power cut, are ignored", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "bytes\n" });
  const record = Buffer.alloc(32);
  record.writeBigUInt64LE(1_000_000n);
  appendFileSync(join(job.directory, "index"), Buffer.concat([record, record.subarray(0, 20)]));
  assert.equal(linesOf(await job.end().text({ encoding: "ndjson" })).length, 2);
});

test("server-sent events carry the same JSON; resuming with any ID gives exactly the rest", async (t) => {
  const job = new WrittenJob(t).start();
  job.write({ data: "one\n" }, { data: "two é\n", stream: "stderr" }, { data: Buffer.from([0xff]) }, { data: "x".repeat(200_000) }).end();
  const events = eventsOf(await job.text({ encoding: "sse" }));
  assert.equal(events.at(-1)?.event, "outcome");
  const whole = await job.read();
  for (const { id } of events.slice(0, -1)) {
    const rest = eventsOf(await job.text({ encoding: "sse", offset: Number(id) })).slice(0, -1);
    const bytes = Buffer.concat(rest.map(({ data }) => dataOf(JSON.parse(data))));
    assert.ok(bytes.equals(whole.subarray(Number(id))), `from ${id}`);
  }
});

type Line = { Data?: string; Encoding?: string };

function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line): Line => JSON.parse(line));
}

function dataOf({ Data = "", Encoding }: Line): Buffer {
  return Buffer.from(Data, Encoding === "base64" ? "base64" : "utf8");
}

function eventsOf(text: string): { id: string; event: string; data: string }[] {
  const field = (block: string, name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
  const blocks = text.split("\n\n").slice(0, -1);
  return blocks.map((block) => ({ id: field(block, "id"), event: field(block, "event"), data: field(block, "data") }));
}
