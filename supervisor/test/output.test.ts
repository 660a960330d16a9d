import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Box, type Job, until } from "./harness.ts";

let box: Box;
before(() => {
  box = new Box();
});
after(() => box.close());

/** Every byte has its record, and the records are in order. */
function assertWhole(job: Job): void {
  let end = 0;
  let time = 0n;
  for (const record of job.index()) {
    assert.ok(record.end > end || record.lost > 0, "a record of no bytes");
    assert.ok(record.timeNs >= time, "a record before the one before");
    assert.ok(record.stream === 1 || record.stream === 2);
    end = record.end;
    time = record.timeNs;
  }
  assert.equal(end, job.output().length);
  assert.equal(job.lines("done")[0]?.[1], String(end));
}

test("two floods at once are kept completely, each in its order", async () => {
  const job = await box.run({ steps: [{ run: "seq 1 200000 & seq 1 200000 >&2 & wait" }] }).finished();
  assertWhole(job);
  const expected = execFileSync("seq", ["1", "200000"], { encoding: "latin1", maxBuffer: 1 << 24 });
  assert.ok(job.part(1, 1) === expected && job.part(1, 2) === expected);
});

test("a line of ten megabytes, NUL bytes and bytes that are not text are kept unchanged", async () => {
  const job = await box
    .run({ steps: [{ run: "head -c 10000000 /dev/zero; printf '\\377\\0\\1x'; head -c 5000000 /dev/urandom | tee random" }] })
    .finished();
  assertWhole(job);
  const bytes = job.output();
  assert.equal(bytes.length, 15_000_004);
  assert.ok(bytes.subarray(0, 10_000_000).equals(Buffer.alloc(10_000_000)));
  assert.deepEqual([...bytes.subarray(10_000_000, 10_000_004)], [255, 0, 1, 120]);
  const sum = execFileSync("sha256sum", [join(job.directory, "work", "random")], { encoding: "latin1" }).slice(0, 64);
  assert.equal(createHash("sha256").update(bytes.subarray(10_000_004)).digest("hex"), sum);
});

test("a step's output is in the file when its end is recorded", async () => {
  const job = await box.run({ steps: Array.from({ length: 20 }, () => ({ run: "head -c 60000 /dev/zero" })) }).finished();
  assert.deepEqual(
    job.lines("end").map((fields) => fields[6]),
    Array(20).fill("60000"),
  );
});

test("output is in the file while the job runs, and standard error can be opened again", async () => {
  const job = box.run({
    steps: [{ run: "echo one; echo two > /dev/stderr; echo three > /dev/stdout; until test -e go; do sleep 0.01; done" }],
  });
  await job.printed("three\n");
  assert.ok(job.text().includes("two\n"));
  writeFileSync(join(job.directory, "work", "go"), "");
  await job.finished();
  assertWhole(job);
});

test("many small writes are all recorded", async () => {
  const job = await box.run({ steps: [{ run: "for i in {1..3000}; do echo $i; echo e$i >&2; done" }] }).finished();
  assertWhole(job);
  assert.equal(job.part(1, 1).split("\n").length, 3001);
  assert.equal(job.part(1, 2).split("\n").length, 3001);
});

test("a flood of small pieces is read in few reads, and later output of the other stream stays behind it", async () => {
  const job = await box.run({ steps: [{ run: "dd if=/dev/urandom bs=4096 count=20000 status=none; echo over >&2" }] }).finished();
  assertWhole(job);
  assert.equal(job.output().length, 20_000 * 4096 + 5);
  assert.ok(job.text().endsWith("over\n"));
  assert.ok(job.index().length < 10_000, `${job.index().length} reads`);
});

test("the end of a flood is kept, however the step ends", async () => {
  const flood = "seq 1 600000; echo last";
  const job = await box.run({ steps: [{ run: flood }, { run: `${flood}; kill -9 $$`, ignoreError: true }] }).finished();
  assertWhole(job);
  const expected = `${execFileSync("seq", ["1", "600000"], { encoding: "latin1", maxBuffer: 1 << 24 })}last\n`;
  assert.ok(job.part(1, 1) === expected && job.part(2, 1) === expected);
});

