import { strict as assert } from "node:assert";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { cgroupModes } from "./helper/cgroups.ts";
import { isAlive, jobProcessesOf } from "./helper/processes.ts";
import { compileProgram } from "./helper/programs.ts";
import { startService } from "./helper/service.ts";
import { injectFailure, withoutStrace } from "./helper/strace.ts";
import { waitFor } from "./helper/wait.ts";

const mainThreadEnds = compileProgram("supervisor", "test", "main_thread_ends.c");
after(() => mainThreadEnds.remove());

test("a job continues while the service is down, with its sequence and timeouts", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    StopTimeoutSeconds: 0.1,
    Commands: [
      { CommandLine: "echo one; until [ -e go ]; do sleep 0.01; done; echo gone" },
      { CommandLine: "echo two; sleep 1000", TimeoutSeconds: 0.2, IgnoreError: true },
      { CommandLine: "echo three; exit 9" },
    ],
  });
  await (await service.attach(id)).until("one");
  await service.crash();
  const directory = join(service.stateDir, "jobs", id);
  writeFileSync(join(directory, "work", "go"), "");
  await waitFor("the job ends without a service", () => readFileSync(join(directory, "status"), "latin1").includes("\ndone "));
  await service.start();
  const job = await service.get(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "ExitCode", 9]);
  assert.deepEqual(
    job.Steps.map(({ State }) => State),
    ["Succeeded", "TimedOut", "Failed"],
  );
  assert.equal((await service.output(id)).toString(), "one\ngone\ntwo\nthree\n");
});

test("SIGTERM and SIGINT stop the service at once and leave jobs running; the next service finds them", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "echo begun; until [ -e go ]; do sleep 0.01; done; echo done" });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const reader = await service.attach(id);
    await reader.until("begun");
    assert.equal(await service.stop(signal), 0);
    await assert.rejects(reader.ended, "an attached reader is cut off, not told that the job has ended");
    assert.ok(isAlive(service.supervisorOf(id)));
    await service.start();
    assert.deepEqual(await service.activeIds(), [id]);
  }
  writeFileSync(join(service.stateDir, "jobs", id, "work", "go"), "");
  assert.equal((await service.wait(id)).State, "Succeeded");
  assert.equal((await service.output(id)).toString(), "begun\ndone\n");
});

for (const { cgroups, skip } of cgroupModes) {
  test(
    `a job whose supervisor is killed is lost within seconds, and its processes are killed (cgroups: ${cgroups})`,
    { skip },
    async (t) => {
      const service = await startService(t, { environment: { JOBRUNNER_CGROUPS: cgroups } });
      const id = await service.submit({ CommandLine: `setsid sleep 1000 & setsid ${mainThreadEnds.file} & exec sleep 1000` });
      const reader = await service.attach(id);
      await reader.until("ready");
      process.kill(service.supervisorOf(id), "SIGKILL");
      const job = await service.wait(id);
      assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Signal], ["Lost", "SupervisorLost", null, null]);
      assert.deepEqual([job.Steps[0]?.State, job.Steps[0]?.ExitCode], ["Lost", null]);
      assert.equal(job.OutputLostBytes, null, "unknown stays unknown");
      await reader.ended;
      assert.deepEqual(jobProcessesOf(service.stateDir), []);
      assert.equal((await service.output(id)).toString(), "ready\n");
    },
  );
}

test(
  "a step whose supervisor is killed before it could record the start is lost, not skipped; later ones are skipped",
  { skip: withoutStrace },
  async (t) => {
    const service = await startService(t);
    const id = await service.submit({
      Commands: [
        { CommandLine: "echo ready; until [ -e go ]; do sleep 0.01; done; exit 1", IgnoreError: true },
        { CommandLine: "exit 0", RunOn: "failure" },
        { CommandLine: "touch ran; sleep 1000" },
        { CommandLine: "exit 0", RunOn: "always" },
      ],
    });
    await (await service.attach(id)).until("ready");
    const file = join(service.stateDir, "jobs", id, "status");
    // The first call records the end of step 1, the second one the start of step 3.
    await injectFailure(t, { pid: service.supervisorOf(id), call: "write", file, how: "error=EIO:signal=SIGKILL:when=2" });
    writeFileSync(join(service.workspaceOf(id), "go"), "");
    const job = await service.wait(id);
    assert.deepEqual([job.State, job.Reason], ["Lost", "SupervisorLost"]);
    assert.deepEqual(
      job.Steps.map(({ State, StartedAt }) => [State, StartedAt === null]),
      [
        ["Failed", false],
        ["Skipped", true],
        ["Lost", true],
        ["Skipped", true],
      ],
    );
    assert.match(job.Steps[2]?.Message ?? "", /^has no recorded start, .*; whether it ran is unknown$/);
    assert.deepEqual(jobProcessesOf(service.stateDir), []);
  },
);

