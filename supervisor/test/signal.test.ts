import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Box, until } from "./harness.ts";

/** Signals that the job's user asks for: "signal <number>" of control. */

let box: Box;
before(() => {
  box = new Box();
});
after(async () => await box.close());

test("the first line says that signals are taken", async () => {
  const job = box.run({ steps: [{ run: "true" }] });
  await job.finished();
  assert.match(job.status()[0] ?? "", /^jobrunner-status 1 [0-9a-f-]{36} \d+ \d+ signals$/);
});

test("a signal goes to all of the step, alone, and nothing of it is in the record", async () => {
  const listen = "trap 'echo got; exit 0' USR1; trap 'echo cont' CONT; echo ready; while :; do sleep 0.01; done";
  const job = box.run({ steps: [{ run: `(${listen}) & ${listen.replaceAll("echo ready", "echo ready all")}` }, { run: "echo next" }] });
  await job.printed("ready");
  await until("both are ready", () => /ready\n/.test(job.text()) && /ready all\n/.test(job.text()));
  job.order("signal 10");
  await job.finished();
  assert.deepEqual(
    job
      .text()
      .split("\n")
      .filter((line) => ["got", "cont", "next"].includes(line))
      .toSorted(),
    ["got", "got", "next"],
  );
  assert.deepEqual(job.events(), ["start 1", "end 1", "start 2", "end 2", "done"]);
});

test("a step that is being stopped hears signals still", async () => {
  const run = "trap 'echo stopping' TERM; trap 'echo go; exit 0' USR1; echo ready; while :; do sleep 0.01; done";
  const job = box.run({ stopTimeoutMs: 3_600_000, steps: [{ run }] });
  await job.printed("ready");
  job.order("terminate");
  await job.printed("stopping");
  job.order("signal 10");
  await job.finished();
  assert.match(job.text(), /go\n$/);
});

test("what is no number of a signal is passed over", async () => {
  const job = box.run({ steps: [{ run: "trap 'echo end; exit 0' USR1; echo ready; while :; do sleep 0.01; done" }] });
  await job.printed("ready");
  for (const line of [
    "signal",
    "signal ",
    "signal 0",
    "signal 65",
    "signal 009",
    "signal x",
    "signal -9",
    "signals 9",
    "Signal 9",
    "signal 9 ",
  ])
    job.order(line);
  job.order("signal 10");
  await job.finished();
  assert.match(job.text(), /^ready\n(User defined signal 1\n)?end\n$/); // bash says so of its sleep
});

test("for a container's command a signal waits in its FIFO, and its client gets none", async () => {
  const run =
    "trap 'echo client; exit 1' USR1 TERM; echo ready > ../streams-1/stdout; until [ -e read ]; do sleep 0.01; done; " +
    "head -c1 ../streams-1/signals > got; exit 0";
  const job = box.run({ steps: [{ run, settle: "true", streams: "streams-1" }] });
  await job.printed("ready");
  job.order("signal 10");
  writeFileSync(join(job.directory, "work", "read"), "");
  await job.finished();
  assert.ok(existsSync(join(job.directory, "work", "got")));
  assert.deepEqual([...readFileSync(join(job.directory, "work", "got"))], [10]);
  assert.equal(job.lines("end")[0]?.[2], "0");
});
