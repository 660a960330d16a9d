import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ActiveJob } from "../src/runner/active-job.ts";
import { ActiveJobs } from "../src/runner/active-jobs.ts";
import { sendControl } from "../src/runner/local/control.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const deaf = { CommandLine: 'trap "" TERM; echo ready; sleep 1000 & wait; wait', StopTimeoutSeconds: 1000 };

test("a forced kill that is followed by an ordinary one, while the job is being launched, is still forced", async (t) => {
  const service = await startService(t);
  const launcher = await service.launcher();
  process.kill(launcher, "SIGSTOP");
  const id = await service.submit(deaf);
  const forced = service.call("DELETE", `/${id}?force=true`);
  await waitFor("the service has heard of it", () => service.log.includes('"force":true'));
  const ordinary = service.call("DELETE", `/${id}`);
  await waitFor("and of the other", () => service.log.includes('"force":false'));
  process.kill(launcher, "SIGCONT");
  assert.deepEqual([(await forced).status, (await ordinary).status], [200, 200]);
  assert.equal((await service.get(id)).State, "Killed");
});

test("a kill reaches a supervisor whose control FIFO was full", async (t) => {
  const service = await startService(t);
  const id = await service.submit(deaf);
  await (await service.attach(id)).until("ready");
  const supervisor = service.supervisorOf(id);
  process.kill(supervisor, "SIGSTOP");
  fill(join(service.stateDir, "jobs", id, "control"));
  const killed = service.call("DELETE", `/${id}?force=true`);
  await waitFor("the service has heard of it", () => service.log.includes('"force":true'));
  process.kill(supervisor, "SIGCONT");
  assert.equal((await killed).status, 200);
  assert.equal((await service.get(id)).State, "Killed");
});

test("a message for which the control FIFO has no room is reported as not sent", () => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-control-"));
  try {
    const path = join(folder, "control");
    assert.equal(sendControl(folder, "kill"), "unclaimed");
    execFileSync("mkfifo", [path]);
    assert.equal(sendControl(folder, "kill"), "dead");
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    assert.equal(sendControl(folder, "kill"), "alive");
    fill(path);
    assert.equal(sendControl(folder, "kill"), "full");
    closeSync(reader);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a queued job whose row has disappeared releases its place", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit({ CommandLine: "sleep 1000" });
  const second = await service.submit({ CommandLine: "true" });
  const database = new DatabaseSync(join(service.stateDir, "jobrunner.db"));
  database.prepare("DELETE FROM jobs WHERE id = ?").run(second);
  database.close();
  const third = await service.submit({ CommandLine: "true" });
  await service.kill(first);
  assert.equal((await service.wait(third)).State, "Succeeded");
  assert.match(service.log, new RegExp(`"job":"${second}","state":"Failed","reason":"CouldNotStart"`));
});

test("a subscriber that throws is logged, and other subscribers are still called", () => {
  const logged: string[] = [];
  const heard: string[] = [];
  const jobs = new ActiveJobs((level, message) => logged.push(`${level}: ${message}`));
  const identity = { seq: 1, id: crypto.randomUUID(), submittedAtMs: Date.now(), owner: null, submittedBy: null };
  const job = new ActiveJob(identity, { CommandLine: "true" }, "/nowhere");
  jobs.add(job);
  jobs.subscribe(() => {
    throw new Error("a mistake");
  });
  jobs.subscribe(({ State }) => heard.push(State));
  jobs.show(job);
  job.launching(null);
  jobs.show(job);
  jobs.show(job); // nothing has changed
  assert.deepEqual(heard, ["Queued", "Starting"]);
  assert.deepEqual(logged, ["error: a subscriber of job changes failed", "error: a subscriber of job changes failed"]);
});

test("a wait that was given up leaves nothing in memory while the job runs on", async () => {
  const identity = { seq: 1, id: crypto.randomUUID(), submittedAtMs: Date.now(), owner: null, submittedBy: null };
  const job = new ActiveJob(identity, { CommandLine: "true" }, "/nowhere");
  const waits = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = new AbortController();
      const recorded = job.recorded(client.signal);
      client.abort();
      await recorded;
      return new WeakRef(recorded);
    }),
  );
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  await waitFor("the waits are collected", () => {
    collect();
    return waits.every((wait) => wait.deref() === undefined);
  });
  assert.equal(job.state, "Queued");
});

/** Fills it with bytes that a supervisor ignores. */
function fill(fifo: string): void {
  const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, "\n".repeat(4096));
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "EAGAIN", String(error));
  } finally {
    closeSync(fd);
  }
}
