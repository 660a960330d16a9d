import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Box, isLiving, type Job, makeCgroups, type Plan, until } from "./harness.ts";
import { childrenOf, idleOnes, isIdle, mostIdle, openBox, plain, read, runAndWait } from "./idle.ts";

/** Supervisors that have finished a job and take the next one. Waiting ones are children of the launcher whose working directory is /. */

const mountFolder = mkdtempSync(join(tmpdir(), "supervisor-test-"));
const canMount = spawnSync("mount", ["-t", "tmpfs", "none", mountFolder]).status === 0 && spawnSync("umount", [mountFolder]).status === 0;
rmSync(mountFolder, { recursive: true });
const needsMount = canMount ? false : "left out: mounting takes privileges";
const isPlainBuild = process.env["JOBRUNNER_SUPERVISOR"] === undefined; // a sanitizer has memory and files of its own

function filesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => read(() => readlinkSync(`/proc/${pid}/fd/${fd}`)))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

test("a supervisor that has finished a plain job takes the next one, and records the same as a new supervisor", async (t) => {
  const box = openBox(t);
  const first = await runAndWait(box, {
    steps: [
      { run: "echo first; echo err >&2; exit 3" },
      { run: "sleep 0.01; echo cleaned", runOn: "failure" },
      { args: ["no-such-program"], runOn: "always" },
    ],
  });
  const second = await runAndWait(box, { steps: [{ run: "cat; exit 4" }], stdin: "second" });
  const third = await runAndWait(box, { steps: [{ run: "echo $PWD; exit 0" }] });
  assert.deepEqual([second.pid, third.pid], [first.pid, first.pid]);
  assert.deepEqual(first.job.events(), ["start 1", "end 1", "start 2", "end 2", "fail 3", "done"]);
  assert.deepEqual(second.job.events(), ["start 1", "end 1", "done"]);
  assert.equal(second.job.text(), "second");
  assert.deepEqual(second.job.lines("done")[0]?.slice(1), ["6", "0"]);
  assert.equal(second.job.lines("end")[0]?.[2], String(4 << 8));
  assert.deepEqual(
    second.job.index().map(({ end, step, stream }) => [end, step, stream]),
    [[6, 1, 1]],
  );
  assert.equal(third.job.text(), `${third.job.directory}/work\n`);
  assert.deepEqual(box.heard, []);
});

test("a supervisor's second job has the same surroundings as its first one", async (t) => {
  const box = openBox(t);
  const look =
    "umask; ulimit -a; ls -l /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; grep -E " +
    "'^(SigBlk|SigIgn|SigCgt|Cap|NoNewPrivs|Groups)' /proc/self/status; env; stat -c %a . .. ../status ../control ../output; [ $(ps " +
    "-o sid= $$) = $$ ] && echo leads";
  const lives = [await runAndWait(box, { steps: [{ run: look }] }), await runAndWait(box, { steps: [{ run: look }] })];
  assert.equal(lives[0]?.pid, lives[1]?.pid);
  const [fresh, again] = lives.map(({ job }) => job.text().replaceAll(job.id, "ID"));
  assert.match(String(fresh), /leads\n$/);
  assert.equal(again, fresh);
});

test("half a request to one job is not a part of a request to the next", async (t) => {
  const box = openBox(t);
  const first = box.run({ steps: [{ run: "until test -e go; do sleep 0.01; done" }] });
  await until("the start", () => first.events().includes("start 1"));
  const control = openSync(join(first.directory, "control"), constants.O_WRONLY);
  writeSync(control, "termi");
  closeSync(control);
  writeFileSync(join(first.directory, "work", "go"), "");
  await first.finished();
  await until("that it waits", () => isIdle(first.supervisorPid()));
  const second = box.run({ steps: [{ run: "until test -e go; do sleep 0.01; done" }] });
  await until("the start", () => second.events().includes("start 1"));
  second.order("nate");
  writeFileSync(join(second.directory, "work", "go"), "");
  await second.finished();
  assert.equal(second.supervisorPid(), first.supervisorPid());
  assert.deepEqual(second.events(), ["start 1", "end 1", "done"]);
});

test("a waiting supervisor holds no folder, file or memory of a job", async (t) => {
  const box = openBox(t);
  const { job, pid } = await runAndWait(box, { env: { ONLY_THERE: "a value" }, steps: [{ run: "echo $ONLY_THERE" }] });
  assert.deepEqual(
    filesOf(pid).filter((path) => path !== "/dev/null" && path !== "anon_inode:[signalfd]" && !path.includes("/reports/")),
    [],
  );
  const maps = readFileSync(`/proc/${pid}/maps`, "latin1");
  assert.ok(!maps.includes(box.state), maps);
  assert.ok(!job.isAlive());
  assert.deepEqual(childrenOf(pid), []);
});

