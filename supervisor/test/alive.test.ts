import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Box, compile, isLiving, type Job, makeCgroups, type Plan, processesOf, until } from "./harness.ts";

/** Processes that live although /proc/PID/stat shows a zombie. */

const cgroups = makeCgroups();
const program = compile("main_thread_ends");
after(() => {
  cgroups?.remove();
  program.remove();
});

const alive = [
  { name: "whose main thread has ended", command: program.file },
  { name: "whose main thread has ended and that is called 'a) Z (b'", command: `${program.file} 'a) Z (b'` },
  { name: "whose main thread has ended and whose environment is empty", command: `env -i ${program.file}` },
  { name: "that ignores the stop signal and whose main thread has ended", command: `sh -c 'trap "" TERM; exec ${program.file}'` },
];

const namespaces = "unshare --pid --fork --mount-proc";
const hasNamespaces = spawnSync("sh", ["-c", `${namespaces} true`]).status === 0;

for (const isIn of [false, true]) {
  const skip = isIn && cgroups === null ? "left out: no cgroup v2 can be made here" : false;
  describe(isIn ? "with a cgroup" : "without a cgroup", { skip }, () => {
    let box: Box;
    let count = 0;
    before(() => {
      box = new Box();
    });
    after(() => box.close());

    function nextCgroup(): string {
      return join(cgroups?.folder ?? "", `job-${(count += 1)}`);
    }

    /** Runs the plan until the job has printed "ready". */
    async function ready(plan: Plan, cgroup = nextCgroup()): Promise<Job> {
      const job = box.run({ ...plan, ...(isIn ? { cgroup } : {}) });
      await job.printed("ready");
      return job;
    }

    async function gone(job: Job): Promise<void> {
      await job.finished();
      assert.deepEqual(processesOf(job.id), []);
    }

    for (const { name, command } of alive) {
      test(`a process ${name} is killed, and the kill waits for its end`, async () => {
        const job = await ready({ steps: [{ run: `exec ${command}` }] });
        assert.equal(processesOf(job.id).length > 0, true, "it lives");
        job.order("kill");
        await gone(job);
        assert.equal(job.lines("end").length, 1);
      });

      test(`a process ${name} gets the stop signal, or is killed after the grace period`, async () => {
        const job = await ready({ stopTimeoutMs: 100, steps: [{ run: `${command} & wait` }] });
        job.order("terminate");
        await gone(job);
      });

      test(`a process ${name} is ended by the step's timeout`, async () => {
        const job = await ready({
          stopTimeoutMs: 100,
          steps: [{ run: `exec ${command}`, timeoutMs: 500, ignoreError: true }, { run: "echo next" }],
        });
        await gone(job);
        assert.deepEqual(job.events(), ["start 1", "expire 1", "end 1", "start 2", "end 2", "done"]);
      });

      test(`a process ${name}, left in the background, does not prolong the job`, async () => {
        const job = await ready({ steps: [{ run: `${command} & until grep -q ready ../output; do sleep 0.01; done` }] });
        await gone(job);
        assert.deepEqual(job.events(), ["start 1", "end 1", "done"]);
      });

      const isUnmarked = command.startsWith("env -i") && !isIn;
      test(
        `a process ${name} is swept when its supervisor is killed`,
        { skip: isUnmarked ? "see docs/architecture.md, Limits worth knowing" : false },
        async () => {
          const job = await ready({ steps: [{ run: `${command} & wait` }] });
          box.expectedDeaths += 1;
          process.kill(job.supervisorPid(), "SIGKILL");
          await until("the death of the supervisor", () => !job.isAlive());
          box.tell(`sweep ${job.id}`);
          await gone(job);
          assert.ok(job.events().at(-1) === "swept");
        },
      );
    }

    test(
      "a PID namespace ends with its init, and so do the processes in it",
      { skip: hasNamespaces ? false : "left out: no namespace can be made here" },
      async () => {
        const inside = `trap '' TERM; ${program.file} & wait; while :; do sleep 1000; done`;
        const job = await ready({
          stopTimeoutMs: 100,
          steps: [{ run: `${namespaces} bash -c '${inside.replaceAll("'", `'"'"'`)}'`, timeoutMs: 400 }],
        });
        await gone(job);
        assert.deepEqual(job.events(), ["start 1", "expire 1", "end 1", "done"]);
        const swept = await ready({ steps: [{ run: `${namespaces} bash -c '${inside.replaceAll("'", `'"'"'`)}' & wait` }] });
        box.expectedDeaths += 1;
        process.kill(swept.supervisorPid(), "SIGKILL");
        await until("the death of the supervisor", () => !swept.isAlive());
        box.tell(`sweep ${swept.id}`);
        await gone(swept);
      },
    );

    test(
      "a process whose main thread has ended, without the job's ID and in a cgroup below the job's, is swept",
      { skip: isIn ? false : "without a cgroup nobody can" },
      async () => {
        const own = nextCgroup();
        const below = `${own}/below`;
        const job = await ready(
          { steps: [{ run: `mkdir ${below}; (echo $BASHPID > ${below}/cgroup.procs; exec setsid env -i ${program.file}) & wait` }] },
          own,
        );
        const pid = Number(readFileSync(join(below, "cgroup.procs"), "utf8").trim());
        box.expectedDeaths += 1;
        process.kill(job.supervisorPid(), "SIGKILL");
        await until("the death of the supervisor", () => !job.isAlive());
        box.tell(`sweep ${job.id}`);
        await gone(job);
        assert.ok(!isLiving(pid));
      },
    );
  });
}
