import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Box, isLiving, type Job, program, until } from "./harness.ts";

let box: Box;
before(() => {
  box = new Box();
});
after(() => box.close());

test("the program prints its version and its usage", () => {
  assert.match(spawnSync(program, ["--version"], { encoding: "utf8" }).stdout, /^jobrunner-supervisor \d+\.\d+\.\d+\n$/);
  assert.equal(spawnSync(program, [], { encoding: "utf8" }).status, 2);
});

test("a missing state directory is an error message", () => {
  const { status, stderr } = spawnSync(program, ["launch", "/no/such/state"], { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /\/no\/such\/state: No such file or directory/);
});

test("a job runs once, however often it is requested", async () => {
  const job = box.prepare({ steps: [{ run: "echo ran >> ../count; echo ran" }] });
  for (let times = 0; times < 20; times++) box.tell(`run ${job.id}`);
  await job.finished();
  box.tell(`run ${job.id}`);
  await box.run({ steps: [{ run: "exit 0" }] }).finished();
  assert.equal(readFileSync(join(job.directory, "count"), "latin1"), "ran\n");
  assert.deepEqual(job.events(), ["start 1", "end 1", "done"]);
  assert.equal(job.text(), "ran\n");
  assert.deepEqual(box.heard, []);
});

test("invalid IDs and unknown requests are ignored", async () => {
  box.tell("run ../../../../../../etc/aaaaaaaaaaaaaaaaa");
  box.tell("run");
  box.tell("jump 00000000-0000-4000-8000-000000000000");
  box.tell(`run ${"x".repeat(200_000)}`);
  const job = await box.run({ steps: [{ run: "echo fine" }] }).finished();
  assert.equal(job.text(), "fine\n");
});

test("a job without a directory or a plan fails before anything runs", async () => {
  const id = "00000000-0000-4000-8000-000000000000";
  box.tell(`run ${id}`);
  await until("the launcher's word", () => box.heard.includes(`failed ${id} 2`));
  const job = box.prepare({ steps: [{ run: "exit 0" }] });
  rmSync(join(job.directory, "plan"));
  box.tell(`run ${job.id}`);
  await until("the launcher's word", () => box.heard.includes(`failed ${job.id} 2`));
  assert.deepEqual(job.status(), []);
});

test("an incomplete plan, or one of another job, is refused for good", async () => {
  const other = box.prepare({ steps: [{ run: "exit 0" }] });
  for (const change of [(plan: Buffer) => plan.subarray(0, -4), () => Buffer.alloc(0), () => readFileSync(join(other.directory, "plan"))]) {
    const job = box.prepare({ steps: [{ run: "echo no" }] });
    writeFileSync(join(job.directory, "plan"), change(readFileSync(join(job.directory, "plan"))));
    box.tell(`run ${job.id}`);
    await job.finished();
    assert.deepEqual(job.events(), ["fail 0", "done"]);
    assert.deepEqual(job.lines("fail")[0]?.slice(2), ["plan", "22"]);
  }
});

/** Reads one ring after the other. */
function openDoorbell(): { next: () => string | null; close: () => void } {
  const bell = openSync(join(box.state, "doorbell"), constants.O_RDWR | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(65536);
  const next = (): string | null => {
    try {
      return bytes.toString("latin1", 0, readSync(bell, bytes));
    } catch {
      return null; // EAGAIN: no ring yet
    }
  };
  return { next, close: () => closeSync(bell) };
}

function statusOf(job: Job): string {
  return readFileSync(join(job.directory, "status"), "latin1");
}

test("the supervisor rings at the start and at the end, with the status lines since the previous ring", async () => {
  const bell = openDoorbell();
  const job = box.run({ steps: [{ run: "until test -e go; do sleep 0.01; done" }] });
  const first = await until("the first ring", bell.next);
  const before = statusOf(job);
  assert.deepEqual(job.events(), ["start 1"]);
  assert.equal(first, `at ${job.id} 0\n${before}${job.id}\n`);
  writeFileSync(join(job.directory, "work", "go"), "");
  const second = await until("the second ring", bell.next);
  assert.deepEqual(job.events(), ["start 1", "end 1", "done"]);
  assert.equal(second, `at ${job.id} ${before.length}\n${statusOf(job).slice(before.length)}${job.id}\n`);
  bell.close();
});

test("lines that follow each other quickly share a ring, and are in the file at the offset in the ring", async () => {
  const bell = openDoorbell();
  const steps = 300;
  const job = box.run({ steps: Array.from({ length: steps }, () => ({ args: ["/nothing/there"], ignoreError: true })) });
  let rung = "";
  await until("the end's ring", () => (rung += bell.next() ?? "").includes("\ndone "));
  const rings = rung.split(new RegExp(`(?<=^|\n)${job.id}\n`)).slice(0, -1);
  assert.ok(rings.length < steps, `${rings.length} rings`);
  for (const ring of rings) {
    const [, offset, lines = ""] = /^at \S+ (\d+)\n(.+)$/s.exec(ring) ?? [];
    assert.equal(lines, statusOf(job).slice(Number(offset), Number(offset) + lines.length));
  }
  assert.match(rings.at(-1) ?? "", /\ndone .*\n$/);
  bell.close();
});

test("nobody has to read the doorbell", async () => {
  const bell = openSync(join(box.state, "doorbell"), constants.O_RDWR | constants.O_NONBLOCK);
  spawnSync("sh", ["-c", "timeout 0.2 cat /dev/zero > doorbell"], { cwd: box.state });
  await box.run({ steps: [{ run: "exit 0" }] }).finished();
  closeSync(bell);
});

test("the launcher ends with its input; its supervisors stay, and hold no descriptor of the service", async () => {
  const job = box.run({ steps: [{ run: "until test -e go; do sleep 0.01; done; echo whole" }] });
  await until("the start", () => job.events().includes("start 1"));
  await box.closeLauncher();
  const pid = job.supervisorPid();
  assert.ok(isLiving(pid));
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  assert.deepEqual(
    open.filter((path) => path.startsWith("socket:")),
    [],
  );
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) process.kill(pid, signal);
  writeFileSync(join(job.directory, "work", "go"), "");
  await job.finished();
  assert.equal(job.text(), "whole\n");
});

test("a sweep after a reboot signals no process", async () => {
  const job = box.prepare({ steps: [{ run: "exit 0" }] });
  spawnSync("mkfifo", [join(job.directory, "control")]);
  writeFileSync(join(job.directory, "status"), `jobrunner-status 1 11111111-2222-3333-4444-555555555555 1 1\nstart 1 1 1\nend 1 17`);
  box.tell(`sweep ${job.id}`);
  await job.finished();
  assert.deepEqual(job.events(), ["start 1", "swept"]);
  assert.equal(job.lines("swept")[0]?.[1], "0");
});

test("a job whose claim was interrupted is also swept", async () => {
  const job = box.prepare({ steps: [{ run: "exit 0" }] });
  spawnSync("mkfifo", [join(job.directory, "control")]);
  appendFileSync(join(job.directory, "status"), "");
  box.tell(`sweep ${job.id}`);
  await until("the sweeper's line", () => readFileSync(join(job.directory, "status"), "latin1").startsWith("swept "));
});
