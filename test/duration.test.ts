import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsedMs, longDuration, shortDuration } from "../src/lib/duration.ts";

test("a duration has its two largest units, and is rounded before it is divided into them", () => {
  const expected: [ms: number, short: string, long: string][] = [
    [0, "0ms", "0 ms"],
    [850, "850ms", "850 ms"],
    [999.6, "1.0s", "1.0 s"],
    [4200, "4.2s", "4.2 s"],
    [9949, "9.9s", "9.9 s"],
    [9960, "10s", "10 s"],
    [59_400, "59s", "59 s"],
    [59_600, "1m00s", "1 min 00 s"],
    [192_000, "3m12s", "3 min 12 s"],
    [3_599_600, "1h00m", "1 h 00 min"],
    [18_180_000, "5h03m", "5 h 03 min"],
    [86_399_600, "1d00h", "1 d 00 h"],
    [187_200_000, "2d04h", "2 d 04 h"],
  ];
  for (const [ms, short, long] of expected) assert.deepEqual([shortDuration(ms), longDuration(ms)], [short, long], `${ms} ms`);
});

test("the time that a job took is unknown if a clock was set back, and never negative", () => {
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
  assert.equal(elapsedMs({ StartedAt: null, EndedAt: null }, 0), null);
  assert.equal(elapsedMs({ StartedAt: at(100), EndedAt: at(103) }, 0), 3000);
  assert.equal(elapsedMs({ StartedAt: at(100), EndedAt: at(99) }, 0), null);
  assert.equal(elapsedMs({ StartedAt: at(100), EndedAt: null }, 102_000), 2000);
  assert.equal(elapsedMs({ StartedAt: at(100), EndedAt: null }, 70_000), 0, "the clock of the service may be ahead a little");
  assert.equal(elapsedMs({ StartedAt: at(100), EndedAt: null }, 30_000), null);
});
