import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import { foldersOf, jobProcessesOf } from "./processes.ts";
import { Service } from "./service.ts";
import { waitFor } from "./wait.ts";

/** By the environment with which they run. */
const services = new Map<string, Promise<Service>>();

after(async () => {
  for (const started of services.values()) {
    const service = await started;
    await service.tearDown();
    for (const folder of foldersOf(service.stateDir)) rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * The service of a file's tests that ask for one with this environment: for tests that know their jobs by ID and leave the service as they
 * found it. After each test its jobs are killed, and the test fails if a process of a job is left.
 */
export async function sharedService(t: TestContext, environment: Record<string, string> = {}): Promise<Service> {
  const key = JSON.stringify(environment);
  const started = services.get(key) ?? start(environment);
  services.set(key, started);
  const service = await started;
  t.after(async () => {
    await service.killJobs();
    await waitFor("no process of a job is left", () => jobProcessesOf(service.stateDir).length === 0, 10);
  });
  return service;
}

async function start(environment: Record<string, string>): Promise<Service> {
  const service = new Service(mkdtempSync(join(tmpdir(), "jobrunner-test-")), { environment });
  await service.start();
  return service;
}
