import { strict as assert } from "node:assert";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startService } from "./helper/service.ts";
import { injectFailure, withoutStrace } from "./helper/strace.ts";
import { waitFor } from "./helper/wait.ts";

test("output that could not be read is distinguished from output that a full disk refused", { skip: withoutStrace }, async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    Commands: [
      { Name: "talk", CommandLine: "echo before >&2; until [ -e go ]; do sleep 0.01; done; echo after >&2; echo other" },
      { CommandLine: "echo second >&2" },
    ],
  });
  await (await service.attach(id)).until("before\n");
  const pid = service.supervisorOf(id);
  const [child = 0] = service.childrenOfSupervisor(id);
  const pipe = readlinkSync(`/proc/${child}/fd/2`);
  const end = await injectFailure(t, { pid, call: "read", file: pipe, how: "error=EIO" });
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  const status = join(service.stateDir, "jobs", id, "status");
  await waitFor("the record says so", () => readFileSync(status, "latin1").includes("\nunread 1 "));
  await end();
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.ExitCode, job.OutputLostBytes], ["Succeeded", 0, null]);
  const message = "lost the rest of its standard error, which could not be read: i/o error";
  assert.deepEqual(
    job.Steps.map(({ State, Message }) => [State, Message]),
    [
      ["Succeeded", message],
      ["Succeeded", null],
    ],
  );
  assert.equal(job.Message, `step 1 (talk) ${message}`);
  assert.equal((await service.output(id)).toString(), "before\nother\nsecond\n", "the other stream and the next step are whole");
  const lines = (await service.call("GET", `/${id}/attach`, { headers: { Accept: "application/x-ndjson" } })).text;
  assert.match(lines, /"LostBytes":6/, "the gap says what was in the pipe");
});
