import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { jobProcessesOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const untilGo = { CommandLine: "echo ready; until [ -e go ]; do sleep 0.01; done" };
const go = (service: Service, id: string): void => writeFileSync(join(service.stateDir, "jobs", id, "work", "go"), "");

test("an accepted job is listed as running by the time its submission is answered", async (t) => {
  const service = await startService(t);
  for (let round = 0; round < 20; round++) {
    const id = await service.submit({ CommandLine: "sleep 1000" });
    assert.ok((await service.activeIds()).includes(id));
  }
});

test("jobs beyond the limit wait and start in the order of submission, also after restarts", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit(untilGo);
  await (await service.attach(first)).until("ready");
  const waiting = [];
  for (let index = 0; index < 5; index++) waiting.push(await service.submit({ CommandLine: "date +%s%N" }));
  assert.deepEqual(await service.activeIds(), [first]);
  assert.equal((await service.get(waiting[0] ?? "")).State, "Queued");
  await service.crash();
  await service.start();
  assert.equal((await service.get(waiting[4] ?? "")).State, "Queued");
  assert.deepEqual(await service.activeIds(), [first]);
  go(service, first);
  const times = [];
  for (const id of waiting) {
    assert.equal((await service.wait(id)).State, "Succeeded");
    times.push((await service.output(id)).toString());
  }
  assert.deepEqual(times, times.toSorted());
});

test("a reader of a queued job waits, and then gets the whole output", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit(untilGo);
  await (await service.attach(first)).until("ready");
  const id = await service.submit({ CommandLine: "echo from the queue" });
  const reader = await service.attach(id);
  go(service, first);
  await reader.ended;
  assert.equal(reader.received().toString(), "from the queue\n");
});

test("a queued job that is killed never runs, and the next one starts", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit(untilGo);
  await (await service.attach(first)).until("ready");
  const killed = await service.submit({ CommandLine: "echo never" });
  const next = await service.submit({ CommandLine: "echo next" });
  await service.kill(killed);
  const job = await service.get(killed);
  assert.deepEqual([job.State, job.Reason, job.StartedAt], ["Killed", "Requested", null]);
  assert.equal((await service.output(killed)).length, 0);
  go(service, first);
  assert.equal((await service.wait(next)).State, "Succeeded");
  assert.equal((await service.get(killed)).State, "Killed");
});

test("a start that finds a job finished admits the next one only if the running jobs leave room for it", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const [lost, waits, goesOn] = [
    await service.submit(untilGo),
    await service.submit({ CommandLine: "true" }),
    await service.submit(untilGo),
  ];
  const supervisor = await service.supervisor(lost);
  await service.crash();
  process.kill(supervisor, "SIGKILL");
  await waitFor("nothing of the job is left", () => jobProcessesOf(service.stateDir).length === 0);
  const status = join(service.stateDir, "jobs", lost, "status");
  writeFileSync(status, readFileSync(status, "latin1").replace(/^(jobrunner-status 1) \S+/, "$1 00000000-0000-0000-0000-000000000000"));
  const database = new DatabaseSync(join(service.stateDir, "jobrunner.db"));
  database.exec("UPDATE jobs SET state = 'Starting', executor_reference = (SELECT max(executor_reference) FROM jobs) WHERE seq = 3");
  database.exec("UPDATE jobs SET seq = 0 WHERE seq = 2"); // the waiting job becomes the first one
  database.close();
  await service.start();
  assert.deepEqual([(await service.get(lost)).State, (await service.get(waits)).State], ["Lost", "Queued"]);
  await (await service.attach(goesOn)).until("ready");
  go(service, goesOn);
  assert.equal((await service.wait(waits)).State, "Succeeded");
});

test("the number of running jobs never exceeds the limit", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "3" } });
  const command = 'touch running; n=$(ls -d ../../*/work/running | wc -l); [ "$n" -le 3 ]; code=$?; sleep 0.05; rm running; exit $code';
  const ids = await Promise.all(Array.from({ length: 30 }, () => service.submit({ CommandLine: command })));
  for (const id of ids) assert.equal((await service.wait(id)).State, "Succeeded");
});
