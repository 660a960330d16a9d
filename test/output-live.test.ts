import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { openFilesOf } from "./helper/processes.ts";
import { waitFor } from "./helper/wait.ts";
import { type Write, WrittenJob } from "./helper/written-job.ts";

test("a reader of a queued job waits, gets the whole output when it starts, and ends with it", async (t) => {
  const job = new WrittenJob(t);
  const readers = [job.text(), job.text({ stream: "stdout" }), job.text({ encoding: "ndjson" })];
  job.start().watchers.wake(job.outputPath); // as at any change of the job's state
  job.write({ data: "late\n" }).end();
  assert.deepEqual((await Promise.all(readers)).slice(0, 2), ["late\n", "late\n"]);
  assertNothingIsOpen(job);
});

test("a reader that starts before the output file exists is woken when it is created", async (t) => {
  const job = new WrittenJob(t);
  fs.mkdirSync(job.directory);
  for (const options of [{}, { encoding: "ndjson" as const }]) {
    const reader = job.attach(options);
    const first = reader.next();
    if (job.bytes === 0) fs.writeFileSync(job.outputPath, "");
    job.write({ data: "first\n" });
    assert.match(String((await first).value), /first/);
    await closeReader(reader);
  }
});

for (const options of [{}, { stream: "stdout" as const }, { timestamps: true }, { encoding: "sse" as const }]) {
  test(`what is written arrives within milliseconds: ${JSON.stringify(options)}`, async (t) => {
    const job = new WrittenJob(t).start();
    const reader = job.attach(options);
    const tookMs: number[] = [];
    for (let line = 0; line < 100; line++) {
      const next = reader.next();
      const startMs = performance.now();
      job.write({ data: `line ${line}\n` });
      assert.ok(String((await next).value).includes(`line ${line}\\n`) || options.encoding === undefined);
      tookMs.push(performance.now() - startMs);
    }
    const median = tookMs.toSorted((a, b) => a - b)[50] ?? 0;
    assert.ok(median < 10, `${median} ms`);
    job.end();
    await reader.next();
    assert.equal((await reader.next()).done, true);
    assertNothingIsOpen(job);
  });
}

test("output that another process writes during reading is read completely and in order", async (t) => {
  const job = new WrittenJob(t).start();
  const script = 'for ((i = 0; i < 20000; i++)); do echo "line $i"; done >> "$0"';
  const writer = spawn("bash", ["-c", script, job.outputPath], { stdio: "ignore" });
  writer.once("exit", () => job.end());
  const expected = Array.from({ length: 20_000 }, (_, line) => `line ${line}\n`).join("");
  const texts = await Promise.all([job.text(), job.text({ offset: 1000 }), job.text()]);
  assert.ok(texts[0] === expected && texts[1] === expected.slice(1000) && texts[2] === expected);
});

test("a thousand readers each get every byte, and one watch wakes them", async (t) => {
  const job = new WrittenJob(t).start();
  const hash = createHash("sha256");
  const readers = Array.from({ length: 1000 }, () => hashOf(job));
  for (let part = 0; part < 64; part++) {
    const data = Buffer.alloc(5000, `part ${part} `);
    hash.update(data);
    job.write({ data });
    await job.text({ tail: 0, follow: false }); // lets the readers run
  }
  const watches = openFilesOf(process.pid).filter((file) => file === job.outputPath).length;
  assert.ok(watches <= 1, "one open file for all");
  job.end();
  const expected = hash.digest("hex");
  assert.equal((await Promise.all(readers)).filter((each) => each !== expected).length, 0);
  assertNothingIsOpen(job);
});

test("attach waits for an offset that a running job has not reached", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "0123" });
  const readers = [job.text({ offset: 6 }), job.text({ offset: 6, stream: "stdout" }), job.text({ offset: 100 })];
  job.write({ data: "4567" }, { data: "89" }).end();
  assert.deepEqual(await Promise.all(readers), ["6789", "6789", ""]);
});

test("tail=0 gives only new output, tail=N the last lines and new output", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "old\nlast\n" });
  const readers = [job.attach({ tail: 0 }), job.attach({ tail: 1 }), job.attach({ tail: 1, stream: "stderr" })];
  const texts = readers.map(async (reader) => (await Array.fromAsync(reader, String)).join(""));
  await waitFor("the readers looked", () => job.watchers.files.size === 2);
  await job.text({ tail: 1, follow: false }); // reads after the other readers
  job.write({ data: "new\n" }, { data: "err\n", stream: "stderr" }).end();
  assert.deepEqual(await Promise.all(texts), ["new\nerr\n", "last\nnew\nerr\n", "err\n"]);
});

test("a waiting reader that disconnects is released at once, with its watch and files", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "x" });
  for (const options of [{}, { encoding: "sse" as const }]) {
    const closing = new AbortController();
    const reader = job.attach(options, closing.signal);
    assert.equal((await reader.next()).done, false);
    const waiting = reader.next();
    closing.abort();
    assert.equal((await waiting).done, true);
    assertNothingIsOpen(job);
  }
});

test("a job that is deleted while it is read is read to its end", async (t) => {
  const data = Buffer.alloc(1_000_000, "x");
  const job = new WrittenJob(t).start().write({ data }).end();
  const reader = job.attach();
  let bytes = String((await reader.next()).value).length;
  fs.rmSync(job.directory, { recursive: true });
  for await (const chunk of reader) bytes += chunk.length;
  assert.equal(bytes, data.length);
});

test("if the kernel has no watch left, readers poll", async (t) => {
  const refuse = t.mock.method(fs, "watch", () => {
    throw Object.assign(new Error("no space left for watches"), { code: "ENOSPC" });
  });
  syncBuiltinESMExports();
  t.after(() => {
    refuse.mock.restore();
    syncBuiltinESMExports();
  });
  const job = new WrittenJob(t).start();
  const reader = job.attach();
  for (const data of ["one", "two"]) {
    const next = reader.next();
    job.write({ data });
    assert.equal(String((await next).value), data);
  }
  assert.ok(refuse.mock.callCount() > 0);
  await closeReader(reader);
});

test("a job without readers has no watch", (t) => {
  const job = new WrittenJob(t).start();
  job.watchers.wake(job.outputPath);
  assertNothingIsOpen(job);
});

test("a live reader of lines gets each character when it is complete", async (t) => {
  const job = new WrittenJob(t).start();
  const reader = job.attach({ encoding: "ndjson" });
  const [head, tail] = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
  const writes: Write[] = [{ data: Buffer.concat([Buffer.from("caf"), head]) }, { data: Buffer.concat([tail, Buffer.from("!")]) }];
  const texts: string[] = [];
  for (const write of writes) {
    const next = reader.next();
    job.write(write);
    texts.push(JSON.parse(String((await next).value)).Data);
  }
  assert.deepEqual(texts, ["caf", "é!"]);
  await closeReader(reader, job);
});

async function hashOf(job: WrittenJob): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of job.attach()) hash.update(chunk);
  return hash.digest("hex");
}

/** A waiting generator does not return by itself. */
async function closeReader(reader: AsyncGenerator<Buffer>, job?: WrittenJob): Promise<void> {
  job?.end();
  await reader.return(undefined);
}

function assertNothingIsOpen(job: WrittenJob): void {
  assert.equal(job.watchers.files.size, 0);
  assert.equal(job.watchers.size, 0);
  const open = openFilesOf(process.pid).filter((file) => file.startsWith(join(job.directory, "..")));
  assert.deepEqual(open, []);
}
