import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { folderInMemory } from "./helper/folders.ts";
import { canDo, canMount, Mounts } from "./helper/mounts.ts";
import { assertProblem } from "./helper/problems.ts";
import { openFilesOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken, jobrunner } from "./helper/tokens.ts";
import { cannotBe, findUser, startAs } from "./helper/users.ts";
import { waitFor } from "./helper/wait.ts";

/** All files of a job are removed, however they were created; files that cannot be removed are kept and reported. */

const nobody = findUser("nobody");
const readOnly =
  "mkdir -p ro/deep; touch ro/deep/file ro/file; chmod 444 ro/deep/file; chmod 555 ro/deep ro; mkdir none; touch none/file; chmod 0 none";

test("folders that a job made read-only are removed with it, and by the API", { skip: cannotBe(nobody, "nobody") }, async (t) => {
  assert.ok(nobody !== null);
  const service = await startAs(t, nobody, {});
  const { job } = await service.run({ CommandLine: `${readOnly}; mkdir copy; cd copy; ${readOnly}` });
  for (const path of ["copy/ro", "copy"])
    assert.equal((await service.call("DELETE", `/${job.ID}/files/${path}?recursive=true`)).status, 200, path);
  assert.deepEqual(readdirSync(service.workspaceOf(job.ID)).toSorted(), ["none", "ro"]);
  await assertRemoved(service, job.ID);
});

const nested = (depth: number, name: string): string =>
  `for (let i = 0; i < ${depth}; i += 1) { fs.mkdirSync(${name}); process.chdir(${name}); } fs.writeFileSync("file", "")`;

test("folders deeper than the longest path, 25,000 of them, are removed with few descriptors", async (t) => {
  const service = await startService(t, { stateDir: folderInMemory(t) });
  const steps = [nested(40, '"n".repeat(200)'), nested(25_000, '"d"')].map((code) => ({ Args: [process.execPath, "-e", code] }));
  const before = openFilesOf(service.pid).length;
  const [first, second] = [await service.run({ Commands: steps }), await service.run({ Commands: steps })];
  assert.equal(first.job.State, "Succeeded", first.output.toString());
  const deep = await service.call("GET", `/${second.job.ID}/files/${"d/".repeat(6000)}`);
  assert.equal(deep.status, 200, deep.text);
  for (const name of ["n".repeat(200), "d"])
    assert.equal((await service.call("DELETE", `/${first.job.ID}/files/${name}?recursive=true`)).status, 200);
  assert.deepEqual(readdirSync(service.workspaceOf(first.job.ID)), []);
  await assertRemoved(service, second.job.ID);
  assert.ok(openFilesOf(service.pid).length <= before + 20);
});

test("many files and folders in one folder are removed, also those that are created meanwhile", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({
    CommandLine: "mkdir wide; cd wide; for i in {1..300}; do mkdir -p $i/{a,b}/c; done; touch {1..300}/{a,b}/c/{x,y} {1001..3000}",
  });
  assert.equal((await service.call("DELETE", `/${job.ID}/files/wide?recursive=true`)).status, 200);
  const id = await service.submit({
    CommandLine: "mkdir a; while :; do mkdir -p a/b/c 2> /dev/null; mv a/b/c a/d$RANDOM 2> /dev/null; touch ready; done",
  });
  await waitFor("the job is at it", () => existsSync(join(service.workspaceOf(id), "ready")));
  for (let round = 0; round < 20; round += 1) {
    const { status, text } = await service.call("DELETE", `/${id}/files/a?recursive=true`);
    assert.ok([200, 404].includes(status) || (status === 409 && text.includes("try again, or when the job is finished")), text);
  }
});

