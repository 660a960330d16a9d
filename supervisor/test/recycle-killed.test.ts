import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Box, isLiving, type Job, until } from "./harness.ts";
import { isIdle, mostIdle, openBox, plain, read, runAndWait } from "./idle.ts";

/** Supervisors that run one job after the other, and are killed, stopped or fail between two jobs. */

const needsStrace = spawnSync("strace", ["-V"]).status === 0 ? false : "left out: strace is not installed";

test("waiting supervisors may be killed, more than there are slots, and the next job runs", async (t) => {
  const box = openBox(t);
  box.expectedDeaths = Number.POSITIVE_INFINITY;
  for (let killed = 0; killed < mostIdle + 4; killed++) {
    const job = await runWhateverDies(box); // it may have been given to the supervisor that was killed last
    await until("that it waits for the next job", () => isIdle(job.supervisorPid()));
    process.kill(job.supervisorPid(), "SIGKILL");
  }
  await runWhateverDies(box);
  const { pid } = await runAndWait(box);
  assert.equal((await runAndWait(box)).pid, pid);
});

test("if a supervisor is killed before it takes its job, the launcher reports a death, and another one runs the job", async (t) => {
  const box = openBox(t);
  const { pid } = await runAndWait(box);
  process.kill(pid, "SIGSTOP");
  const job = box.prepare({ steps: [{ run: "echo ran >> ../count" }] });
  box.tell(`run ${job.id}`);
  box.expectedDeaths++;
  process.kill(pid, "SIGKILL");
  await until("the launcher's word", () => box.heard.includes("died"));
  box.tell(`run ${job.id}`);
  await job.finished();
  assert.notEqual(job.supervisorPid(), pid);
  assert.equal(readFileSync(join(job.directory, "count"), "latin1"), "ran\n");
});

test("if a supervisor does not answer for the job that it was given, another one runs it, once", async (t) => {
  const box = openBox(t);
  const { pid } = await runAndWait(box);
  process.kill(pid, "SIGSTOP");
  const job = await box.run({ steps: [{ run: "echo ran >> ../count" }] }).finished();
  assert.notEqual(job.supervisorPid(), pid);
  process.kill(pid, "SIGCONT");
  await until("its end", () => !isLiving(pid));
  assert.equal(readFileSync(join(job.directory, "count"), "latin1"), "ran\n");
  assert.deepEqual(box.heard, []);
});

test("a job that could not be claimed is reported once, and nothing ran", async (t) => {
  const box = openBox(t);
  const { pid } = await runAndWait(box);
  const id = "00000000-0000-4000-8000-000000000000";
  box.tell(`run ${id}`);
  await until("its end", () => !isLiving(pid));
  await runAndWait(box);
  const job = box.prepare(plain);
  rmSync(join(job.directory, "plan"));
  box.tell(`run ${job.id}`);
  await until("the launcher's word", () => box.heard.length === 2);
  await runAndWait(box);
  assert.deepEqual(box.heard, [`failed ${id} 2`, `failed ${job.id} 2`]);
  assert.deepEqual(job.status(), []);
});

test("a job that is requested repeatedly runs once, whichever supervisors get it", async (t) => {
  const box = openBox(t);
  await Promise.all(Array.from({ length: 4 }, () => box.run(plain).finished()));
  const job = box.prepare({ steps: [{ run: "echo ran >> ../count" }] });
  for (let times = 0; times < 20; times++) box.tell(`run ${job.id}`);
  await job.finished();
  await runAndWait(box);
  assert.equal(readFileSync(join(job.directory, "count"), "latin1"), "ran\n");
  assert.deepEqual(box.heard, []);
});

/**
 * Calls, counted from a supervisor's beginning. For its first job it calls chdir(2) twice; then before and after it waits. The other calls
 * are counted in the same way.
 */
const moments: [string, number[]][] = [
  ["prctl", [2, 3]],
  ["futex", [1]],
  ["waitid", [1]],
  ["munmap", [1]],
  ["chdir", [2, 3, 4]],
  ["access,faccessat", [2]],
  ["mmap", [2]],
  ["mkdir,mkdirat", [2]],
  ["mknod,mknodat", [2]],
  ["openat", [6, 7, 8, 9, 10, 11, 12]],
];

for (const [calls, numbers] of moments) {
  test(
    `if a supervisor is killed at its ${calls} between two jobs, no job is lost, and each runs once`,
    { skip: needsStrace },
    async (t) => {
      for (const number of numbers) {
        const box = openBox(t);
        box.expectedDeaths = Number.POSITIVE_INFINITY;
        const strace = await injectKill(box, calls, number);
        const jobs: Job[] = [];
        for (let round = 0; round < 3; round++) {
          const heard = box.heard.length;
          jobs.push(await runWhateverDies(box));
          // The launcher wakes a supervisor by futex(2) until it knows of its death, and must not be killed itself.
          if (calls === "futex") await until("that the launcher knows of the death", () => box.heard.length > heard);
        }
        strace.kill("SIGINT");
        await until("that strace lets go", () => strace.exitCode !== null || strace.signalCode !== null);
        for (const job of jobs.filter((each) => !isFinished(each))) box.tell(`sweep ${job.id}`);
        for (const job of jobs) await job.finished();
        assert.ok(box.heard.includes("died"), `nobody came to ${calls} ${number}`);
        await box.closeLauncher();
      }
    },
  );
}

/** Kills each process that the launcher or its children fork, at its call with this number, by strace(1). */
async function injectKill(box: Box, calls: string, number: number): Promise<ChildProcess> {
  const set = calls
    .split(",")
    .map((call) => `?${call}`)
    .join(",");
  const { pid } = box.launcher;
  await until("that the launcher is ready", () => read(() => readlinkSync(`/proc/${pid}/cwd`)).endsWith("/jobs"));
  const strace = spawn(
    "strace",
    ["-f", "-p", String(pid), "-o", "/dev/null", "-e", `trace=${set}`, "-e", `inject=${set}:signal=SIGKILL:when=${number}`],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  strace.stderr.on("data", (text: Buffer) => (said += text.toString()));
  await until("that strace is attached", () => said.includes("attached"));
  return strace;
}

function isFinished(job: Job): boolean {
  return job.status().some((line) => /^(done|swept) /.test(line));
}

/** Does what the service does: after a death, sends unclaimed jobs again, until the job is finished or its supervisor died. */
async function runWhateverDies(box: Box): Promise<Job> {
  const job = box.run({ steps: [{ run: "echo ran >> ../count" }] });
  const heard = { died: box.heard.length };
  await until("the job's end, or its supervisor's", () => {
    if (isFinished(job)) return true;
    if (existsSync(join(job.directory, "status"))) return !job.isAlive();
    if (heard.died < box.heard.length) {
      heard.died = box.heard.length;
      box.tell(`run ${job.id}`);
    }
    return false;
  });
  const count = join(job.directory, "count");
  const runs = existsSync(count) ? readFileSync(count, "latin1") : "";
  // The killed process may have been the step's.
  const hasSucceeded = job.lines("end")[0]?.[2] === "0";
  assert.ok(runs === "ran\n" || (runs === "" && !hasSucceeded), `${JSON.stringify(job.status())} ${runs}`);
  return job;
}
