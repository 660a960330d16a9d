import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { canMount } from "./helper/mounts.ts";
import { childrenOf, isAlive } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Stopped, so that it does not end after waiting for a second. */
async function stopOneThatWaits(service: Service): Promise<number> {
  await service.run({ CommandLine: "exit 0" });
  const launcher = await service.launcher();
  let found: number | undefined;
  await waitFor(
    "a supervisor waits for its next job",
    () => (found = childrenOf(launcher).find((pid) => readlinkSync(`/proc/${pid}/cwd`) === "/")) !== undefined,
  );
  assert.ok(found !== undefined);
  process.kill(found, "SIGSTOP");
  return found;
}

test("a job whose supervisor is killed before it starts is run by another, once", async (t) => {
  const service = await startService(t);
  const pid = await stopOneThatWaits(service);
  const id = await service.submit({ CommandLine: "echo ran >> ../runs" });
  process.kill(pid, "SIGKILL");
  assert.equal((await service.wait(id)).State, "Succeeded");
  assert.equal(readFileSync(join(service.stateDir, "jobs", id, "runs"), "utf8"), "ran\n");
});

test("consecutive jobs run in one supervisor, and each has its own outcome", async (t) => {
  const service = await startService(t);
  for (const code of [0, 3, 0, 7, 127, 0]) {
    const { job, output } = await service.run({ CommandLine: `echo ${code}; exit ${code}` });
    assert.deepEqual(
      [job.ExitCode, job.State, output.toString(), job.OutputBytes],
      [code, code === 0 ? "Succeeded" : "Failed", `${code}\n`, `${code}\n`.length],
    );
  }
});

test("when the service has ended, its disk can be unmounted, even if supervisors wait for a job", { skip: canMount }, async (t) => {
  const disk = mkdtempSync(join(tmpdir(), "jobrunner-disk-"));
  assert.equal(spawnSync("mount", ["-t", "tmpfs", "none", disk]).status, 0);
  const isUnmounted = (): boolean => spawnSync("umount", [disk]).status === 0;
  t.after(() => {
    isUnmounted();
    rmSync(disk, { recursive: true });
  });
  const stateDir = join(disk, "state");
  mkdirSync(stateDir);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const service = await startService(t, { stateDir });
    const pid = await stopOneThatWaits(service);
    await service.stop(signal);
    await waitFor("it ends with the service", () => !isAlive(pid));
  }
  await waitFor("the disk is free", isUnmounted);
});
