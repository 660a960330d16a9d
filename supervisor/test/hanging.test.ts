import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Box, compile, isLiving, type Job, pids, type Plan, program as supervisor, type Step, until } from "./harness.ts";

/** A step whose working directory or program is on a file system that does not answer. */

const program = process.getuid?.() === 0 && existsSync("/dev/fuse") ? compile("hanging_files") : null;
const skip = program !== null && mayMount(program.file) ? false : "left out: needs root, /dev/fuse, and to be allowed to mount";
after(() => program?.remove());

/** Places that make the new process wait. */
const places: { title: string; step: (mount: string) => Step; path?: (mount: string) => string }[] = [
  { title: "working directory", step: (mount) => ({ args: ["/bin/echo", "no"], workdir: mount }) },
  { title: "program", step: (mount) => ({ args: [join(mount, "tool")] }) },
  { title: "folder of PATH", step: () => ({ args: ["tool"] }), path: (mount) => `/bin:${mount}` },
  { title: "interpreter of a script", step: () => ({ args: ["./script"] }) },
  { title: "link to a program", step: () => ({ args: ["./link"] }) },
];

/** Jobs of the first kind start in a process that shares its supervisor's memory, the others in a copy. */
const ways: { name: string; more: Partial<Plan> }[] = [
  { name: "a plain job", more: {} },
  { name: "a job with secrets", more: { secrets: ["a secret"] } },
  { name: "a job with a user", more: { user: "0 0" } },
];

for (const { name: way, more } of ways) {
  describe(way, { skip }, () => {
    let box: Box;
    let mount: string;
    let server: ChildProcess;

    before(() => {
      box = new Box();
    });
    after(() => box.close());
    beforeEach(async () => {
      mount = mkdtempSync(join(tmpdir(), "hanging-files-"));
      server = spawn(program?.file ?? "", [mount], { stdio: ["pipe", "pipe", "inherit"] });
      await until("the mount", () => server.stdout?.read() !== null || server.exitCode !== null);
      assert.equal(server.exitCode, null, "it is mounted");
    });
    afterEach(async () => {
      server.stdin?.end();
      if (server.exitCode === null) await once(server, "exit");
      rmdirSync(mount);
    });

    function start(step: Step, plan: Partial<Plan> = {}): Job {
      const job = box.prepare({ ...more, ...plan, steps: [...(plan.steps ?? []), step] });
      const work = join(job.directory, "work");
      mkdirSync(work, { mode: 0o755 });
      writeFileSync(join(work, "script"), `#!${join(mount, "tool")}\n`, { mode: 0o755 });
      symlinkSync(join(mount, "tool"), join(work, "link"));
      box.tell(`run ${job.id}`);
      return job;
    }

    /** Runs the step. Returns the job and its process, which waits for the file system. */
    async function hanging(step: Step, plan: Partial<Plan> = {}): Promise<{ job: Job; pid: number }> {
      const job = start(step, plan);
      const pid = await until("a process that waits for the file system", () =>
        pids().find((each) => isWaiting(each, job.supervisorPid())),
      );
      return { job, pid };
    }

    for (const { title, step, path } of places) {
      test(`a kill does not wait for its ${title}`, async () => {
        const { job, pid } = await hanging(step(mount), path === undefined ? {} : { env: { PATH: path(mount) } });
        job.order("kill");
        await job.finished();
        assert.deepEqual(job.events(), ["start 1", "stop kill", "end 1", "done"]);
        assert.equal(job.lines("end")[0]?.[2], "9", "by SIGKILL");
        assert.equal(isLiving(pid), false);
      });
    }

    test("a timeout of the job or of the step does not wait for the file system either", async () => {
      const ofStep = start({ args: [join(mount, "tool")], timeoutMs: 30 }, { stopTimeoutMs: 0 });
      const ofJob = start({ args: [join(mount, "tool")] }, { timeoutMs: 30, stopTimeoutMs: 0 });
      await ofStep.finished();
      await ofJob.finished();
      assert.equal(ofStep.lines("expire").length, 1);
      assert.equal(ofJob.lines("stop")[0]?.[1], "timeout");
    });

    test("meanwhile, output of processes that an earlier step left behind is kept", async () => {
      const left = "(until test -e go; do sleep 0.01; done; echo left) & echo first";
      const { job } = await hanging({ args: [join(mount, "tool")] }, { steps: [{ run: left }] });
      writeFileSync(join(job.directory, "work", "go"), "");
      await job.printed("left");
      assert.deepEqual(job.events(), ["start 1", "end 1"], "the second step is not said to have started");
      job.order("kill");
      await job.finished();
    });

    test("when the file system answers, the command is executed, and its start is reported", async () => {
      const { job } = await hanging({ args: [join(mount, "tool")] }, { steps: [{ run: "echo first" }] });
      server.stdin?.write("answer\n");
      await job.finished();
      assert.equal(job.text(), "first\nhere\n");
      assert.deepEqual(job.events(), ["start 1", "end 1", "start 2", "end 2", "done"]);
    });

    test("when the file system answers that there is no such program, the step fails with that error", async () => {
      const { job } = await hanging({ args: [join(mount, "other")] });
      server.stdin?.write("answer\n");
      await job.finished();
      assert.deepEqual(
        job.lines("fail").map(([step, , stage, error]) => [step, stage, error]),
        [["1", "exec", "2"]],
      );
      assert.deepEqual(job.events(), ["fail 1", "done"]);
    });

    test("the waiting process is killed with its supervisor", async () => {
      const { job, pid } = await hanging({ args: [join(mount, "tool")] });
      box.expectedDeaths++;
      process.kill(job.supervisorPid(), "SIGKILL");
      await until("its end", () => !isLiving(pid));
      box.tell(`sweep ${job.id}`);
      await job.finished();
    });
  });
}

function mayMount(file: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), "hanging-files-"));
  const { status } = spawnSync(file, [folder], { stdio: ["ignore", "ignore", "inherit"] });
  rmdirSync(folder);
  return status !== 2;
}

/** Whether this is a child of the supervisor that has executed nothing yet, and sleeps. */
function isWaiting(pid: number, parent: number): boolean {
  try {
    const [state = "", itsParent] = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(itsParent) === parent && "SD".includes(state) && readlinkSync(`/proc/${pid}/exe`) === supervisor;
  } catch {
    return false;
  }
}
