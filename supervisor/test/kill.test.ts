import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Box, type Job, isLiving, makeCgroups, type Plan, processesOf, until } from "./harness.ts";

const cgroups = makeCgroups();
after(() => cgroups?.remove());

for (const isIn of [false, true]) {
  const skip = isIn && cgroups === null ? "left out: no cgroup v2 can be made here" : false;
  describe(isIn ? "with a cgroup" : "without a cgroup", { skip }, () => {
    let box: Box;
    let count = 0;
    before(() => {
      box = new Box();
    });
    after(async () => {
      await box.close();
      if (isIn)
        assert.deepEqual(
          readdirSync(cgroups?.folder ?? "/", { withFileTypes: true }).filter((entry) => entry.isDirectory()),
          [],
        );
    });

    /** Runs the plan until the job has printed "ready". */
    async function ready(plan: Plan): Promise<Job> {
      const job = box.run({ ...plan, ...(isIn ? { cgroup: join(cgroups?.folder ?? "", `job-${(count += 1)}`) } : {}) });
      await job.printed("ready");
      return job;
    }

    async function gone(job: Job): Promise<void> {
      await job.finished();
      assert.deepEqual(processesOf(job.id), []);
    }

    test("terminate sends the stop signal to all processes of the job", async () => {
      const job = await ready({ steps: [{ run: "trap 'echo bye; exit 0' TERM; sleep 1000 & echo ready; wait" }, { run: "echo no" }] });
      job.order("terminate");
      await gone(job);
      assert.equal(job.text(), "ready\nbye\n");
      assert.deepEqual(job.events(), ["start 1", "stop terminate", "end 1", "done"]);
    });

    test("the plan can name another stop signal", async () => {
      const job = await ready({ stopSignal: 2, steps: [{ run: "trap 'echo int; exit 0' INT; echo ready; while :; do sleep 0.01; done" }] });
      job.order("terminate");
      await gone(job);
      assert.equal(job.text(), "ready\nint\n");
    });

    test("a process that ignores the stop signal gets SIGKILL after the grace period", async () => {
      const job = await ready({ stopTimeoutMs: 50, steps: [{ run: "trap '' TERM; echo ready; while :; do sleep 1000; done" }] });
      job.order("terminate");
      await gone(job);
      assert.equal(job.lines("end")[0]?.[2], "9");
    });

    test("steps that always run also run after SIGKILL", async () => {
      const always = { run: "sleep 0.01; echo always", runOn: "always" as const };
      const job = await ready({
        stopTimeoutMs: 50,
        steps: [{ run: "trap '' TERM; echo ready; while :; do sleep 0.01; done" }, always, always],
      });
      job.order("terminate");
      await gone(job);
      assert.match(job.text(), /always\nalways\n$/);
    });

    test("processes that the first process leaves behind get SIGKILL at the end of the grace period", async () => {
      const job = await ready({ stopTimeoutMs: 50, steps: [{ run: "(trap '' TERM; echo ready; while :; do sleep 1000; done) & wait" }] });
      job.order("terminate");
      await gone(job);
      assert.equal(job.lines("end")[0]?.[2], "15");
    });

    test(
      "the stop signal reaches processes in a cgroup below the job's, and processes that left the job's cgroup",
      { skip: isIn ? false : "without a cgroup nobody can" },
      async () => {
        const own = join(cgroups?.folder ?? "", `job-${count + 1}`);
        const stray = (folder: string, name: string): string =>
          `(trap 'echo ${name}; exit 0' TERM; echo $BASHPID > ${folder}/cgroup.procs; touch ${name}; while :; do sleep 0.01; done) &`;
        const wait = "until [ -e below ] && [ -e left ]; do sleep 0.01; done; trap : TERM; echo ready; wait; wait; wait";
        const job = await ready({
          stopTimeoutMs: 10_000,
          steps: [{ run: `mkdir ${own}/below\n${stray(`${own}/below`, "below")}\n${stray(join(own, ".."), "left")}\n${wait}` }],
        });
        job.order("terminate");
        await gone(job);
        const lines = job.text().split("\n"); // bash may also report the end of its "sleep"
        assert.ok(lines.includes("below") && lines.includes("left"), job.text());
      },
    );

    test("a second terminate during the grace period changes nothing", async () => {
      const job = await ready({ stopTimeoutMs: 200, steps: [{ run: "trap '' TERM; echo ready; while :; do sleep 1000; done" }] });
      job.order("terminate");
      job.order("terminate");
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "stop terminate", "end 1", "done"]);
    });

    test("steps that run always run after terminate, and a second one ends them", async () => {
      const job = await ready({
        steps: [
          { run: "echo ready; sleep 1000" },
          { run: "echo no" },
          { run: "echo cleaning; sleep 1000", runOn: "always" },
          { run: "echo last", runOn: "always" },
        ],
      });
      job.order("terminate");
      await job.printed("cleaning");
      job.order("terminate");
      await gone(job);
      assert.equal(job.text(), "ready\ncleaning\nlast\n");
      assert.deepEqual(job.events(), [
        "start 1",
        "stop terminate",
        "end 1",
        "start 3",
        "stop terminate",
        "end 3",
        "start 4",
        "end 4",
        "done",
      ]);
    });

    test("kill ends all processes at once, and no further step runs", async () => {
      const job = await ready({
        stopTimeoutMs: 60_000,
        steps: [{ run: "trap '' TERM; echo ready; while :; do sleep 1000; done" }, { run: "echo no", runOn: "always" }],
      });
      job.order("terminate");
      job.order("kill");
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "stop terminate", "stop kill", "end 1", "done"]);
      assert.equal(job.text(), "ready\n");
    });

    test("daemons, new sessions, stopped processes and those without the job's environment do not escape a kill", async () => {
      const job = await ready({
        stopTimeoutMs: 50,
        steps: [
          {
            run:
              "(setsid setsid sleep 1000 &); setsid sleep 1001 & (trap '' TERM HUP; sleep 1002) & sleep 1003 & kill -STOP $!; env -i " +
              "sleep 1004 & echo ready; wait",
          },
        ],
      });
      job.order("terminate");
      await gone(job);
    });

    test("a process that forks without end is killed", async () => {
      const job = await ready({
        steps: [
          {
            run:
              "trap '' TERM; f() { (f & exit) ; }; spin() { while :; do (:) & done; }; spin & setsid bash -c 'while :; do setsid " +
              "true & done' & echo ready; wait",
          },
        ],
      });
      job.order("kill");
      await gone(job);
    });

    test("a process that lives by forking and ending is killed", async () => {
      const job = await ready({
        steps: [{ args: ["perl", "-e", '$|=1; print "ready\\n"; if (fork) { sleep 1000 } while (1) { exit if fork }'] }],
      });
      job.order("kill");
      await gone(job);
    });

    test("stopped processes get the stop signal", async () => {
      const job = await ready({ stopTimeoutMs: 60_000, steps: [{ run: "trap 'exit 5' TERM; echo ready; kill -STOP $$; echo no" }] });
      job.order("terminate");
      await gone(job);
      assert.equal(job.lines("end")[0]?.[2], String(5 << 8));
    });

    test("a job's timeout stops it, and steps that always run still run", async () => {
      const job = await ready({ timeoutMs: 100, steps: [{ run: "echo ready; sleep 1000" }, { run: "echo always", runOn: "always" }] });
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "stop timeout", "end 1", "start 2", "end 2", "done"]);
    });

    test("a job without output for too long is stopped, one with output is not", async () => {
      const job = await ready({
        idleTimeoutMs: 500,
        steps: [{ run: "for i in 1 2 3 4 5 6 7 8; do echo ready; sleep 0.1; done" }, { run: "sleep 1000" }],
      });
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "end 1", "start 2", "stop idle", "end 2", "done"]);
    });

    test("a step's timeout stops that step, and the job goes on by its rules", async () => {
      const job = await ready({
        stopTimeoutMs: 100,
        steps: [
          { run: "(trap 'echo hurt' TERM; while :; do sleep 0.01; done) & echo ready" },
          { run: "trap '' TERM; sleep 1000 & while :; do sleep 1000; done", timeoutMs: 50, ignoreError: true },
          { run: "exit 0", timeoutMs: 60_000 },
        ],
      });
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "end 1", "start 2", "expire 2", "end 2", "start 3", "end 3", "done"]);
      assert.equal(job.lines("end")[1]?.[2], "9");
      assert.equal(job.text(), "ready\n");
    });

    test("a step that succeeds after its timeout has failed", async () => {
      const job = await ready({
        steps: [
          { run: "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done", timeoutMs: 1000 },
          { run: "echo no" },
          { run: "echo failure", runOn: "failure" },
        ],
      });
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "expire 1", "end 1", "start 3", "end 3", "done"]);
      assert.equal(job.lines("end")[0]?.[2], "0");
    });

    test("a step is killed with its supervisor, and a sweep ends what is left", async () => {
      const job = await ready({ steps: [{ run: "setsid sleep 1000 & (setsid sleep 1001 &) ; echo ready; wait" }] });
      box.expectedDeaths += 1;
      const before = box.heard.length;
      process.kill(job.supervisorPid(), "SIGKILL");
      await until("the launcher's word of the death", () => box.heard.slice(before).includes("died"));
      assert.equal(job.isAlive(), false);
      box.tell(`sweep ${job.id}`);
      box.tell(`sweep ${job.id}`);
      await gone(job);
      assert.deepEqual(job.events(), ["start 1", "swept"]);
      assert.ok(Number(job.lines("swept")[0]?.[1]) >= 2);
    });

    test("a sweep does nothing if the job has ended or its supervisor lives", async () => {
      const over = await ready({ steps: [{ run: "echo ready" }] });
      await over.finished();
      const live = await ready({ steps: [{ run: "echo ready; until test -e go; do sleep 0.01; done" }] });
      box.tell(`sweep ${over.id}`);
      box.tell(`sweep ${live.id}`);
      const last = await ready({ steps: [{ run: "echo ready" }] });
      await last.finished();
      assert.ok(isLiving(live.supervisorPid()));
      live.order("kill");
      await gone(live);
      assert.deepEqual(over.events(), ["start 1", "end 1", "done"]);
      assert.ok(!live.events().includes("swept"));
    });
  });
}