test(
  "a job's disk can be unmounted while its supervisor waits, and the state directory's disk after the launcher's end",
  { skip: needsMount },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "supervisor-test-"));
    const disks = ["state", "work"].map((name) => join(folder, name));
    t.after(() => {
      for (const disk of disks) spawnSync("umount", [disk], { stdio: "ignore" });
      rmSync(folder, { recursive: true });
    });
    for (const disk of disks) {
      mkdirSync(disk);
      assert.equal(spawnSync("mount", ["-t", "tmpfs", "none", disk]).status, 0);
    }
    const [state = "", work = ""] = disks;
    const box = new Box(state);
    const { pid } = await runAndWait(box, { steps: [{ run: "echo here > file", workdir: work }] });
    assert.ok(existsSync(join(work, "file")));
    assert.equal(spawnSync("umount", [work]).status, 0);
    assert.ok(isIdle(pid));
    // The launcher's working directory is on the disk, so only its end releases the disk. A stopped supervisor cannot end by itself.
    process.kill(pid, "SIGSTOP");
    const { launcher } = box;
    launcher.kill("SIGKILL");
    await until("the launcher's end", () => launcher.signalCode !== null);
    assert.equal(spawnSync("umount", [state]).status, 0);
  },
);

for (const how of ["is killed", "comes to the end of its input"]) {
  test(`waiting supervisors end with their launcher, which ${how}`, async (t) => {
    const box = openBox(t);
    const { pid } = await runAndWait(box);
    process.kill(pid, "SIGSTOP"); // so that it does not end after its second
    if (how === "is killed") box.launcher.kill("SIGKILL");
    else box.launcher.stdin?.end();
    await until("its end", () => !isLiving(pid));
  });
}

test("a supervisor whose launcher has ended runs its job to the end, and takes no job of the next launcher", async (t) => {
  const box = openBox(t);
  const old = box.run({ steps: [{ run: "until test -e go; do sleep 0.01; done; echo whole" }] });
  await until("the start", () => old.events().includes("start 1"));
  await box.closeLauncher();
  const { pid } = await runAndWait(box); // this starts a new launcher
  writeFileSync(join(old.directory, "work", "go"), "");
  await old.finished();
  assert.equal(old.text(), "whole\n");
  const jobs = Array.from({ length: 4 }, () => box.run(plain));
  for (const job of jobs) assert.notEqual((await job.finished()).supervisorPid(), old.supervisorPid());
  assert.notEqual(pid, old.supervisorPid());
  await until("its end", () => !isLiving(old.supervisorPid()));
});

test("a supervisor that is not needed ends", async (t) => {
  const box = openBox(t);
  const { pid } = await runAndWait(box);
  await until("its end", () => !isLiving(pid));
  await until("that the launcher has no child", () => childrenOf(box.launcher.pid).length === 0);
  assert.notEqual((await runAndWait(box)).pid, pid);
  assert.deepEqual(box.heard, []);
});

test("at most sixteen supervisors wait", async (t) => {
  const box = openBox(t);
  const gate = join(box.state, "go");
  const jobs = Array.from({ length: mostIdle + 8 }, () => box.run({ steps: [{ run: `until test -e ${gate}; do sleep 0.05; done` }] }));
  for (const job of jobs) await until("the start", () => job.events().includes("start 1"));
  writeFileSync(gate, "");
  let most = 0;
  await until("the end of all", () => {
    most = Math.max(most, idleOnes(box).length);
    return jobs.every((job) => job.events().includes("done")) && childrenOf(box.launcher.pid).length <= mostIdle;
  });
  assert.ok(most >= 1 && most <= mostIdle, `${most} wait`);
  assert.equal(new Set(jobs.map((job) => job.supervisorPid())).size, jobs.length);
});

test("all jobs that are requested at once run, even if the launcher's input ends with the requests", async (t) => {
  const box = openBox(t);
  await runAndWait(box);
  const small = Array.from({ length: 60 }, () => box.run({ steps: [{ run: "echo ran >> ../count" }] }));
  const asleep = Array.from({ length: 20 }, () => box.run({ steps: [{ run: "echo ran >> ../count; sleep 0.3" }] }));
  await box.closeLauncher();
  for (const job of [...small, ...asleep]) assert.equal(readFileSync(join((await job.finished()).directory, "count"), "latin1"), "ran\n");
  assert.deepEqual(box.heard, []);
});

