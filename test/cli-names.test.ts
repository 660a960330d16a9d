import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { cli } from "./helper/cli.ts";
import { type Service, startService } from "./helper/service.ts";

/** Names of jobs, and --last, where the command line takes IDs. */

const forever = "sleep 1000";

test("a name is the newest job of that name, and --last is the newest of all, where one job is meant", async (t) => {
  const service = await startService(t);
  await service.run({ Name: "nightly", CommandLine: "echo first" });
  const { job: newest } = await service.run({ Name: "nightly", CommandLine: "echo second; echo kept > file; exit 3" });
  await service.run({ Name: "Nightly", CommandLine: "echo other" });
  const last = await service.run({ CommandLine: "echo last" });
  const output = async (...args: string[]): Promise<unknown[]> => {
    const { code, stdout } = await cli(t, service.url, args);
    return [code, stdout];
  };
  assert.deepEqual(await output("logs", "nightly"), [0, "second\n"]);
  assert.deepEqual(await output("logs", "--last"), [0, "last\n"]);
  assert.deepEqual(await output("attach", "nightly"), [3, "second\n"]);
  assert.deepEqual(await output("attach", "--last"), [0, "last\n"]);
  const idOf = async (...args: string[]): Promise<string> => JSON.parse((await cli(t, service.url, ["inspect", ...args])).stdout).ID;
  assert.deepEqual([await idOf("nightly"), await idOf("--last")], [newest.ID, last.job.ID]);
  const waited = await cli(t, service.url, ["wait", "nightly", "Nightly"]);
  assert.equal(waited.code, 3);
  assert.match(waited.stdout, new RegExp(`^${newest.ID}  Failed  3`, "m"));
  assert.match((await cli(t, service.url, ["wait", "--last"])).stdout, new RegExp(`^${last.job.ID}  Succeeded`));
  const folder = folderOf(t);
  assert.equal((await cli(t, service.url, ["cp", "nightly:file", folder])).code, 0);
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "kept\n");
});

test("kill takes the name of the one unfinished job, and rm takes IDs only", async (t) => {
  const service = await startService(t);
  const running = await service.submit({ Name: "server", CommandLine: forever });
  await service.run({ Name: "server", CommandLine: "true" });
  const killed = await cli(t, service.url, ["kill", "server"]);
  assert.deepEqual([killed.code, killed.stdout], [0, `${running}\n`]);
  assert.deepEqual(await refusal(t, service, "kill", "server"), [
    1,
    "jobrunner: no unfinished job has the name \"server\", or an ID that begins with it: 'jobrunner ps -a' lists those that there are\n",
  ]);
  const two = [
    await service.submit({ Name: "server", CommandLine: forever }),
    await service.submit({ Name: "server", CommandLine: forever }),
  ];
  const [code, text] = await refusal(t, service, "kill", "--force", "server");
  assert.equal(code, 1);
  assert.match(text, /^jobrunner: several unfinished jobs have the name "server": give an ID\n/);
  for (const id of two) assert.ok(text.includes(id));
  const last = await cli(t, service.url, ["kill", "--last"]);
  assert.deepEqual([last.code, last.stdout], [0, `${two[1]}\n`]);
  assert.deepEqual(await refusal(t, service, "rm", "server"), [
    1,
    "jobrunner: no job has an ID that begins with \"server\": 'jobrunner ps -a' lists those that there are\n",
  ]);
});

test("a name that is also the beginning of an ID is refused, unless both are one job", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "echo by ID" });
  const prefix = job.ID.slice(0, 18);
  assert.equal((await cli(t, service.url, ["logs", prefix])).stdout, "by ID\n");
  const { job: named } = await service.run({ Name: prefix, CommandLine: "echo by name" });
  const [code, text] = await refusal(t, service, "logs", prefix);
  assert.equal(code, 1);
  assert.match(text, /is the name of a job, and an ID begins with it: give an ID\n/);
  assert.ok(text.includes(job.ID) && text.includes(named.ID), text);
  assert.equal((await cli(t, service.url, ["logs", job.ID])).stdout, "by ID\n");
  assert.equal((await cli(t, service.url, ["logs", named.ID])).stdout, "by name\n");
});

test("a command without a job, or with one and --last, says what to give; a service without jobs says so", async (t) => {
  const service = await startService(t);
  for (const command of ["logs", "attach", "inspect", "wait", "kill"]) {
    assert.match((await refusal(t, service, command))[1], /give a job by its ID or name, or --last for the newest one/, command);
    assert.match((await refusal(t, service, command, "x", "--last"))[1], /give a job or --last, not both/, command);
  }
  assert.match((await refusal(t, service, "logs", "--last"))[1], /there is no job yet/);
  assert.match((await refusal(t, service, "kill", "--last"))[1], /there is no unfinished job/);
  const folder = folderOf(t);
  writeFileSync(join(folder, "a:b"), "");
  assert.match((await refusal(t, service, "cp", "a:b", "/tmp/x"))[1], /no job has the name "a"/);
});

async function refusal(t: TestContext, service: Service, ...args: string[]): Promise<[number | null, string]> {
  const { code, stdout, stderr } = await cli(t, service.url, args);
  assert.equal(stdout, "");
  return [code, stderr];
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-names-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
