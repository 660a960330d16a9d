import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type Service, startService } from "./helper/service.ts";

const untilGo = { CommandLine: "echo ready; until [ -e go ]; do sleep 0.01; done; echo went on" };
const environment = { JOBRUNNER_MAX_RUNNING: "1" };

test("jobs that an older service recorded with a boot ID continue: a running one, one before its launch, and the queue", async (t) => {
  const service = await startService(t, { environment });
  const running = await service.submit(untilGo);
  await (await service.attach(running)).until("ready");
  const notLaunched = await service.submit({ CommandLine: "echo launched" });
  const queued = await service.submit({ CommandLine: "echo from the queue" });
  await service.crash();
  makeOlder(service, (database) => {
    database.exec("UPDATE jobs SET state = 'Starting', boot_id = (SELECT max(boot_id) FROM jobs) WHERE seq = 2");
  });
  await service.start();
  assert.deepEqual((await service.activeIds())[0], running);
  assert.equal((await service.wait(notLaunched)).State, "Succeeded");
  assert.equal((await service.get(queued)).State, "Queued");
  writeFileSync(join(service.workspaceOf(running), "go"), "");
  assert.equal((await service.wait(running)).State, "Succeeded");
  assert.equal((await service.output(running)).toString(), "ready\nwent on\n");
  assert.equal((await service.wait(queued)).State, "Succeeded");
});

test("a job that an older service was about to launch before a reboot is lost", async (t) => {
  const service = await startService(t, { environment });
  const running = await service.submit(untilGo);
  await (await service.attach(running)).until("ready");
  const notLaunched = await service.submit({ CommandLine: "echo never" });
  await service.crash();
  makeOlder(service, (database) => {
    database.exec("UPDATE jobs SET state = 'Starting', boot_id = '00000000-0000-0000-0000-000000000000' WHERE seq = 2");
  });
  await service.start();
  const { State, Reason, StartedAt } = await service.wait(notLaunched);
  assert.deepEqual([State, Reason, StartedAt], ["Lost", "Reboot", null]);
  assert.deepEqual(await service.activeIds(), [running]);
});

/** The database with the old schema, which identified a launch by its boot ID. */
function makeOlder(service: Service, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(service.stateDir, "jobrunner.db"));
  try {
    database.exec("ALTER TABLE jobs RENAME COLUMN executor_reference TO boot_id; PRAGMA user_version = 5");
    change(database);
  } finally {
    database.close();
  }
}
