import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { canStartDockerd, type Engine, startDockerd } from "./helper/engines.ts";
import { repository, type Service } from "./helper/service.ts";
import { become, cannotBe, findUser, folderOf, startAs } from "./helper/users.ts";

/** Containers of a service that is not root: what their users write belongs to others. */

async function filesOfOthersAreShared(service: Service): Promise<void> {
  const command = { Image: "busybox", Network: "none" };
  const { job, output } = await service.run({
    Commands: [
      { CommandLine: "echo host > host" },
      { ...command, CommandLine: "cat host; mkdir own; echo root > own/file; chmod 700 own; echo from root > shared" },
      {
        ...command,
        User: "1234:5678",
        CommandLine:
          "id -u; cat host shared; mkdir other; echo x > other/file; chmod 700 other; mkdir sticky; echo x > sticky/file; chmod 1777 " +
          "sticky",
      },
      { CommandLine: "cat shared" },
    ],
  });
  assert.equal(output.toString(), "host\n1234\nhost\nfrom root\nfrom root\n", JSON.stringify(job));
  assert.equal((await service.call("DELETE", `/jobs/${job.ID}`)).status, 200);
  assert.ok(!existsSync(join(service.stateDir, "jobs", job.ID)), service.log);
}

async function aKillIsAKill(service: Service, engine: Engine): Promise<void> {
  const id = await service.submit({
    StopTimeoutSeconds: 0.2,
    Commands: [{ Image: "busybox", Network: "none", CommandLine: "trap '' TERM; echo ready; while :; do sleep 0.1; done" }],
  });
  await (await service.attach(id)).until("ready");
  await service.kill(id);
  assert.deepEqual([(await service.get(id)).State, await engine.containersOf(id)], ["Killed", []]);
}

const nobody = findUser("nobody");
test(
  "an ordinary user's service shares files with containers of Docker's, and removes them",
  { skip: canStartDockerd || cannotBe(nobody, "nobody") },
  async (t) => {
    assert.ok(nobody !== null);
    const daemon = await startDockerd(t, { liveRestore: true });
    const socket = new URL(daemon.environment["DOCKER_HOST"] ?? "").pathname;
    chmodSync(join(socket, ".."), 0o755);
    chownSync(socket, nobody.uid, nobody.gid);
    const service = await startAs(t, nobody, daemon.environment);
    await filesOfOthersAreShared(service);
    await aKillIsAKill(service, daemon.engine);
  },
);

const ordinary = findUser("jobrunner-test");
test("an ordinary user's service runs containers by Podman without root", { skip: cannotBe(ordinary, "jobrunner-test") }, async (t) => {
  assert.ok(ordinary !== null);
  const folder = folderOf(t, ordinary);
  const asUser = (script: string, folderName: string): string => {
    const environment = { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder, DOCKER_HOST: "" };
    const result = spawnSync("setpriv", [...become(ordinary), join(repository, "test", "engines", script), folderName], {
      encoding: "utf8",
      env: environment,
      cwd: "/",
    });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  const engines = join(folder, "e");
  t.after(() => asUser("stop", engines));
  const environment: Record<string, string> = { XDG_RUNTIME_DIR: folder, JOBRUNNER_CONTAINER_ENGINE: "podman" };
  for (const [, name = "", value = ""] of asUser("start", engines).matchAll(/^export (CONTAINERS_\w+)=(.*)$/gm)) environment[name] = value;
  if (environment["CONTAINERS_CONF"] === undefined) return t.skip("podman is not there");
  const service = await startAs(t, ordinary, environment);
  await filesOfOthersAreShared(service);
  assert.equal((await service.run({ Commands: [{ Image: "busybox", Network: "host", CommandLine: "exit 3" }] })).job.ExitCode, 3);
});