test("a supervisor killed while the service is down is found lost at the next start", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "setsid sleep 1000 & echo ready; sleep 1000" });
  await (await service.attach(id)).until("ready");
  const supervisor = service.supervisorOf(id);
  await service.crash();
  process.kill(supervisor, "SIGKILL");
  await waitFor("it is dead", () => !isAlive(supervisor));
  await service.start();
  assert.equal((await service.wait(id)).State, "Lost");
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
});

test("after a reboot the running jobs are lost, and no process is signalled", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "echo ready; sleep 1000" });
  await (await service.attach(id)).until("ready");
  const supervisor = service.supervisorOf(id);
  await service.stop();
  // The record of another boot: the same file with another boot ID. The process that has this number must not be signalled.
  const status = join(service.stateDir, "jobs", id, "status");
  const text = readFileSync(status, "latin1");
  writeFileSync(status, text.replace(/^(jobrunner-status 1) \S+/, "$1 00000000-0000-0000-0000-000000000000"));
  await service.start();
  const job = await service.get(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.OutputLostBytes], ["Lost", "Reboot", null, null]);
  assert.ok(isAlive(supervisor), "not signalled");
  process.kill(supervisor, "SIGKILL");
  await waitFor("the step follows its supervisor", () => jobProcessesOf(service.stateDir).length === 0);
});

test("a killed launcher is started again, and no job is affected", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "echo ready; until [ -e go ]; do sleep 0.01; done; echo done" });
  await (await service.attach(id)).until("ready");
  const launcher = await service.launcher();
  process.kill(launcher, "SIGKILL");
  const submitted = await Promise.all(Array.from({ length: 20 }, (_, index) => service.submit({ CommandLine: `echo ${index}` })));
  for (const [index, other] of submitted.entries()) {
    assert.equal((await service.wait(other)).State, "Succeeded");
    assert.equal((await service.output(other)).toString(), `${index}\n`);
  }
  assert.notEqual(await service.launcher(), launcher);
  writeFileSync(join(service.stateDir, "jobs", id, "work", "go"), "");
  assert.equal((await service.wait(id)).State, "Succeeded");
  assert.equal((await service.output(id)).toString(), "ready\ndone\n");
});

test("an incomplete last line of the record is ignored", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "exit 6" });
  const id = await service.submit({ CommandLine: "echo ready; sleep 1000" });
  await (await service.attach(id)).until("ready");
  await service.crash();
  const status = join(service.stateDir, "jobs", id, "status");
  const whole = readFileSync(status);
  appendFileSync(status, "done 17000000");
  await service.start();
  assert.deepEqual(await service.activeIds(), [id]);
  truncateSync(status, whole.length);
  await service.kill(id);
  assert.equal((await service.get(job.ID)).ExitCode, 6);
});

test("a database log cut short by a crash loses no answered job", async (t) => {
  const service = await startService(t);
  const ids = await Promise.all(Array.from({ length: 30 }, () => service.submit({ CommandLine: "echo ok" })));
  await service.crash();
  const log = join(service.stateDir, "jobrunner.db-wal");
  appendFileSync(log, "half a frame of a commit that nobody was told of");
  truncateSync(log, readFileSync(log).length - 7);
  await service.start();
  for (const id of ids) assert.equal((await service.wait(id)).State, "Succeeded");
});

test("a second service on the same state directory is refused by name", async (t) => {
  const service = await startService(t);
  const second = service.spawn({ JOBRUNNER_PORT: "0" });
  const first = service;
  await waitFor("it ends", () => second.exitCode !== null);
  assert.equal(second.exitCode, 1);
  assert.ok(first.log.includes(`the state directory ${service.stateDir} is in use by another jobrunner`), first.log);
});