test(
  "writes that the disk sometimes refuses are repeated, and no byte is lost or doubled",
  { skip: has("strace") ? false : "left out: strace is not installed" },
  async () => {
    const traced = new Box();
    traced.wrapper = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=3+17"];
    const job = await traced.run({ steps: [{ run: "seq 1 100000; echo err >&2" }] }).finished();
    assertWhole(job);
    assert.equal(job.part(1, 1), execFileSync("seq", ["1", "100000"], { encoding: "latin1", maxBuffer: 1 << 24 }));
    assert.equal(job.part(1, 2), "err\n");
    await traced.close();
  },
);

const mounted = mountSmall();
describe("on a full disk", { skip: mounted === null ? "left out: needs root, to mount a small tmpfs" : false }, () => {
  let small: Box;
  before(() => {
    small = new Box(mounted ?? "");
  });
  after(async () => {
    await small.close();
    execFileSync("umount", [mounted ?? ""]);
    rmdirSync(mounted ?? "");
  });
  const filler = (): string => join(small.state, "filler");
  const fill = (): void => void execFileSync("sh", ["-c", `cat /dev/zero > ${filler()} 2>/dev/null || true`]);

  test("a job waits, and goes on without loss when the disk has room again", async () => {
    const job = small.run({
      idleTimeoutMs: 400,
      steps: [{ run: "echo ready; until test -e go; do sleep 0.01; done; seq 1 100000; touch written" }, { run: "echo second" }],
    });
    await job.printed("ready");
    fill();
    writeFileSync(join(job.directory, "work", "go"), ""); // an empty file still fits
    await until("time to pass that the idle timeout would count", waited(600));
    assert.ok(job.output().length < 588_895);
    assert.deepEqual(job.events(), ["start 1"]);
    rmSync(filler());
    await job.finished();
    assertWhole(job);
    assert.equal(job.part(1, 1), `ready\n${execFileSync("seq", ["1", "100000"], { encoding: "latin1", maxBuffer: 1 << 24 })}`);
    assert.deepEqual(job.events(), ["start 1", "end 1", "start 2", "end 2", "done"]);
  });

  test("a stopped job gives up the bytes that the disk refuses, and records how many", async () => {
    const job = small.run({
      stopTimeoutMs: 100,
      steps: [{ run: "echo ready; until test -e go; do sleep 0.01; done; yes | head -c 9000000" }, { run: "exit 0", runOn: "always" }],
    });
    await job.printed("ready");
    fill();
    writeFileSync(join(job.directory, "work", "go"), "");
    await until("the disk to refuse", waited(100));
    job.order("terminate");
    await job.finished();
    const lost = Number(job.lines("done")[0]?.[2]);
    assert.ok(lost > 0);
    assert.equal(
      job.index().reduce((sum, record) => sum + record.lost, 0),
      lost,
    );
    assertWhole(job);
    assert.deepEqual(job.events(), ["start 1", "stop terminate", "end 1", "start 2", "end 2", "done"]);
    rmSync(filler());
  });

  test("the wait for a filter that was left behind is limited; the record says what was cut and how much was lost", async () => {
    const job = small.run({
      drainTimeoutMs: 300,
      stopTimeoutMs: 100,
      steps: [{ run: "exec > >(sort); echo ready >&2; until test -e go; do sleep 0.01; done; seq 1 300000" }],
    });
    await job.printed("ready");
    fill();
    writeFileSync(join(job.directory, "work", "go"), "");
    await job.finished();
    assert.deepEqual(job.events(), ["start 1", "end 1", "cut 1", "done"]);
    const lost = Number(job.lines("done")[0]?.[2]);
    assert.ok(lost > 0);
    assert.equal(
      job.index().reduce((sum, record) => sum + record.lost, 0),
      lost,
    );
    rmSync(filler());
    assertWhole(job);
  });

  test("if no file can be created, nothing is claimed, and the job can be run later", async () => {
    const job = small.prepare({ steps: [{ run: "echo ran" }] });
    fill();
    small.tell(`run ${job.id}`);
    await until("the launcher's word", () => small.heard.includes(`failed ${job.id} 28`));
    assert.deepEqual(job.status(), []);
    rmSync(filler());
    small.tell(`run ${job.id}`);
    await job.finished();
    assert.equal(job.text(), "ran\n");
  });
});

function waited(ms: number): () => boolean {
  const deadline = performance.now() + ms;
  return () => performance.now() > deadline;
}

function has(program: string): boolean {
  try {
    execFileSync(program, ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function mountSmall(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "small-disk-"));
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmdirSync(folder);
    return null;
  }
}