const cgroups = makeCgroups();
const unusual: { what: string; plan: Plan; act?: (job: Job) => void }[] = [
  { what: "had secrets", plan: { secrets: ["hush"], steps: [{ run: "echo hush" }] } },
  { what: "ran in a container", plan: { steps: [{ run: "echo in; exit 0", settle: "exit 0" }] } },
  { what: "was terminated", plan: { steps: [{ run: "echo ready; exec sleep 1000" }] }, act: (job) => job.order("terminate") },
  { what: "was killed", plan: { steps: [{ run: "echo ready; exec sleep 1000" }] }, act: (job) => job.order("kill") },
  { what: "had a step that took too long", plan: { steps: [{ run: "exec sleep 1000", timeoutMs: 20 }] } },
  { what: "left somebody behind", plan: { steps: [{ run: "setsid sleep 1000 & exit 0" }] } },
  {
    what: "left somebody behind in its cgroup",
    plan: { cgroup: `${cgroups?.folder}/job`, steps: [{ run: "setsid sleep 1000 & exit 0" }] },
  },
  { what: "had a plan that cannot be read", plan: { stopSignal: 99, steps: [{ run: "exit 0" }] } },
];

for (const { what, plan, act } of unusual) {
  const skip = plan.cgroup !== undefined && cgroups === null ? "left out: no cgroup v2 can be made here" : false;
  test(`the supervisor of a job that ${what} takes no other job`, { skip }, async (t) => {
    const box = openBox(t);
    const job = box.run(plan);
    if (act !== undefined) await job.printed("ready");
    act?.(job);
    await job.finished();
    const next = await box.run(plain).finished();
    assert.notEqual(next.supervisorPid(), job.supervisorPid());
    await until("its end", () => !isLiving(job.supervisorPid()));
  });
}

test(
  "jobs with and without a cgroup can follow each other",
  { skip: cgroups === null ? "left out: no cgroup v2 can be made here" : false },
  async (t) => {
    const box = openBox(t);
    const look = { steps: [{ run: "grep ^0:: /proc/self/cgroup" }] };
    const first = await runAndWait(box, { ...look, cgroup: `${cgroups?.folder}/first` });
    const second = await runAndWait(box, { ...look, cgroup: `${cgroups?.folder}/second` });
    const third = await runAndWait(box, look);
    assert.deepEqual([second.pid, third.pid], [first.pid, first.pid]);
    assert.match(first.job.text(), /\/first\n$/);
    assert.match(second.job.text(), /\/second\n$/);
    assert.doesNotMatch(third.job.text(), /\/(first|second)\n$/);
    assert.deepEqual(
      readdirSync(cgroups?.folder ?? "").filter((name) => name === "first" || name === "second"),
      [],
    );
  },
);
test.after(() => cgroups?.remove());

/**
 * KiB of memory that the process has written to and shares with no other process. If there is only one supervisor, this includes the
 * program's own pages.
 */
function ownMemory(pid: number): number {
  return Number(/^Private_Dirty:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? Number.NaN);
}

/** Like until(), but checks more often, for waits that happen a thousand times. */
async function soon(look: () => boolean): Promise<void> {
  while (!look()) await new Promise((wake) => setTimeout(wake, 1));
}

test("one process runs a thousand jobs, and needs no more files and memory after the last one than after the first ones", async (t) => {
  const box = openBox(t);
  const jobs = isPlainBuild ? 1000 : 100;
  const { pid } = await runAndWait(box, { steps: [{ run: "head -c 300000 /dev/zero; echo; echo >&2" }] });
  for (let number = 0; number < 10; number++) await runAndWait(box);
  const files = filesOf(pid);
  const memory = ownMemory(pid);
  for (let number = 0; number < jobs; number++) {
    const job = box.run(number % 50 === 0 ? { steps: Array.from({ length: 3 }, () => ({ run: "echo one; echo two >&2" })) } : plain);
    await soon(() => job.lines("done").length === 1 && isIdle(pid));
    assert.equal(job.supervisorPid(), pid);
    rmSync(job.directory, { recursive: true });
  }
  assert.deepEqual(filesOf(pid), files);
  if (!isPlainBuild) return;
  assert.ok(ownMemory(pid) <= memory, `${memory} KiB, then ${ownMemory(pid)}`);
  assert.ok(memory <= 60, `${memory} KiB`);
});
