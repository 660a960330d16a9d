import { strict as assert } from "node:assert";
import { isUtf8 } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { formatTime } from "../src/job/facts.ts";
import type { AttachOptions } from "../src/output/attach.ts";
import { isTorture } from "./helper/torture.ts";
import { type Write, WrittenJob } from "./helper/written-job.ts";

/** Bytes that are hard on readers: ends and middles of characters, lines of all lengths, what is longer than a read. */
const fragments = [
  fc.constantFrom("\n", "a", "é", "😀", "line\n", "\n\n", "\0", "\r\n", '"\\', "\u2028").map((text) => Buffer.from(text)),
  fc.constantFrom([0xc3], [0xa9], [0xf0], [0x9f, 0x98], [0x80], [0xff], [0xe0, 0x80]).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 60_000, max: 140_000 }).map((length) => Buffer.alloc(length, "long é ")),
];
const write = fc.record<Required<Write>>({
  data: fc.array(fc.oneof({ weight: 10, arbitrary: fragments[0]! }, ...fragments.slice(1)), { maxLength: 4 }).map((parts) => Buffer.concat(parts)),
  stream: fc.constantFrom("stdout", "stderr"),
  step: fc.integer({ min: 1, max: 3 }),
  lostBytes: fc.constantFrom(0, 0, 0, 5),
});
