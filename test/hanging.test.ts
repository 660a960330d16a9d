import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { JobSpec } from "../src/job/spec.ts";
import { canMount } from "./helper/mounts.ts";
import { parentOf, processesOf } from "./helper/processes.ts";
import { compileProgram } from "./helper/programs.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** A file system that does not answer, like a network file system without its server: supervisor/test/hanging_files.c. */

const skip = existsSync("/dev/fuse") ? canMount : "there is no /dev/fuse here";
const program = skip === false ? compileProgram("supervisor", "test", "hanging_files.c") : null;
const mount = mkdtempSync(join(tmpdir(), "jobrunner-hanging-"));
let server: ChildProcess | null = null;

before(async () => {
  if (program === null) return;
  server = spawn(program.file, [mount], { stdio: ["pipe", "pipe", "inherit"] });
  const child = server;
  await waitFor("the mount", () => child.stdout?.read() !== null || child.exitCode !== null);
  assert.equal(child.exitCode, null);
});
after(async () => {
  server?.stdin?.end();
  if (server !== null && server.exitCode === null) await once(server, "exit");
  program?.remove();
  rmdirSync(mount);
});

const jobs: { name: string; spec: JobSpec }[] = [
  { name: "program", spec: { Commands: [{ Args: [join(mount, "tool")] }] } },
  { name: "working directory", spec: { CommandLine: "true", WorkingDir: mount } },
];

for (const { name, spec } of jobs) {
  test(`a kill of a job whose ${name} does not answer is answered, and nothing of it is left`, { skip }, async (t) => {
    const service = await sharedService(t);
    const id = await service.submit(spec);
    await waitFor("a process that is to become the command", () => isAtWork(service.stateDir));
    await service.kill(id);
    assert.equal(isAtWork(service.stateDir), false);
    const job = await service.get(id);
    assert.deepEqual([job.State, job.Reason], ["Killed", "Requested"]);
  });

  test(`the timeout of a job whose ${name} does not answer ends it`, { skip }, async (t) => {
    const service = await sharedService(t);
    const { job } = await service.run({ ...spec, TimeoutSeconds: 0.1, StopTimeoutSeconds: 0 });
    assert.deepEqual([job.State, job.Reason], ["TimedOut", "Timeout"]);
  });
}

/** Whether a supervisor has a child: until the child executes its command, it looks like its supervisor. */
function isAtWork(stateDir: string): boolean {
  const pids = processesOf(stateDir);
  return pids.some((pid) => {
    const parent = parentOf(pid);
    const launcher = parent === null ? null : parentOf(parent);
    return parent !== null && launcher !== null && pids.includes(parent) && pids.includes(launcher);
  });
}
