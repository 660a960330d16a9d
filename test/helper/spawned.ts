import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Service } from "./service.ts";
import { waitFor } from "./wait.ts";

/** A service that may listen beyond loopback by HTTP, or end at once. */

export type Spawned = {
  urls: string[]; // empty: the service has ended
  exitCode: number | null;
  child: ChildProcess;
  /** The output so far. */
  log: () => string;
};

/** Starts the service and resolves when it listens or has ended. After the test it is stopped and its state removed. */
export async function spawnService(t: TestContext, environment: Record<string, string>): Promise<Spawned> {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  const service = new Service(stateDir, { environment });
  const child = service.spawn();
  let isFinished = false;
  child.once("close", () => (isFinished = true));
  t.after(async () => {
    child.kill("SIGTERM");
    await waitFor("the service ends", () => isFinished);
    rmSync(stateDir, { recursive: true, force: true });
  });
  const listening = / listens on (.+)\n/;
  await waitFor("the service listens, or ends", () => isFinished || listening.test(service.log));
  const [, urls] = listening.exec(service.log) ?? [];
  return { urls: urls?.split(" and ") ?? [], exitCode: child.exitCode, child, log: () => service.log };
}
