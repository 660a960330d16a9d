import { strict as assert } from "node:assert";
import { test } from "node:test";
import { childrenOf, openFilesOf } from "./helper/processes.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

test("hundreds of jobs and readers leave no descriptor and no process in service or launcher", async (t) => {
  const service = await startService(t);
  const useOnce = async (): Promise<void> => {
    const id = await service.submit({
      Commands: [{ CommandLine: "echo 1; echo 2 >&2" }, { Args: ["no-such-program"], IgnoreError: true }],
    });
    const queries = ["", "?stream=stderr", "?tail=1", "?timestamps=true"];
    await Promise.all(queries.map((query) => service.output(id, query)));
    const gone = await service.attach(id, "?follow=true", { Accept: "text/event-stream" });
    gone.close();
    await service.call("GET", "/no-such-job/attach");
  };
  // its reader waits, so that everything that stays open is open
  await service.output(await service.submit({ CommandLine: "sleep 0.1; echo followed" }));
  const launcher = await service.launcher();
  const openFiles = (): string[] =>
    [service.pid, launcher]
      .flatMap(openFilesOf)
      .map(kindOf)
      .toSorted((a, b) => (a < b ? -1 : 1));
  const before = openFiles();
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 25 }, useOnce));
  await waitFor("descriptors are as before", () => openFiles().length <= before.length).catch(() => assert.deepEqual(openFiles(), before));
  await waitFor("the launcher has no child", () => childrenOf(launcher).length === 0);
});

test("supervisor and job hold no descriptor of service or launcher", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "echo ready; exec sleep 1000" });
  await (await service.attach(id)).until("ready");
  const supervisor = service.supervisorOf(id);
  await waitFor("it has let go of the launcher's", () => {
    const own = /^(\/dev\/null|pipe:|anon_inode:|.*\/jobs\/|.*\/doorbell$|\/sys\/fs\/cgroup\/)/;
    return openFilesOf(supervisor).every((file) => own.test(file));
  });
  const servicePipes = new Set(openFilesOf(service.pid).filter((file) => file.startsWith("pipe:")));
  assert.ok(openFilesOf(supervisor).every((file) => !servicePipes.has(file)));
  const [step] = childrenOf(supervisor);
  assert.ok(step !== undefined);
  assert.equal(openFilesOf(step).length, 3);
});

/** Without the numbers that distinguish sockets and pipes. */
function kindOf(file: string): string {
  return file.replace(/\[\d+\]$/, "");
}
