import assert from "node:assert/strict";
import { test } from "node:test";
import { durationOf } from "../src/cli/job-format.ts";

test("a duration has its two largest units, and is rounded before it is divided into them", () => {
  const expected: [ms: number, text: string][] = [
    [0, "0ms"],
    [850, "850ms"],
    [4200, "4.2s"],
    [9949, "9.9s"],
    [9960, "10s"],
    [59_400, "59s"],
    [59_600, "1m00s"],
    [192_000, "3m12s"],
    [3_599_600, "1h00m"],
    [18_180_000, "5h03m"],
    [86_399_600, "1d00h"],
    [187_200_000, "2d04h"],
  ];
  for (const [ms, text] of expected) assert.equal(durationOf(ms), text, `${ms} ms`);
});
