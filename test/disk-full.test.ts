import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const environment = { JOBRUNNER_MIN_FREE_BYTES: String(2 << 20) };
const skip = canMount() ? false : "a file system of a few megabytes cannot be mounted here";

test("on a full disk a job waits, new ones get 507, and all continues when there is room again", { skip }, async (t) => {
  const { service, enlarge } = await startOnSmallDisk(t);
  const id = await service.submit({ CommandLine: "head -c 40000000 /dev/zero | tr '\\0' x; echo end" });
  await waitFor("the disk is full", () => freeBytes(service) === 0);
  const refused = await service.call("POST", "/", { body: '{"CommandLine":"true"}' });
  assert.equal(refused.status, 507, refused.text);
  assert.match(refused.headers["content-type"] ?? "", /problem\+json/);
  assert.deepEqual(await service.activeIds(), [id]);
  enlarge();
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.OutputBytes, job.OutputLostBytes], ["Succeeded", 40_000_004, 0]);
  assert.ok((await service.output(id)).subarray(-5).equals(Buffer.from("xend\n")));
  assert.equal((await service.run({ CommandLine: "true" })).job.State, "Succeeded");
});

test("a job killed on a full disk dies at once; the record says what is missing", { skip }, async (t) => {
  const { service, enlarge } = await startOnSmallDisk(t);
  const id = await service.submit({ CommandLine: "exec head -c 40000000 /dev/zero", StopTimeoutSeconds: 0.2 });
  await waitFor("the disk is full", () => freeBytes(service) === 0);
  const killed = service.kill(id);
  await waitFor("the supervisor gives up what it cannot keep", () => !isSupervised(service, id));
  enlarge();
  await killed;
  const job = await service.get(id);
  assert.deepEqual([job.State, job.Reason], ["Killed", "Requested"]);
  const output = await service.output(id);
  assert.equal(job.OutputBytes, output.length);
  assert.ok((job.OutputLostBytes ?? 0) > 0, `lost: ${job.OutputLostBytes}`);
  const lines = (await service.call("GET", `/${id}/attach`, { headers: { Accept: "application/x-ndjson" } })).text.trim().split("\n");
  assert.ok(
    lines.some((line) => line.includes('"LostBytes"')),
    "the gap is told where it is",
  );
});

async function startOnSmallDisk(t: TestContext): Promise<{ service: Service; enlarge: () => void }> {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", stateDir]);
  const service = await startService(t, { stateDir, environment });
  const enlarge = (): void => void execFileSync("mount", ["-o", "remount,size=200m", stateDir]);
  t.after(() => {
    execFileSync("umount", ["--lazy", stateDir]);
    rmSync(stateDir, { recursive: true });
  });
  return { service, enlarge };
}

function freeBytes({ stateDir }: Service): number {
  const { bavail, bsize } = statfsSync(stateDir);
  return bavail * bsize;
}

function isSupervised(service: Service, id: string): boolean {
  try {
    process.kill(service.supervisorOf(id), 0);
    return true;
  } catch {
    return false;
  }
}

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), "jobrunner-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], { stdio: "ignore" });
    execFileSync("umount", [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
