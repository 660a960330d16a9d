import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Box, isWrapped, type Job, until } from "./harness.ts";

/** Secrets in the output of real jobs. mask_test.c tests how they are found. */

let box: Box;
before(() => {
  box = new Box();
});
after(() => box.close());

const secret = "hunter2-correct-horse";
const isSanitized = process.env["ASAN_OPTIONS"] !== undefined;

/** Every byte of the output has its record, and the output contains no secret. */
function assertWhole(job: Job): void {
  const end = job.index().at(-1)?.end ?? 0;
  assert.equal(end, job.output().length);
  assert.equal(job.lines("done")[0]?.[1], String(end));
  assert.ok(!job.text().includes(secret));
}

test("a secret is masked in both streams independently", async () => {
  const job = await box.run({ secrets: [secret], steps: [{ run: `echo "a ${secret} b"; echo "c ${secret}" >&2` }] }).finished();
  assert.equal(job.part(1, 1), "a *** b\n");
  assert.equal(job.part(1, 2), "c ***\n");
  assert.equal(job.lines("end")[0]?.[6], "14");
  assertWhole(job);
});

test("a secret written byte by byte, while the other stream goes on, is masked", async () => {
  const each = `printf %s "\${s:i:1}"; printf %s "\${s:i:1}" >&2; sleep 0.01`;
  const run = `s=${secret}; for ((i = 0; i < \${#s}; i++)); do ${each}; done; echo " over"`;
  const job = await box.run({ secrets: [secret], steps: [{ run }] }).finished();
  assert.equal(job.part(1, 1), "*** over\n");
  assert.equal(job.part(1, 2), "***");
  assertWhole(job);
});

test("a secret of two lines is masked, and so is each line if the plan says so", async () => {
  const both = "first line\nsecond line";
  const run = `printf 'x first line\\n'; sleep 0.02; printf 'second line y\\nfirst line alone\\n'`;
  const whole = await box.run({ secrets: [both], steps: [{ run }] }).finished();
  assert.equal(whole.text(), "x *** y\nfirst line alone\n");
  const lines = await box.run({ secrets: [both, ...both.split("\n")], steps: [{ run }] }).finished();
  assert.equal(lines.text(), "x *** y\n*** alone\n");
});

test("bytes held back are decided by the bytes that follow, or by the stream's end", async () => {
  const job = box.run({
    secrets: [secret],
    steps: [
      {
        run:
          `printf 'seen %s' hunter; until test -e go; do sleep 0.01; done; printf x; until test -e end; do sleep 0.01; done; printf ` +
          `'%s' hunter2-corr`,
      },
    ],
  });
  await job.printed("seen ");
  assert.equal(job.text(), "seen ");
  writeFileSync(join(job.directory, "work", "go"), "");
  await job.printed("seen hunterx");
  writeFileSync(join(job.directory, "work", "end"), "");
  await job.finished();
  assert.equal(job.text(), "seen hunterxhunter2-corr");
  assertWhole(job);
});

test("the stars of a whole secret are stored at once", async () => {
  const job = box.run({ secrets: [secret], steps: [{ run: `printf '%s' ${secret}; until test -e go; do sleep 0.01; done` }] });
  await job.printed("***");
  writeFileSync(join(job.directory, "work", "go"), "");
  await job.finished();
  assert.equal(job.text(), "***");
});

test("bytes decided at a step's end precede the next step's output, and count for the step", async () => {
  const run = `printf 'out hunter2'; printf 'err hunter' >&2`;
  const job = await box.run({ secrets: [secret], steps: Array.from({ length: 20 }, () => ({ run })) }).finished();
  assert.deepEqual(
    job.lines("end").map((fields) => fields[6]),
    Array(20).fill("21"),
  );
  let last = 0;
  for (const record of job.index()) {
    assert.ok(record.step >= last);
    last = record.step;
  }
  assert.equal(job.part(7, 1) + job.part(20, 2), "out hunter2err hunter");
  assertWhole(job);
});

