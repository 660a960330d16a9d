import { strict as assert } from "node:assert";
import { test } from "node:test";
import { EventLog, type LogBounds, type LogPosition } from "../src/api/event-log.ts";

/** Which events are kept, for which readers, and which are dropped first. */

const bounds: LogBounds = { keptMs: Infinity, maxBytes: 1000, maxEvents: 100 };

function textOf(bytes: number): (number: number) => string {
  return (number) => `${number};`.padEnd(bytes, "x");
}

/** All events after a position for a scope, as text; null if some are missing. */
function readAll(log: EventLog, from: number, scope: string | null): string | null {
  const chunks: Buffer[] = [];
  for (let position: LogPosition = { number: from, parts: 0 }; ;) {
    const read = log.read(position, scope);
    if (read.kind === "missing") return null;
    if (read.bytes.length === 0) return Buffer.concat(chunks).toString();
    chunks.push(read.bytes);
    position = read.position;
  }
}

function numbersIn(text: string | null): number[] | null {
  return text === null ? null : [...text.matchAll(/(\d+);/g)].map(([, number]) => Number(number));
}

test("each reader gets the events of its scope, in order, from any position", () => {
  const log = new EventLog(bounds);
  for (const owner of ["a", "b", null, "a"]) log.add(owner, textOf(10));
  assert.deepEqual(numbersIn(readAll(log, 0, null)), [1, 2, 3, 4]);
  assert.deepEqual(numbersIn(readAll(log, 1, "a")), [4]);
  assert.deepEqual(numbersIn(readAll(log, 0, "b")), [2]);
  assert.deepEqual(numbersIn(readAll(log, 4, null)), []);
  assert.deepEqual(numbersIn(readAll(log, 0, "nobody")), []);
});

test("a large event is delivered in parts with buffers of their own, complete and in order", () => {
  const log = new EventLog({ ...bounds, maxBytes: 1 << 20 });
  const sizes = [10, 300_000, 65_536, 65_537, 10];
  for (const bytes of sizes) log.add("a", textOf(bytes));
  for (const scope of ["a", null]) assert.equal(readAll(log, 0, scope), sizes.map((bytes, index) => textOf(bytes)(index + 1)).join(""));
  const read = log.read({ number: 1, parts: 0 }, null);
  assert.ok(
    read.kind === "bytes" && read.bytes.length === 65_536 && read.bytes.buffer.byteLength < 100_000,
    "who holds a part holds no more",
  );
});

test("when the log is full, it drops events of the owner with the most bytes, and other owners miss nothing", () => {
  const log = new EventLog(bounds);
  log.add("small", textOf(100));
  for (let count = 0; count < 50; count += 1) log.add("large", textOf(100));
  assert.deepEqual(numbersIn(readAll(log, 0, "small")), [1]);
  assert.equal(readAll(log, 0, "large"), null);
  assert.deepEqual(numbersIn(readAll(log, 42, "large")), [43, 44, 45, 46, 47, 48, 49, 50, 51]);
  assert.equal(readAll(log, 0, null), null);
  assert.deepEqual(numbersIn(readAll(log, 50, null)), [51]);
});

test("dropped and cleared events are reported as missing", () => {
  const log = new EventLog({ ...bounds, maxEvents: 3 });
  for (let count = 0; count < 5; count += 1) log.add("a", textOf(10));
  for (const scope of ["a", null]) {
    assert.equal(readAll(log, 1, scope), null);
    assert.deepEqual(numbersIn(readAll(log, 2, scope)), [3, 4, 5]);
  }
  log.clear();
  for (const scope of ["a", null]) assert.equal(readAll(log, 5, scope), null);
  assert.deepEqual(numbersIn(readAll(log, log.last, null)), []);
});

test("a waiting reader is woken by the next event, by its timeout, or by its abort signal", async () => {
  const log = new EventLog(bounds);
  const gone = new AbortController();
  const [position, signal] = [{ number: 0, parts: 0 }, gone.signal];
  const many = Array.from({ length: 100 }, () => log.more(position, { signal, limitMs: 60_000 }));
  log.add(null, textOf(10));
  assert.deepEqual(new Set(await Promise.all(many)), new Set(["woken"]));
  assert.equal(await log.more({ number: 1, parts: 0 }, { signal, limitMs: 1 }), "idle");
  const waiting = log.more({ number: 1, parts: 0 }, { signal, limitMs: 60_000 });
  gone.abort();
  assert.equal(await waiting, "woken");
});