test("a mount in a workspace is neither listed, changed nor removed until it is unmounted", { skip: canMount }, async (t) => {
  const service = await startService(t);
  const submitter = bearer(await createToken(service, "submitter", "submit"));
  const { job } = await service.run({ CommandLine: "mkdir -p tree/mounted tree/other; touch tree/{file,gone} tree/other/gone" });
  const [workspace, source] = [service.workspaceOf(job.ID), folderOf(t)];
  writeFileSync(join(source, "kept"), "hunter22");
  using mounts = new Mounts();
  mounts.add(source, join(workspace, "tree/mounted"));
  mounts.add(join(source, "kept"), join(workspace, "tree/file"));

  const { Entries }: { Entries: { Name: string; Type: string }[] } = JSON.parse((await service.call("GET", `/${job.ID}/files/tree`)).text);
  assert.deepEqual(
    Entries.map(({ Name, Type }) => [Name, Type]),
    [
      ["file", "mount"],
      ["gone", "file"],
      ["mounted", "mount"],
      ["other", "folder"],
    ],
  );
  for (const [method, path] of [
    ["GET", "mounted"],
    ["GET", "mounted/kept"],
    ["GET", "file"],
    ["PUT", "mounted/new"],
    ["PUT", "file"],
    ["DELETE", "file"],
    ["DELETE", "mounted/kept"],
    ["DELETE", "mounted?recursive=true"],
  ]) {
    assertProblem(await service.call(method ?? "", `/${job.ID}/files/tree/${path}`), 409);
  }
  const refused = await service.call("DELETE", `/${job.ID}/files/tree?recursive=true`);
  assertProblem(refused, 409);
  assert.match(
    refused.text,
    /3 files and folders in it were removed, but not tree\/(mounted|file): something is mounted there: unmount it, and try again/,
  );
  assert.deepEqual([readdirSync(source), readFileSync(join(source, "kept"), "utf8")], [["kept"], "hunter22"]);

  const { Remains }: { Remains?: { Path: string; Problem: string } } = JSON.parse((await service.call("DELETE", `/jobs/${job.ID}`)).text);
  assert.match(`${Remains?.Path}: ${Remains?.Problem}`, /\/work\/tree\/(mounted|file): something is mounted there$/);
  assert.deepEqual([readdirSync(source), existsSync(workspace)], [["kept"], true]);
  await assertReported(service, { job: job.ID, path: Remains?.Path ?? "", problem: /something is mounted there/ });
  const seen: object = JSON.parse((await service.call("GET", "/healthz", { headers: submitter })).text);
  assert.deepEqual(["removalsStopped" in seen && seen.removalsStopped, "remains" in seen], [1, false], "others' jobs are not named");

  mounts[Symbol.dispose]();
  await service.stop();
  await service.start();
  await waitFor("it is removed at the next try", () => !existsSync(join(workspace, "..")));
  assert.deepEqual(readdirSync(source), ["kept"]);
});

test("a workspace that is itself a mount is not emptied", { skip: canMount }, async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "true" });
  const source = folderOf(t);
  mkdirSync(join(source, "kept/inner"), { recursive: true });
  using mounts = new Mounts();
  mounts.add(source, service.workspaceOf(job.ID));
  assert.match((await service.call("DELETE", `/jobs/${job.ID}`)).text, /something is mounted there/);
  assert.ok(existsSync(join(source, "kept/inner")));
});

const canFreeze = canDo(
  "chattr +i",
  (folder) => spawnSync("chattr", ["+i", folder]).status === 0 && spawnSync("chattr", ["-i", folder]).status === 0,
);

test(
  "an immutable file and its parent folders stay and are reported; all other files of the job are removed",
  { skip: canFreeze },
  async (t) => {
    const service = await startService(t);
    const { job } = await service.run({
      CommandLine: "mkdir -p a/b other/tree; touch a/b/frozen a/gone other/tree/gone; chattr +i a/b/frozen",
    });
    const frozen = join(service.workspaceOf(job.ID), "a/b/frozen");
    using thaw = new DisposableStack();
    thaw.defer(() => void spawnSync("chattr", ["-i", frozen]));
    const refused = await service.call("DELETE", `/${job.ID}/files/a?recursive=true`);
    assertProblem(refused, 409);
    assert.match(refused.text, /but not a\/b\/frozen: it is immutable \(chattr \+i\): remove this attribute with chattr/);
    assertProblem(await service.call("DELETE", `/${job.ID}/files/a/b/frozen`), 403);
    const ended = await jobrunner(service, ["rm", "--url", service.url, job.ID]);
    assert.match(`${ended.code} ${ended.stderr}`, /^0 .* is removed, but not yet from the disk: \S+\/work\/a\/b\/frozen: it is immutable/);
    assert.deepEqual(readdirSync(service.workspaceOf(job.ID)), ["a"]);
    await assertReported(service, { job: job.ID, path: frozen, problem: /immutable/ });
  },
);

async function assertRemoved(service: Service, id: string): Promise<void> {
  const { status, text } = await service.call("DELETE", `/jobs/${id}`);
  assert.deepEqual([status, text], [200, "{}"]);
  assert.ok(!existsSync(join(service.stateDir, "jobs", id)));
}

/** Reported in health's details, by a metric, in the log and by the doctor. */
async function assertReported(service: Service, { job, path, problem }: { job: string; path: string; problem: RegExp }): Promise<void> {
  const { status, remains }: { status: string; remains: { job: string; path: string; problem: string }[] } = JSON.parse(
    (await service.call("GET", "/healthz")).text,
  );
  assert.deepEqual([status, remains.length, remains[0]?.job, remains[0]?.path], ["ok", 1, job, path]);
  assert.match(remains[0]?.problem ?? "", problem);
  assert.match((await service.call("GET", "/metrics")).text, /^jobrunner_removals_stopped 1$/m);
  const line = service.log.split("\n").find((text) => text.includes("not all of a deleted job could be removed"));
  assert.ok(line?.includes(job) && line.includes(path), service.log);
  const { stdout } = await jobrunner(service, ["doctor"]);
  assert.match(stdout.replaceAll(/\s+/g, " "), new RegExp(`note removals the deleted job ${job} left something behind: ${path}`));
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-files-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