test("with a process in the background, held bytes are decided when it ends, or at the job's end", async () => {
  const ending = await box
    .run({
      secrets: [secret],
      steps: [
        { run: "(until test -e go; do sleep 0.01; done) & printf 'one hunter'" },
        { run: "touch go; until grep -q hunter ../output; do sleep 0.01; done; echo two" },
      ],
    })
    .finished();
  assert.equal(ending.text(), "one huntertwo\n");
  const staying = await box
    .run({ secrets: [secret], steps: [{ run: "sleep 1000 & printf 'one hunter'" }, { run: "echo two" }] })
    .finished();
  assert.equal(staying.text(), "one two\nhunter");
  assert.equal(staying.part(1, 1), "one hunter");
  assertWhole(staying);
});

test("if only a process outside the job holds a pipe open, held bytes are decided at the job's end", async () => {
  const job = box.run({
    secrets: [secret],
    steps: [{ run: "printf 'one hunter'; echo ready >&2; until test -e go; do sleep 0.01; done" }],
  });
  await job.printed("ready");
  const pid = job.lines("start")[0]?.[1];
  const fd = execFileSync("bash", ["-c", `exec 3> /proc/${pid}/fd/1; (exec setsid sleep 1000) > /dev/null & echo $!`], {
    encoding: "latin1",
    stdio: ["ignore", "pipe", "ignore"],
  });
  writeFileSync(join(job.directory, "work", "go"), "");
  await job.finished();
  process.kill(Number(fd), "SIGKILL");
  assert.equal(job.part(1, 1), "one hunter");
  assertWhole(job);
});

test("ten megabytes of any bytes, with some secrets, are kept except the secrets", async () => {
  const script = `
    my $s = $ENV{S}; my $all = pack("C*", 0..255) x 3; my $plain = "";
    binmode STDOUT; $| = 1;
    for my $i (0 .. 13000) { print $all, substr($s, 0, $i % length($s)), "|", $s, $i % 5 ? "" : $s; }`;
  const job = await box.run({ secrets: [secret], env: { S: secret }, steps: [{ args: ["perl", "-e", script] }] }).finished();
  const all = Buffer.concat(Array(3).fill(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))));
  const hash = createHash("sha256");
  for (let i = 0; i <= 13000; i++) hash.update(all).update(`${secret.slice(0, i % secret.length)}|***${i % 5 === 0 ? "***" : ""}`);
  assert.equal(createHash("sha256").update(job.output()).digest("hex"), hash.digest("hex"));
  assertWhole(job);
});

test("a secret of one byte becomes three stars, and a flood of them is complete", async () => {
  const job = await box.run({ secrets: ["x"], steps: [{ run: "head -c 1000000 /dev/zero | tr '\\0' x" }] }).finished();
  assert.ok(job.output().equals(Buffer.alloc(3_000_000, "*")));
  assertWhole(job);
});

test("a job whose output is held back is not idle", async () => {
  const job = await box
    .run({ secrets: ["x".repeat(100)], idleTimeoutMs: 400, steps: [{ run: "for i in {1..12}; do printf x; sleep 0.1; done" }] })
    .finished();
  assert.deepEqual(job.events(), ["start 1", "end 1", "done"]);
  assert.equal(job.text(), "x".repeat(12));
});

test(
  "if the disk sometimes refuses writes, nothing is lost, and no secret is stored",
  { skip: has("strace") ? false : "left out: strace is not installed" },
  async (t) => {
    const traced = new Box();
    t.after(() => traced.close());
    traced.wrapper = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=3+7"];
    const job = await traced
      .run({
        secrets: [secret],
        steps: [{ run: `for i in {1..40}; do echo $i ${secret}; done; printf 'hunter' >&2` }, { run: "printf hunter2" }],
      })
      .finished();
    assertWhole(job);
    assert.equal(job.part(1, 1), Array.from({ length: 40 }, (_, i) => `${i + 1} ***\n`).join(""));
    assert.equal(job.part(1, 2) + job.part(2, 1), "hunterhunter2");
  },
);

