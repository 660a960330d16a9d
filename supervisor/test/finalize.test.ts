import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Box, type Job, until } from "./harness.ts";

/** Steps that are run by a client, and the command that ends what the client has started elsewhere. */

let box: Box;
before(() => (box = new Box()));
after(() => box.close());

const note = "echo settled >> notes";
const stubborn = "trap '' TERM; echo ready; while :; do sleep 0.01; done";

function notes(job: Job): string[] {
  const path = join(job.directory, "notes");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

function waitStatus(job: Job, step = 1): number {
  return Number(job.lines("end").find(([number]) => number === String(step))?.[2]);
}

test("a client that ends by itself has reported how its container ended, so the command does not run", async () => {
  const job = await box.run({ steps: [{ run: "echo out; exit 3", settle: note }] }).finished();
  assert.deepEqual([notes(job), waitStatus(job), job.text()], [[], 3 << 8, "out\n"]);
});

test("if the client was killed or its engine failed, the command runs before the end is reported", async () => {
  for (const [run, status] of [
    ["kill -KILL $$", 9],
    ["exit 125", 125 << 8],
  ] as const) {
    const settle = `grep -c ^end status >> notes; echo "$JOBRUNNER_STEP $MARK" >> notes`;
    const last = { run: "cat ../notes", runOn: "always" } as const;
    const job = await box.run({ steps: [{ run, settle, env: { JOBRUNNER_STEP: "1", MARK: "own" } }, last] }).finished();
    assert.deepEqual([notes(job), waitStatus(job)], [["0", "1 own"], status]);
    assert.deepEqual(job.events(), ["start 1", "end 1", "start 2", "end 2", "done"]);
    assert.equal(job.text(), "0\n1 own\n");
  }
});

test("the stop signal goes only to the client, and a container that it ends is finalized once", async () => {
  const child = "bash -c 'trap \"echo child\" TERM; echo ready; while :; do sleep 0.01; done'";
  const job = box.run({ steps: [{ run: `${child} & trap 'echo client; exit 143' TERM; wait`, settle: note }], stopTimeoutMs: 100 });
  await job.printed("ready");
  job.order("terminate");
  await job.finished();
  assert.deepEqual([notes(job), waitStatus(job), job.text()], [["settled"], 143 << 8, "ready\nclient\n"]);
});

test("a container is ended before its client is killed, so the client reports its exit code", async () => {
  for (const order of ["terminate", "kill"]) {
    const run = "trap '' TERM; echo ready; until [ -e gone ]; do sleep 0.01; done; exit 137";
    const job = box.run({ steps: [{ run, settle: `${note}; touch work/gone` }], stopTimeoutMs: 50 });
    await job.printed("ready");
    job.order(order);
    await job.finished();
    assert.deepEqual([notes(job), waitStatus(job)], [["settled"], 137 << 8], order);
  }
});

test("a client that stays is killed, and a container that it may have created meanwhile is ended too", async () => {
  for (const order of ["terminate", "kill"]) {
    const job = box.run({ steps: [{ run: stubborn, settle: note }], stopTimeoutMs: 50 });
    await job.printed("ready");
    job.order(order);
    await job.finished();
    assert.deepEqual([notes(job), waitStatus(job)], [["settled", "settled"], 9], order);
  }
});

test("timeouts of step and job end the container too, and steps that always run follow when it is gone", async () => {
  for (const timeouts of [
    { step: { timeoutMs: 100 }, job: {} },
    { step: {}, job: { timeoutMs: 100 } },
  ]) {
    const steps = [
      { run: stubborn, settle: note, ...timeouts.step },
      { run: "cat ../notes", runOn: "always" as const },
      { run: "exit 4", settle: note, runOn: "always" as const },
    ];
    const job = await box.run({ steps, stopTimeoutMs: 50, ...timeouts.job }).finished();
    assert.equal(job.text(), "ready\nsettled\nsettled\n");
    assert.deepEqual([waitStatus(job, 1), waitStatus(job, 3), notes(job).length], [9, 4 << 8, 2]);
  }
});

test("processes that clients and earlier steps leave behind end with the job", async () => {
  const leave = "setsid sleep 1000 & echo $!";
  const job = await box.run({ steps: [{ run: leave }, { run: `${leave}; kill -KILL $$`, settle: note }] }).finished();
  assert.deepEqual(notes(job), ["settled"]);
});

test("at the end of a job with a finalized container, processes with the job's ID are killed, whatever their ancestors", async () => {
  const id = "JOBRUNNER_JOB_ID";
  const job = box.prepare({ steps: [{ run: "until [ -e go ]; do sleep 0.01; done; exit 125", settle: note }] });
  const elsewhere = spawn("sleep", ["1000"], { env: { PATH: process.env["PATH"], [id]: job.id } });
  const ended = new Promise((resolve) => elsewhere.once("exit", (_code, signal) => resolve(signal)));
  box.tell(`run ${job.id}`);
  await until("its workspace", () => existsSync(join(job.directory, "work")));
  writeFileSync(join(job.directory, "work", "go"), "");
  assert.equal(await ended, "SIGKILL");
  await job.finished();
});

test("a kill that arrives while a step is being finalized waits for that", async () => {
  const settle = "touch begun; until [ -e work/go ]; do sleep 0.01; done; echo settled >> notes";
  const job = box.run({ steps: [{ run: "echo ready; exit 125", settle }, { run: "echo never" }, { run: "echo always", runOn: "always" }] });
  await until("it is being finalized", () => existsSync(join(job.directory, "begun")));
  job.order("terminate");
  job.order("kill");
  const touch = box.run({ steps: [{ args: ["touch", join(job.directory, "work", "go")] }] });
  await Promise.all([touch.finished(), job.finished()]);
  assert.deepEqual([notes(job), job.text()], [["settled"], "ready\n"]);
});

const early = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done";
/** A command that notes how it was run. `waiting`: what it does if it has to wait for the container. */
const noteHow = (waiting: string): string => `echo "$0" >> notes; if [ "$0" = await ]; then ${waiting}; fi`;

test("if a client ends too early while its step is stopped, the end is reported only after the container has ended", async () => {
  const job = box.run({
    steps: [{ run: early, settle: noteHow("until [ -e gone ]; do sleep 0.01; done; echo gone >> notes") }],
    stopTimeoutMs: 60_000,
  });
  await job.printed("ready");
  job.order("terminate");
  await until("it is waited for", () => notes(job).length > 0);
  assert.deepEqual(job.lines("end"), []);
  writeFileSync(join(job.directory, "gone"), "");
  await job.finished();
  assert.deepEqual([notes(job), waitStatus(job)], [["await", "gone"], 0]);
});

test("the wait for a container ends with its grace period or a kill; then the container is ended", async () => {
  const steps = (timeouts: { timeoutMs?: number }): Parameters<typeof box.run>[0]["steps"] => [
    { run: early, settle: noteHow("sleep 1000"), ...timeouts },
    { run: "echo after", runOn: "always" },
  ];
  for (const [order, timeouts] of [
    ["terminate", {}],
    ["kill", {}],
    [null, { job: { timeoutMs: 300 } }],
    [null, { step: { timeoutMs: 300 } }],
  ] as const) {
    const isLong = order === "kill";
    const job = box.run({
      steps: steps("step" in timeouts ? timeouts.step : {}),
      stopTimeoutMs: isLong ? 60_000 : 200,
      ...("job" in timeouts ? timeouts.job : {}),
    });
    await job.printed("ready");
    if (order !== null) job.order("terminate");
    await until("it is waited for", () => notes(job).length > 0);
    if (order === "kill") job.order("kill");
    await job.finished();
    assert.deepEqual(notes(job), ["await", "/bin/bash"]);
    assert.equal(job.text(), isLong ? "ready\n" : "ready\nafter\n");
  }
});

test(
  "who keeps a container's streams open when its client has ended keeps neither its step nor the job; what is in them by then is " +
    "output",
  async (t) => {
    const run = "until [ -e go ]; do sleep 0.01; done; echo said; exit 3";
    const job = box.run({
      drainTimeoutMs: 3_600_000,
      steps: [{ run, settle: note, streams: "streams-1", ignoreError: true }, { run: "echo next" }],
    });
    const folder = join(job.directory, "streams-1");
    await until("its streams", () => existsSync(`${folder}.said`));
    const keeper = spawn(
      "/bin/bash",
      [
        "-c",
        `exec > ${folder}/stdout 2> ${folder}/stderr; printf x > ${folder}/up; printf %060000d 7; echo whole >&2; touch ` +
          `${job.directory}/work/go; read -r`,
      ],
      { stdio: ["pipe", "ignore", "ignore"] },
    );
    t.after(() => keeper.kill("SIGKILL"));
    await job.finished();
    assert.deepEqual([job.events(), waitStatus(job), notes(job)], [["start 1", "end 1", "start 2", "end 2", "done"], 3 << 8, []]);
    assert.deepEqual([job.part(1, 1).length, job.part(1, 2), job.part(2, 1)], [60_000, "whole\n", "next\n"]);
    assert.equal(readFileSync(`${folder}.said`, "utf8"), "said\n");
    assert.ok(!existsSync(folder));
    assert.equal(keeper.exitCode ?? keeper.signalCode, null);
  },
);

test("a stop signal waits in the stream for the container's command, and ends the client only before that runs", async () => {
  for (const isUp of [false, true]) {
    const up = isUp ? "printf x > ../streams-1/up; " : "";
    // One process is both the client and the container's command.
    const run =
      `trap 'echo client; exit 143' TERM; ${up}echo ready > ../streams-1/stdout; until [ -e read ]; do sleep 0.01; done; head ` +
      `-c1 ../streams-1/signals > got; exit 0`;
    const job = box.run({ stopSignal: 10, stopTimeoutMs: 3_600_000, steps: [{ run, settle: note, streams: "streams-1" }] });
    await job.printed("ready");
    job.order("terminate");
    await until("the stop", () => job.events().includes("stop terminate"));
    if (isUp) writeFileSync(join(job.directory, "work", "read"), "");
    await job.finished();
    assert.equal(waitStatus(job), isUp ? 0 : 143 << 8);
    if (isUp) assert.equal(readFileSync(join(job.directory, "work", "got"))[0], 10);
  }
});
