import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Box, isWrapped, processesOf, until } from "./harness.ts";

/** When a resource is exhausted, the step that needs it says so, and running processes are not affected. */

const leaving = { run: "sleep 1000 & echo left" };
const waiting = { run: "until test -e go; do sleep 0.01; done" };
const failed = (fields: string[] | undefined): string[] => (fields === undefined ? [] : [fields[0] ?? "", ...fields.slice(2)]);

async function inBox<T>(wrapper: string[], use: (box: Box) => Promise<T>): Promise<void> {
  const box = new Box();
  box.wrapper = [...wrapper, ...box.wrapper];
  try {
    await use(box);
  } finally {
    await box.close();
  }
}

test(
  "if descriptors run out, the step says so, processes of other steps go on, and a kill finds all of them",
  { skip: isWrapped ? "left out: valgrind has limits of its own" : false },
  async () => {
    await inBox(["prlimit", "--nofile=100:100"], async (box) => {
      const job = await box.run({ steps: Array.from({ length: 60 }, () => leaving) }).finished();
      const number = Number(job.lines("fail")[0]?.[0]);
      assert.deepEqual(job.lines("fail").map(failed), [[String(number), "pipes", "24"]]);
      assert.ok(number > 30 && number <= 50, `two for each step and some for itself: ${number}`);
      assert.deepEqual(
        job.lines("end").map(([, , status]) => status),
        Array(number - 1).fill("0"),
      );
      assert.equal(job.text(), "left\n".repeat(number - 1));

      const full = box.run({
        steps: [...Array.from({ length: number - 2 }, () => leaving), { run: "setsid sleep 1000 & echo last; wait" }],
      });
      await full.printed("last");
      full.order("kill");
      await full.finished();
      assert.deepEqual([full.lines("fail"), processesOf(full.id)], [[], []]);
    });
  },
);

test(
  "descriptors of ended processes are free for later steps",
  { skip: isWrapped ? "left out: valgrind has limits of its own" : false },
  async () => {
    await inBox(["prlimit", "--nofile=60:60"], async (box) => {
      const pair = [{ run: "sleep 1000 & echo $! > pid" }, { run: "kill $(cat pid)" }];
      const job = await box.run({ steps: Array.from({ length: 40 }, () => pair).flat() }).finished();
      assert.deepEqual(job.lines("fail"), []);
      assert.equal(job.lines("end").length, 80);
    });
  },
);

const isRoot = process.getuid?.() === 0;
test(
  "if processes run out, the step says so",
  { skip: isRoot && !isWrapped ? false : "left out: needs root, to be another user" },
  async () => {
    const uid = 54_321;
    const [become, ...whom] = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    await inBox([become, ...whom], async (box) => {
      for (const name of [".", "jobs", "doorbell"]) chownSync(join(box.state, name), uid, uid);
      const job = box.prepare({ steps: [waiting, { run: "echo no" }, { run: "echo no either", runOn: "always" }] });
      for (const name of [".", ...readdirSync(job.directory)]) chownSync(join(job.directory, name), uid, uid);
      box.tell(`run ${job.id}`);
      await until("step 1", () => job.events().includes("start 1"));
      execFileSync(become, [...whom, "prlimit", `--pid=${job.supervisorPid()}`, "--nproc=1"]);
      writeFileSync(join(job.directory, "work", "go"), "");
      await job.finished();
      assert.deepEqual(job.events(), ["start 1", "end 1", "fail 2", "fail 3", "done"]);
      assert.deepEqual(job.lines("fail").map(failed), [
        ["2", "fork", "11"],
        ["3", "fork", "11"],
      ]);
    });
  },
);

const hasStrace = spawned("strace");
test(
  "if memory runs out, the step says so, and the next one may start",
  { skip: hasStrace && !isWrapped ? false : "left out: strace is not installed" },
  async () => {
    // Calls of the supervisor: for its second process; for the first pipe of its second step; for the second pipe of that step.
    const injected: [string, string, string[]][] = [
      ["clone,clone3,fork,vfork", "ENOMEM:when=2", ["2", "fork", "12"]],
      ["epoll_ctl", "ENOMEM:when=3", ["2", "pipes", "12"]],
      ["epoll_ctl", "ENOSPC:when=4", ["2", "pipes", "28"]],
    ];
    for (const [calls, error, expected] of injected) {
      await inBox(
        ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", `inject=${calls}:error=${error}`],
        async (box) => {
          const job = await box
            .run({ steps: [leaving, { run: "echo no", ignoreError: true }, { run: "echo third; ls /proc/$PPID/fd | wc -l" }] })
            .finished();
          assert.deepEqual(job.events(), ["start 1", "end 1", "fail 2", "start 3", "end 3", "done"]);
          assert.deepEqual(failed(job.lines("fail")[0]), expected);
          assert.match(job.part(3, 1), /^third\n/);
        },
      );
    }
  },
);

function spawned(program: string): boolean {
  try {
    execFileSync(program, ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
