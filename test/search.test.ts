import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { type Match, searchOutput } from "../src/output/search.ts";
import { SharedFiles } from "../src/output/shared-file.ts";
import { startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

/** Searching the output of a job for a text. */

test("a text is found everywhere, in any case and with colours, in order and with its offset", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "printf 'Grün ist gr\\033[1;32mÜN\\033[0m\\nneedle\\nNEEDLE nee\\ndle\\n'" });
  const client = service.client();
  const found = async (
    text: string,
    options: { isCaseSensitive?: boolean; offsetBytes?: number; limit?: number } = {},
  ): Promise<string[]> => {
    const output = await service.output(job.ID);
    const { Matches } = await client.search(job.ID, { text, ...options });
    return Matches.map(({ Offset, Bytes }) => output.subarray(Offset, Offset + Bytes).toString());
  };
  assert.deepEqual(await found("grün"), ["Grün", "gr\u001b[1;32mÜN"]);
  assert.deepEqual(await found("needle"), ["needle", "NEEDLE"]);
  assert.deepEqual(await found("needle", { isCaseSensitive: true }), ["needle"]);
  assert.deepEqual(await found("."), []);
  assert.deepEqual(await found("nothing"), []);
  const {
    Matches: [first],
    NextOffset,
  } = await client.search(job.ID, { text: "needle", limit: 1 });
  assert.equal(NextOffset, (first?.Offset ?? 0) + 6);
  assert.deepEqual(await found("needle", { offsetBytes: NextOffset ?? 0 }), ["NEEDLE"]);
});

test("a search in a long output takes several calls, which find every match once", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({
    CommandLine: "seq -f 'line %.0f of many, long enough to make much of it' 1 1500000; echo needle; seq 1 1000; echo needle",
  });
  const offsets: number[] = [];
  let calls = 0;
  for (let offsetBytes: number | null = 0; offsetBytes !== null; calls += 1) {
    const { Matches, NextOffset }: { Matches: { Offset: number }[]; NextOffset: number | null } = await service
      .client()
      .search(job.ID, { text: "needle", offsetBytes });
    offsets.push(...Matches.map(({ Offset }) => Offset));
    offsetBytes = NextOffset;
  }
  assert.ok(calls > 1);
  const output = await service.output(job.ID);
  assert.deepEqual(offsets, [output.indexOf("needle"), output.lastIndexOf("needle")]);
});

test("a search finds all matches, also over the borders of reads, like a search in the whole output", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-search-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const parts = fc.array(
    fc.constantFrom(
      "ab",
      "AB",
      "a",
      "b",
      "é",
      "\n",
      "\u001b[31m",
      "\u001b]0;x\u0007",
      "\u001b[",
      "x".repeat(9000),
      Buffer.from([0xff, 0xc3]),
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(parts, fc.constantFrom("ab", "abab", "é", "éa", "a"), fc.integer({ min: 1, max: 3 }), async (written, text, limit) => {
      const output = Buffer.concat(written.map((part) => Buffer.from(part)));
      writeFileSync(join(folder, "output"), output);
      const found: Match[] = [];
      for (let offset: number | null = 0; offset !== null;) {
        const { matches, next }: { matches: Match[]; next: number | null } = await searchOutput(
          { directory: folder, files: new SharedFiles() },
          { text, isCaseSensitive: true, offset, limit },
          { mostBytes: 1, mostMs: 1000, sliceBytes: 1 },
        );
        assert.ok(next === null || next > offset, "a search goes on");
        found.push(...matches);
        offset = next;
      }
      assert.deepEqual(found, naive(output, text));
    }),
    { numRuns: 300 },
  );
});

test("a search that resumes after each growth of the output finds every match once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-search-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const part = fc.constantFrom("ab", "a", "b", "bab", "é", "\n", "\u001b[31m", "x".repeat(9000));
  const text = fc.constantFrom("ab", "abab", "aa", "é", "éa", "31");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(part, { maxLength: 8 }), { minLength: 1, maxLength: 6 }), text, async (growths, sought) => {
      const output: Buffer[] = [];
      const found: Match[] = [];
      let resumeOffset = 0;
      for (const growth of growths) {
        output.push(Buffer.from(growth.join("")));
        writeFileSync(join(folder, "output"), Buffer.concat(output));
        for (let offset: number | null = resumeOffset; offset !== null;) {
          const source = { directory: folder, files: new SharedFiles() };
          const result = await searchOutput(source, { text: sought, isCaseSensitive: true, offset, limit: 2 });
          found.push(...result.matches);
          ({ next: offset, resume: resumeOffset } = result);
        }
      }
      assert.deepEqual(found, naive(Buffer.concat(output), sought));
    }),
    { numRuns: 300 },
  );
});

test("hostile output and long texts delay no other client", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-search-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const outputs = [
    "a".repeat(1 << 20),
    "a\u001b[".repeat(1 << 18),
    "a\u001b]".repeat(1 << 18),
    "a\u001b[m".repeat(1 << 18),
    `a${"\u001b[m".repeat(1 << 18)}`,
  ];
  for (const output of outputs) {
    writeFileSync(join(folder, "output"), output);
    for (const text of ["ab", `${"a".repeat(199)}b`]) {
      let turns = 0;
      const counting = setInterval(() => (turns += 1), 1);
      for (let offset: number | null = 0; offset !== null;) {
        ({ next: offset } = await searchOutput(
          { directory: folder, files: new SharedFiles() },
          { text, isCaseSensitive: false, offset, limit: 10 },
        ));
      }
      clearInterval(counting);
      assert.ok(turns > 0, "others had their turn meanwhile");
    }
  }
});

for (const [query, field] of [
  ["", "?text"],
  ["?text=", "?text"],
  ["?text=a%0Ab", "?text"],
  ["?text=a&limit=0", "?limit"],
  ["?text=a&offset=-1", "?offset"],
  ["?text=a&where=x", "?where"],
] as const) {
  test(`a search is refused by the name of what is wrong: ${JSON.stringify(query)}`, async (t) => {
    const service = await startService(t);
    const { job } = await service.run({ CommandLine: "echo x" });
    const { status, text } = await service.call("GET", `/${job.ID}/search${query}`);
    assert.equal(status, 400, text);
    assert.ok(text.includes(field), text);
  });
}

/** Searches the whole output at once: compares each visible character, with its offset, with those of the text. */
function naive(output: Buffer, text: string): Match[] {
  const escape = new RegExp(String.raw`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))`, "y");
  const whole = output.toString("latin1");
  const seen: number[] = [];
  for (let at = 0; at < whole.length;) {
    escape.lastIndex = at;
    const found = escape.exec(whole);
    if (found === null) seen.push(at);
    at += found === null ? 1 : found[0].length;
  }
  const wanted = Buffer.from(text).toString("latin1");
  const matches: Match[] = [];
  for (let at = 0; at <= seen.length - wanted.length;) {
    const isHere = Array.from(wanted).every((character, index) => whole[seen[at + index] ?? -1] === character);
    if (isHere) matches.push({ offset: seen[at] ?? 0, bytes: (seen[at + wanted.length - 1] ?? 0) + 1 - (seen[at] ?? 0) });
    at += isHere ? wanted.length : 1;
  }
  return matches;
}
