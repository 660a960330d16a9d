import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "./helper/service.ts";

const maxColumns = 140;
const folders = ["src", "web", "supervisor", "test", "bench", "tools", "docs", "packaging", "examples", "findings"];
const files = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile"];
/** Generated from texts that obey the limit themselves, or data. */
const isLeftOut = /^(src\/client\/openapi\.ts|docs\/(cli|configuration)\.md)$|\.(json|png|svg|1|sha256)$/;

test("no line is longer than 140 columns, except in tables, code blocks and words that cannot be split", () => {
  const listed = execFileSync("git", ["ls-files", "-z", "--", ...folders, ...files], { cwd: repository, encoding: "utf8" }).split("\0");
  const long = listed.filter((file) => file !== "" && !isLeftOut.test(file)).flatMap(longLinesOf);
  assert.deepEqual(long, []);
});

function longLinesOf(file: string): string[] {
  const isMarkdown = file.endsWith(".md");
  let isInBlock = false;
  return readFileSync(join(repository, file), "utf8")
    .split("\n")
    .flatMap((line, index) => {
      if (isMarkdown && line.trimStart().startsWith("```")) isInBlock = !isInBlock;
      const isFree = isMarkdown && (isInBlock || line.startsWith("|") || line.startsWith("    "));
      const isOneWord = line.slice(0, maxColumns + 1).lastIndexOf(" ") <= line.search(/\S/);
      const isPattern = /^\s*\/[^*/]/.test(line); // a regular expression cannot be split
      return line.length <= maxColumns || isFree || isOneWord || isPattern ? [] : [`${file}:${index + 1} has ${line.length} columns`];
    });
}
