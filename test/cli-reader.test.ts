import { strict as assert } from "node:assert";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type CliOptions, type Ended, startCli, startProgram } from "./helper/cli.ts";
import { repository, type Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** A job that writes no more: the command cannot detect by writing that its reader has left. */
const silent = { CommandLine: "echo ready; sleep 1000" };

test("a following command ends as soon as its output is closed, with the status of SIGPIPE; the job continues", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit(silent);
  await waitFor("it is ready", async () => (await service.output(id, "?follow=false")).includes("ready"));
  for (const command of [`logs -f ${id}`, `attach ${id}`, `logs --follow --timestamps ${id}`, "run -c 'echo ready; sleep 1000'"]) {
    const { code, stdout, stderr } = await inBash(
      t,
      service,
      `set -o pipefail; jobrunner ${command} | grep -q ready; echo "\${PIPESTATUS[*]}"`,
    );
    assert.deepEqual([code, stdout], [0, "141 0\n"], `${command}: ${stderr}`);
    if (command.startsWith("run")) assert.match(stderr, /^jobrunner: the reader of the output is gone; the job [0-9a-f-]{36} continues\n$/);
    else assert.equal(stderr, "");
  }
  assert.equal((await service.activeIds()).length, 2);
});

test("events, ps --watch and wait end in the same way, also before they have written anything", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit(silent);
  for (const command of ["events", "ps --watch --json", `wait ${id}`, `attach ${id}`]) {
    const { stdout } = await inBash(t, service, `jobrunner ${command} | true; echo "\${PIPESTATUS[*]}"`);
    assert.equal(stdout, "141 0\n", command);
  }
});

test("a socket works like a pipe", async (t) => {
  const service = await sharedService(t);
  const running = startCli(t, service.url, ["logs", "-f", await service.submit(silent)]); // Node.js gives it a socket
  await running.until("ready");
  running.child.stdout?.destroy();
  assert.equal((await running.ended()).code, 141);
});

test("a killed command leaves no process that keeps its output open", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit(silent);
  const running = startProgram(
    t,
    ["bash", "-c", `exec 3< <(exec jobrunner logs -f ${id}); pid=$!; read -r line <&3; kill -KILL $pid; cat <&3; echo "$line, and closed"`],
    at(service),
  );
  assert.equal((await running.ended()).stdout, "ready, and closed\n");
});

async function inBash(t: TestContext, service: Service, script: string): Promise<Ended> {
  return await startProgram(t, ["bash", "-c", script], at(service)).ended();
}

function at({ url }: Service): CliOptions {
  return { environment: { JOBRUNNER_URL: url, PATH: `${join(repository, "bin")}:${process.env["PATH"]}` } };
}