const mounted = mountSmall();
test(
  "bytes held back when output is given up on a full disk are counted as lost",
  { skip: mounted === null ? "left out: needs root, to mount a small tmpfs" : false },
  async (t) => {
    const small = new Box(mounted ?? "");
    t.after(async () => {
      await small.close();
      execFileSync("umount", [mounted ?? ""]);
      rmdirSync(mounted ?? "");
    });
    const job = small.run({
      secrets: [secret],
      stopTimeoutMs: 100,
      steps: [{ run: "printf 'ready hunter'; echo >&2; until test -e go; do sleep 0.01; done; yes >&2" }],
    });
    await job.printed("ready");
    execFileSync("sh", ["-c", `cat /dev/zero > ${join(small.state, "filler")} 2>/dev/null || true`]);
    writeFileSync(join(job.directory, "work", "go"), "");
    await until("the disk to refuse, at the end of the output's first page", () => job.output().length === 4096);
    job.order("terminate");
    await job.finished();
    const lost = Number(job.lines("done")[0]?.[2]);
    assert.equal(
      job.index().reduce((sum, record) => sum + record.lost, 0),
      lost,
    );
    assert.equal(
      job
        .index()
        .filter((record) => record.stream === 1)
        .reduce((sum, record) => sum + record.lost, 0),
      6,
    );
    assert.ok(lost > 6);
    rmSync(join(small.state, "filler"));
  },
);

const cores = readFileSync("/proc/sys/kernel/core_pattern", "latin1").trim();
const noCores =
  isWrapped || isSanitized
    ? "left out: valgrind and sanitizers keep limits to themselves"
    : cores.startsWith("core")
      ? false
      : "left out: cores go elsewhere than into the working directory";
test("no process that knows the secrets dumps core", { skip: noCores }, async (t) => {
  const dumping = new Box();
  t.after(() => dumping.close());
  dumping.wrapper = ["prlimit", "--core=unlimited"];
  for (const secrets of [[], [secret]]) {
    const step = await dumping.run({ secrets, steps: [{ run: "grep core /proc/self/limits; kill -SEGV $$" }] }).finished();
    const isDumped = (Number(step.lines("end")[0]?.[2]) & 128) !== 0; // the bit for "core dumped"
    assert.equal(isDumped, secrets.length === 0);
    if (secrets.length > 0) assert.match(step.text(), /size +1 +1 /);
    const job = dumping.run({ secrets, steps: [{ run: "echo ready; sleep 1000" }] });
    await job.printed("ready");
    dumping.expectedDeaths += 1;
    process.kill(job.supervisorPid(), "SIGSEGV");
    await until("the supervisor's end", () => !job.isAlive());
    dumping.tell(`sweep ${job.id}`);
    await job.finished();
    const found = readdirSync(job.directory).filter((name) => name.startsWith("core"));
    assert.equal(found.length, secrets.length === 0 ? 1 : 0);
  }
});

test(
  "without memory for the secrets nothing is claimed, and the job can be run later",
  { skip: isWrapped || isSanitized ? "left out: sanitizers and valgrind need more memory" : false },
  async (t) => {
    const tight = new Box();
    t.after(() => tight.close());
    const job = tight.prepare({ secrets: ["x".repeat(1 << 20)], steps: [{ run: "echo ran" }] });
    tight.wrapper = ["prlimit", "--as=20000000"];
    tight.tell(`run ${job.id}`);
    await until("the launcher's word", () => tight.heard.includes(`failed ${job.id} 12`));
    assert.deepEqual(job.status(), []);
    await tight.closeLauncher();
    tight.wrapper = [];
    tight.tell(`run ${job.id}`);
    await job.finished();
    assert.equal(job.text(), "ran\n");
  },
);

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
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmdirSync(folder);
    return null;
  }
}
