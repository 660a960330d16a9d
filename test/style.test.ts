import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { SharedFiles } from "../src/output/shared-file.ts";
import { styleAt } from "../src/output/style.ts";
import { Styler } from "../web/output/styles.ts";
import { startService } from "./helper/service.ts";

/** Which style holds at a byte of an output, however far before that byte it was set. */

const written = fc.array(
  fc.record({
    text: fc.oneof(
      fc.constantFrom(
        "text\n",
        "\u001b[31m",
        "\u001b[0m",
        "\u001b[m",
        "\u001b[39m",
        "\u001b[1m",
        "\u001b[22;4m",
        "\u001b[1;0;7m",
        "x".repeat(300),
      ),
      fc.constantFrom(
        "\u001b[38;5;0m",
        "\u001b[38;2;0;0;9m",
        "\u001b[48:2::1:2:3m",
        "\u001b[58;5;1m",
        "\u001b[?25h",
        "\u001b[2J",
        "\u001b",
        "\u001b[",
      ),
    ),
    step: fc.integer({ min: 1, max: 2 }),
  }),
  { maxLength: 40 },
);

test("the style at any byte is the one that a reader of all bytes before it has, also when it is asked for in parts", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "jobrunner-style-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  await fc.assert(
    fc.asyncProperty(
      written,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      async (parts, share, mostBytes) => {
        const bytes = Buffer.from(parts.map(({ text }) => text).join(""));
        writeFileSync(join(directory, "output"), bytes);
        writeFileSync(join(directory, "index"), indexOf(parts));
        const offset = Math.floor(share * bytes.length);
        let sgr = "";
        for (let end: number | null = offset; end !== null;) {
          const found = await styleAt(
            { directory, files: new SharedFiles() },
            { offset: end, from: 0 },
            { mostBytes, mostMs: 1000, sliceBytes: 64 },
          );
          sgr = [found.sgr, sgr].filter((text) => text !== "").join(";");
          assert.ok(found.from === null || found.from < end, "it goes on further back");
          end = found.from;
        }
        assert.equal(new Styler(sgr === "" ? "0" : sgr).sgr, expectedAt(parts, offset));
      },
    ),
    { numRuns: 1000 },
  );
});

test("GET /:ID/style gives the style set long before, takes a known byte to start from, and refuses one behind the offset", async (t) => {
  const service = await startService(t);
  const client = service.client();
  const { job, output } = await service.run({
    Commands: [{ CommandLine: "printf '\\033[1;31mred\\n'; head -c 40000000 /dev/zero | tr '\\0' x" }, { CommandLine: "echo plain" }],
  });
  const last = output.length - 7;
  let found = await client.style(job.ID, { offsetBytes: last });
  assert.ok(found.Sgr === "" && found.FromOffset !== null && found.FromOffset >= last - (32 << 20), "one call looks at a part");
  while (found.FromOffset !== null) found = await client.style(job.ID, { offsetBytes: found.FromOffset });
  assert.equal(found.Sgr, "1;31");
  assert.deepEqual(await client.style(job.ID, { offsetBytes: last, fromBytes: last - 1000 }), { Sgr: "", FromOffset: last - 1000 });
  assert.deepEqual(await client.style(job.ID, { offsetBytes: output.length - 3 }), { Sgr: "", FromOffset: null }, "another step");
  assert.deepEqual(await client.style(job.ID, { offsetBytes: 0 }), { Sgr: "", FromOffset: null });
  const refused = await fetch(`${service.url}/${job.ID}/style?offset=1&from=2`);
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /from must not be behind the offset/);
});

type Part = { text: string; step: number };

/** As a terminal that reads from the first byte, and is reset where another step writes. */
function expectedAt(parts: Part[], offset: number): string {
  const bytes = Buffer.from(parts.map(({ text }) => text).join(""));
  const steps = parts.flatMap(({ text, step }) => Array<number>(Buffer.byteLength(text)).fill(step));
  const step = steps[Math.min(offset, steps.length - 1)];
  let start = offset;
  while (start > 0 && steps[start - 1] === step) start -= 1;
  const sequences = bytes.toString("latin1").matchAll(new RegExp(String.raw`\x1b\[[0-9;:]*m`, "g"));
  const styler = new Styler();
  for (const { index, 0: sequence } of sequences) if (index >= start && index < offset) styler.skip(sequence);
  return styler.sgr;
}

/** As supervisor/formats.h draws it: end, time, lost bytes, step, stream. */
function indexOf(parts: Part[]): Buffer {
  let end = 0;
  return Buffer.concat(
    parts.map(({ text, step }) => {
      const record = Buffer.alloc(32);
      end += Buffer.byteLength(text);
      record.writeBigUInt64LE(BigInt(end), 0);
      record.writeUInt32LE(step, 24);
      record.writeUInt8(1, 28);
      return record;
    }),
  );
}
