import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { cutTo, padded, widthOf } from "../src/cli/display-width.ts";
import { nameFor } from "../src/cli/job-format.ts";
import { type Column, table } from "../src/cli/table.ts";

const stream = new PassThrough();
/** An "e" with a combining accent, a family of four and a flag: one character each. */
const [accented, family, flag] = ["e\u0301", "👨‍👩‍👧‍👦", "🇩🇪"];

test("columns of a table are aligned whatever takes two columns of the screen, or none", () => {
  const rows = ["plain", "数据库备份", `caf${accented}`, `${family}${flag}`].map((name) => [name, "end"]);
  const lines = table(["NAME", "STATE"], rows, { stream });
  assert.deepEqual(lines, [
    "NAME        STATE",
    "plain       end",
    "数据库备份  end",
    `caf${accented}        end`,
    `${family}${flag}        end`,
  ]);
});

test("columns without room on the screen are left out from the right; those that may be cut are cut between characters", () => {
  const cuttable = [
    { title: "A", minWidth: 3 },
    { title: "B", minWidth: 3 },
  ];
  const rows = [["数据库", "库备份"]];
  const lines = (columns: Column[], width: number): string[] => table(columns, rows, { stream, width });
  assert.deepEqual(lines(cuttable, 14), ["A       B", "数据库  库备份"]);
  assert.deepEqual(lines(cuttable, 13), ["A       B", "数据库  库备…"]);
  assert.deepEqual(lines(cuttable, 10), ["A      B", "数据…  库…"]);
  assert.deepEqual(lines(cuttable, 7), ["A", "数据库"]);
  assert.deepEqual(lines(cuttable, 5), ["A", "数据…"]);
  assert.deepEqual(lines(["A", "B"], 13), ["A", "数据库"]);
  assert.deepEqual(lines(["A", "B"], 3), ["A", "数…"], "the first column is always shown");
});

test("a long name is cut between characters, and fits the columns with its ellipsis", () => {
  assert.equal(nameFor("a".repeat(32)), "a".repeat(32));
  assert.equal(nameFor("a".repeat(33)), `${"a".repeat(31)}…`);
  assert.equal(nameFor("数".repeat(16)), "数".repeat(16));
  assert.equal(nameFor("数".repeat(17)), `${"数".repeat(15)}…`);
  assert.equal(nameFor(accented.repeat(32)), accented.repeat(32));
  assert.equal(nameFor(`${"a".repeat(30)}${family}${flag}`), `${"a".repeat(30)}…`);
  assert.equal(nameFor(`${"a".repeat(31)}👍`), `${"a".repeat(31)}…`);
});

test("text is padded and cut by columns", () => {
  assert.deepEqual(["数据", accented, family, flag, "a\u200b"].map(widthOf), [4, 1, 2, 2, 1]);
  assert.equal(padded("数", 4), "数  ");
  assert.equal(padded("数据", 3), "数据");
  assert.equal(cutTo("数据", 3), "数");
  assert.equal(cutTo(`${accented}${accented}`, 1), accented);
  assert.equal(cutTo("ab", 0), "");
});
