import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Box, type Job, makeCgroups, type Plan, processesOf, until } from "./harness.ts";

/** Steps that run as another user. The IDs need no account. */

const uid = 54321;
const user = `${uid} 54322 54323 54324`;
const cgroups = process.getuid?.() === 0 ? makeCgroups() : null;
after(() => cgroups?.remove());

describe(
  "a job with a user",
  { skip: process.getuid?.() === 0 ? false : "left out: needs root, who alone can become another user" },
  () => {
    let box: Box;
    let workdir: string; // a folder that the user may enter and write to
    before(() => {
      box = new Box();
      workdir = mkdtempSync(join(tmpdir(), "supervisor-test-user-"));
      chownSync(workdir, uid, 54322);
      chmodSync(workdir, 0o755);
    });
    after(async () => {
      await box.close();
      rmSync(workdir, { recursive: true });
    });

    const run = (plan: Plan): Job => box.run({ user, ...plan, steps: plan.steps.map((step) => ({ workdir, ...step })) });

    test("its steps have exactly the user and the groups of the plan", async () => {
      const job = await run({
        steps: [{ run: "id -u; id -g; id -G; grep -E '^(Uid|Gid|Groups)' /proc/self/status" }, { run: "id -u" }],
      }).finished();
      const status = "Uid:\t54321\t54321\t54321\t54321\nGid:\t54322\t54322\t54322\t54322\nGroups:\t54323 54324 \n";
      assert.equal(job.text(), `54321\n54322\n54322 54323 54324\n${status}54321\n`);
      const alone = await run({ user: "54321 54322", steps: [{ run: "id -G; grep Groups /proc/self/status" }] }).finished();
      assert.equal(alone.text(), "54322\nGroups:\t \n");
      const root = await run({ user: "0 0 1", steps: [{ run: "id -u; id -G; grep NoNewPrivs /proc/self/status" }] }).finished();
      assert.equal(root.text(), "0\n0 1\nNoNewPrivs:\t1\n");
    });

    test("they have no capabilities and cannot get any", async (t) => {
      const wrapped = new Box();
      t.after(() => wrapped.close());
      // If the service is started like this, capabilities survive a change of user, and programs inherit them.
      wrapped.wrapper = has("setpriv")
        ? [
            "setpriv",
            "--inh-caps",
            "+setuid,+dac_override",
            "--ambient-caps",
            "+setuid,+dac_override",
            "--securebits",
            "+no_setuid_fixup",
            ...box.wrapper,
          ]
        : box.wrapper;
      for (const each of [box, wrapped]) {
        const job = await each
          .run({ user, steps: [{ workdir, run: "grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status" }] })
          .finished();
        assert.equal(job.text(), `${["Inh", "Prm", "Eff", "Amb"].map((set) => `Cap${set}:\t0000000000000000\n`).join("")}NoNewPrivs:\t1\n`);
      }
    });

    test("neither setuid(2) nor a program with set-user-ID leads back", async () => {
      const perl = "use POSIX; $< = 0; $> = 0; print POSIX::setuid(0) // 'no', POSIX::setgid(0) // 'no', qq( $< $>\\n)";
      const job = await run({ steps: [{ args: ["perl", "-e", perl] }] }).finished();
      assert.equal(job.text(), "nono 54321 54321\n");
      const shell = join(workdir, "shell");
      execFileSync("cp", ["/bin/bash", shell]);
      chmodSync(shell, 0o6755);
      const setuid = await run({ steps: [{ args: [shell, "-p", "-c", "id -u; id -g"] }] }).finished();
      assert.equal(setuid.text(), "54321\n54322\n");
      rmSync(shell);
    });

    test("they find three open files, and can open their output again", async () => {
      const job = await run({
        steps: [{ args: ["ls", "-l", "/proc/self/fd"] }, { run: "echo out > /dev/stdout; echo err > /dev/stderr" }],
      }).finished();
      const open = [...job.part(1, 1).matchAll(/ (\d+) -> (\S+)/g)].map(([, fd, what]) => `${fd} ${what?.replace(/\d+/g, "N")}`);
      assert.deepEqual(
        open.filter((entry) => !entry.includes("/reports/")),
        ["0 /dev/null", "1 pipe:[N]", "2 pipe:[N]", "3 /proc/N/fd"],
      );
      assert.equal(job.part(2, 1), "out\n");
      assert.equal(job.part(2, 2), "err\n");
    });

    test("standard input may come from a place that they cannot access", async () => {
      const job = await run({ stdin: "given\n", steps: [{ run: "cat" }, { run: "cat; echo over" }] }).finished();
      assert.equal(job.text(), "given\nover\n");
    });

    test("they cannot access the job's own files and its supervisor", async () => {
      const job = run({ steps: [{ run: "until test -e go; do sleep 0.01; done; . ./attempts", workdir }] });
      await until("the start", () => job.events().includes("start 1"));
      const supervisor = job.supervisorPid();
      const files = ["plan", "output", "status", "index", "control", "work"].map((name) => `cat ${join(job.directory, name)} && echo READ`);
      const attempts = [
        ...files,
        `ls ${job.directory} && echo LISTED`,
        `ls /proc/$PPID/fd && echo LISTED`,
        `echo x > ${join(job.directory, "control")} && echo WRITTEN`,
        `kill -0 ${supervisor} && echo SIGNALLED`,
        `kill -9 $PPID && echo SIGNALLED`,
        `head -c 1 /proc/${supervisor}/environ && echo READ`,
        `: > /proc/${supervisor}/mem && echo WRITTEN`,
        `echo -17 > /proc/${supervisor}/oom_score_adj && echo WRITTEN`,
        "echo tried",
      ];
      writeFileSync(join(workdir, "attempts"), attempts.map((attempt) => `(${attempt}) 2> /dev/null\n`).join(""));
      writeFileSync(join(workdir, "go"), "");
      await job.finished();
      rmSync(join(workdir, "go"));
      assert.equal(job.text(), "tried\n");
      assert.deepEqual(job.events(), ["start 1", "end 1", "done"]);
    });

    test("a working directory that the user may not enter is a failure of that stage, and the job goes on by its rules", async () => {
      const job = await run({
        steps: [
          { run: "echo no", workdir: "." },
          { run: "id -u", runOn: "failure" },
        ],
      }).finished();
      assert.deepEqual(
        job.lines("fail").map((fields) => [fields[0], ...fields.slice(2)]),
        [["1", "workdir", "13"]],
      );
      assert.equal(job.text(), "54321\n");
    });

    test("a program that the user may not execute is a failure to execute it", async () => {
      const file = join(workdir, "closed");
      writeFileSync(file, "#!/bin/sh\n", { mode: 0o700 });
      const job = await run({ steps: [{ args: [file] }] }).finished();
      assert.deepEqual(job.lines("fail")[0]?.slice(2), ["exec", "13"]);
    });

    test(
      "if the process cannot become the user, that stage fails, and nothing is executed",
      { skip: has("setpriv") ? false : "left out: setpriv is not installed" },
      async (t) => {
        for (const capability of ["setuid", "setgid", "chown"]) {
          const weak = new Box();
          t.after(() => weak.close());
          weak.wrapper = ["setpriv", "--bounding-set", `-${capability}`, ...weak.wrapper];
          const job = await weak.run({ user, steps: [{ workdir, run: "echo no" }] }).finished();
          assert.deepEqual(job.lines("fail")[0]?.slice(2), ["user", "1"], capability);
          assert.equal(job.text(), "");
        }
      },
    );

    test("their secrets are masked, and their files belong to them", async () => {
      const job = await run({ secrets: ["hunter2"], steps: [{ run: "echo hunter2 > kept; cat kept > /dev/stderr" }] }).finished();
      assert.equal(job.text(), "***\n");
      const { uid: owner, gid, mode } = statSync(join(workdir, "kept"));
      assert.deepEqual([owner, gid, mode & 0o777], [uid, 54322, 0o644]);
    });

    test("the workspace may be a link to a folder of the user's", async () => {
      const job = box.prepare({ user, steps: [{ run: "pwd -P; echo x > made", workdir: "." }] });
      symlinkSync(workdir, join(job.directory, "work"));
      chmodSync(job.directory, 0o711);
      chmodSync(join(box.state, "jobs"), 0o711);
      chmodSync(box.state, 0o711);
      box.tell(`run ${job.id}`);
      await job.finished();
      assert.equal(job.text(), `${workdir}\n`);
      chmodSync(box.state, 0o700);
    });

    for (const isIn of [false, true]) {
      const skip = isIn && cgroups === null ? "left out: no cgroup v2 can be made here" : false;
      describe(isIn ? "with a cgroup" : "without a cgroup", { skip }, () => {
        const daemons =
          "(setsid setsid sleep 1000 &); (trap '' TERM HUP; setsid sleep 1001 & sleep 1002) & env -i sleep 1003 & sleep 1004 & kill " +
          "-STOP $!";
        const ready = async (run: string): Promise<Job> => {
          const cgroup = isIn ? { cgroup: join(cgroups?.folder ?? "", `user-${Math.random()}`) } : {};
          const job = box.run({ user, ...cgroup, stopTimeoutMs: 50, steps: [{ workdir, run }] });
          await job.printed("ready");
          return job;
        };

        test("they and their daemons are in the cgroup, and are stopped and killed", async () => {
          for (const order of ["terminate", "kill"]) {
            const job = await ready(`${daemons}; trap '' TERM; cat /proc/self/cgroup; echo ready; while :; do sleep 0.01; done`);
            assert.equal(/^0::.*\/user-0\.\d+$/m.test(job.text()), isIn);
            job.order(order);
            await job.finished();
            assert.deepEqual(processesOf(job.id), []);
            assert.equal(job.lines("end")[0]?.[2], "9");
          }
        });

        test("a step is killed with its supervisor, and a sweep ends what is left", async () => {
          const job = await ready(`${daemons}; echo ready; exec sleep 1005`);
          const pid = Number(job.lines("start")[0]?.[1]);
          box.expectedDeaths += 1;
          process.kill(job.supervisorPid(), "SIGKILL");
          await until("the first process's end", () => !existsSync(`/proc/${pid}`));
          box.tell(`sweep ${job.id}`);
          await job.finished();
          assert.deepEqual(processesOf(job.id), []);
          assert.ok(Number(job.lines("swept")[0]?.[1]) >= 3);
        });
      });
    }

    test(
      "a sweep finds what is left even if root may not inspect other users' processes",
      { skip: has("setpriv") ? false : "left out: setpriv is not installed" },
      async (t) => {
        const weak = new Box();
        t.after(() => weak.close());
        weak.wrapper = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon,-sys_admin", ...weak.wrapper];
        const job = weak.run({ user, steps: [{ workdir, run: "(setsid setsid sleep 1000 &); echo ready; exec sleep 1001" }] });
        await job.printed("ready");
        weak.expectedDeaths += 1;
        process.kill(job.supervisorPid(), "SIGKILL");
        await until("the supervisor's end", () => !job.isAlive());
        weak.tell(`sweep ${job.id}`);
        await job.finished();
        assert.deepEqual(processesOf(job.id), []);
      },
    );

    const overLines = {
      "a long line of its end": "end 1 1790000000000000000 256 1234567890 1234567890 12345678 12345678901",
      "a failed start": "fail 1 1790000000000000000 exec 2",
    };
    for (const [what, line] of Object.entries(overLines)) {
      const skip = has("setpriv") ? false : "left out: setpriv is not installed";
      test(`a sweep leaves a session alone that has the ID of a finished step, by ${what}`, { skip }, async (t) => {
        const weak = new Box();
        t.after(() => weak.close());
        weak.wrapper = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon,-sys_admin", ...weak.wrapper];
        const other = spawn("sleep", ["1000"], { detached: true, uid, stdio: "ignore" });
        t.after(() => other.kill("SIGKILL"));
        const job = weak.prepare({ steps: [{ run: "true" }] });
        execFileSync("mkfifo", [join(job.directory, "control")]);
        const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
        writeFileSync(
          join(job.directory, "status"),
          `jobrunner-status 1 ${bootId} 1 1790000000000000000\nstart 1 ${other.pid} 1790000000000000000\n${line}\n`,
        );
        weak.tell(`sweep ${job.id}`);
        await job.finished();
        assert.equal(job.lines("swept")[0]?.[1], "0");
        assert.equal(other.exitCode ?? other.signalCode, null);
      });
    }
  },
);

function has(name: string): boolean {
  return spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0;
}
