import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Engine, engines, engineTest, ownPodman } from "./helper/engines.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Which engine the service finds, and what it reports if there is none. */

const container = JSON.stringify({ Commands: [{ CommandLine: "true" }, { Image: "busybox", Args: ["true"] }] });

type Containers = { engine: string | null; version: string | null; problem: string | null };

/** Waits until the service has searched for an engine. */
async function health(service: Service): Promise<Containers> {
  let found: Containers = { engine: null, version: null, problem: null };
  await waitFor("the engine was looked for", async () => {
    ({ containers: found } = JSON.parse((await service.call("GET", "/healthz")).text));
    return !(found.problem ?? "").startsWith("not known yet");
  });
  return found;
}

/** A folder that is the whole PATH, with programs by name. */
function folderWith(t: TestContext, programs: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-path-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  for (const name of ["readlink", "dirname", "mkfifo", "sh"]) symlinkSync(`/usr/bin/${name}`, join(folder, name));
  return folder;
}

test("without a container engine a job that needs one is refused with what to install, and others run", async (t) => {
  const service = await startService(t, { environment: { PATH: folderWith(t, {}), JOBRUNNER_CONTAINER_ENGINE: "auto" } });
  const answer = await service.call("POST", "/", { body: container });
  assert.equal(answer.status, 422, answer.text);
  const problem: { code: string; detail: string; errors: { field: string }[] } = JSON.parse(answer.text);
  assert.equal(problem.code, "no-container-engine");
  assert.match(problem.detail, /no container engine is on this box: install docker .*podman or nerdctl/);
  assert.equal(problem.errors[0]?.field, "Commands[1].Image");
  assert.equal((await service.run({ CommandLine: "echo ok" })).job.State, "Succeeded");
  const { engine, problem: why } = await health(service);
  assert.equal(engine, null);
  assert.match(why ?? "", /no container engine/);
});

test("a service answers before it has heard of an engine and says so; a job that needs one waits for that, others do not", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-held-"));
  const held = join(folder, "held");
  assert.equal(spawnSync("mkfifo", [held]).status, 0);
  const heldBack = `case $1 in --version) read line < ${held}; echo "Docker version 99";; *) echo "is not up" >&2; exit 1;; esac`;
  const service = await startService(t, {
    environment: { PATH: folderWith(t, { docker: heldBack }), JOBRUNNER_CONTAINER_ENGINE: "docker" },
  });
  t.after(() => rmSync(folder, { recursive: true }));
  const submitted = service.call("POST", "/", { body: container });
  assert.equal((await service.run({ CommandLine: "echo ok" })).job.State, "Succeeded");
  const { containers }: { containers: Containers } = JSON.parse((await service.call("GET", "/healthz")).text);
  assert.deepEqual(containers, { engine: null, version: null, problem: "not known yet: the engine has not answered so far" });
  await writeFile(held, "go on\n");
  assert.match((await submitted).text, /silent-container-engine.*is not up/);
});

test("an engine that is installed and does not answer is told from none, with its own words", async (t) => {
  const silent = 'case $1 in --version) echo "Docker version 99";; *) echo "Cannot connect to the Docker daemon" >&2; exit 1;; esac';
  const service = await startService(t, { environment: { PATH: folderWith(t, { docker: silent }), JOBRUNNER_CONTAINER_ENGINE: "auto" } });
  const answer = await service.call("POST", "/", { body: container });
  assert.equal(answer.status, 503, answer.text);
  assert.match(answer.text, /silent-container-engine.*Cannot connect to the Docker daemon/);
  assert.deepEqual(await health(service), { engine: "docker", version: null, problem: "Cannot connect to the Docker daemon" });
});

test("the first engine that answers is taken, in the order docker, podman, nerdctl", async (t) => {
  const answering = (name: string, version: string): string =>
    `case $1 in --version) echo "${name} version ${version}";; version | info) echo ${version};; esac`;
  const silent = 'case $1 in --version) echo "Docker version 99";; *) exit 1;; esac';
  const cases: [Record<string, string>, string][] = [
    [{ docker: answering("Docker", "1"), podman: answering("podman", "2"), nerdctl: answering("nerdctl", "3") }, "docker 1"],
    [{ podman: answering("podman", "2"), nerdctl: answering("nerdctl", "3") }, "podman 2"],
    [{ nerdctl: answering("nerdctl", "3") }, "nerdctl 3"],
    [{ docker: silent, podman: answering("podman", "2") }, "podman 2"],
    [{ docker: answering("podman", "4") }, "podman 4"], // podman under the name docker
  ];
  for (const [programs, expected] of cases) {
    const service = await startService(t, { environment: { PATH: folderWith(t, programs), JOBRUNNER_CONTAINER_ENGINE: "auto" } });
    const { engine, version } = await health(service);
    assert.equal(`${engine} ${version}`, expected);
  }
});

test("an engine that is named and not there, and none at all, are told so", async (t) => {
  for (const [wanted, words] of [
    ["/no/such/docker", /JOBRUNNER_CONTAINER_ENGINE is \/no\/such\/docker, which is not on this box/],
    ["none", /switched off by JOBRUNNER_CONTAINER_ENGINE=none/],
  ] as const) {
    const service = await startService(t, { environment: { JOBRUNNER_CONTAINER_ENGINE: wanted } });
    const answer = await service.call("POST", "/", { body: container });
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.text, words);
  }
});

engineTest("the health check says which engine and version there is", async (t, engine) => {
  const service = await startService(t, { environment: engine.environment });
  const { engine: name, version, problem } = await health(service);
  assert.deepEqual([name, problem], [engine.name, null]);
  assert.match(version ?? "", /^\d+\.\d+/);
});

engineTest(
  "what a container writes is recorded although nothing of the engine's moves",
  async (t, engine) => {
    const service = await startService(t, { environment: engine.environment });
    const id = await service.submit({
      Commands: [{ Image: "busybox", CommandLine: "echo ready; until [ -e go ]; do sleep 0.05; done; echo out; echo err >&2; touch done" }],
    });
    await (await service.attach(id)).until("ready\n");
    const { stdout } = await engine.run("inspect", "--format", "{{.State.ConmonPid}}", `jobrunner-${id}-1`);
    const monitor = Number(stdout);
    process.kill(monitor, "SIGSTOP");
    try {
      writeFileSync(join(service.workspaceOf(id), "go"), "");
      await waitFor("all is written", () => existsSync(join(service.workspaceOf(id), "done")));
      await waitFor("it is recorded", async () => (await service.output(id, "?follow=false")).toString() === "ready\nout\nerr\n");
    } finally {
      process.kill(monitor, "SIGCONT");
    }
    const job = await service.wait(id);
    assert.equal(job.State, "Succeeded");
  },
  ["podman"],
);

engineTest(
  "what Podman finds of a container whose making was cut off is in no other's output",
  async (t) => {
    const { engine, folder } = await ownPodman(t);
    const service = await startService(t, { environment: engine.environment });
    const file = join(folder, "podman", "root", "overlay-layers", "layers.json");
    const cutOff = "c".repeat(64);
    for (const round of ["by whichever of the service's questions", "by this one"]) {
      const layers: unknown[] = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(file, JSON.stringify([...layers, { id: cutOff, created: new Date().toISOString(), flags: { incomplete: true } }]));
      const { output } = await service.run({ Commands: [{ Image: "busybox", Network: "none", CommandLine: "echo its own >&2" }] });
      assert.equal(output.toString(), "its own\n");
      assert.ok(!readFileSync(file, "utf8").includes(cutOff), `not found ${round}`);
    }
  },
  ["podman"],
);

engineTest("many containers at once are all right, and none is left", async (t, engine) => {
  const service = await startService(t, { environment: engine.environment });
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  await Promise.all(
    numbers.map(async (number) => {
      const { job, output } = await service.run({
        Commands: [
          { Image: "busybox", CommandLine: `echo ${number}; exit ${number % 3}` },
          { Image: "busybox", CommandLine: "echo end", RunOn: "always" },
        ],
      });
      assert.deepEqual([job.ExitCode, output.toString()], [number % 3, `${number}\nend\n`]);
      assert.deepEqual(await engine.containersOf(job.ID), []);
    }),
  );
});

engineTest(
  "where the engine's runtime may have a kernel of its own, containers have the engine's init and their client's streams",
  async (t, engine) => {
    const folder = mkdtempSync(join(tmpdir(), "jr-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = spawnSync("which", [engine.name], { encoding: "utf8" }).stdout.trim();
    const client = join(folder, engine.name);
    // The real engine, except for what it reports about its runtime.
    const answers = { docker: "case $1 in info) echo runsc; exit;; esac", podman: "case $1 in info) echo 4.3.1 false kata; exit;; esac" };
    writeFileSync(client, `#!/bin/sh\n${answers[engine.name]}\nexec ${path} "$@"\n`, { mode: 0o755 });
    const service = await startService(t, { environment: { ...engine.environment, JOBRUNNER_CONTAINER_ENGINE: client } });
    const { job, output } = await service.run({
      Commands: [{ Image: "busybox", Network: "none", CommandLine: "ls -d /.jobrunner 2>&1; echo out; exit 3" }],
    });
    assert.equal(job.ExitCode, 3);
    assert.equal(output.toString(), "ls: /.jobrunner: No such file or directory\nout\n");
    const merged = { Output: "merged", Commands: [{ CommandLine: "true" }, { Image: "busybox", CommandLine: "true" }] };
    const refused = await service.call("POST", "/", { body: JSON.stringify(merged) });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /"field":"Commands\[1\].Output","message":"cannot be merged in a container on this box/);
    const listener = 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.02; done';
    const id = await service.submit({ Commands: [{ Image: "busybox", Network: "none", CommandLine: listener }] });
    const reader = await service.attach(id);
    await reader.until("ready\n");
    const send = (Signal: string): Promise<{ status: number; text: string }> =>
      service.call("POST", `/${id}/signal`, { body: JSON.stringify({ Signal }) });
    const stopped = await send("SIGSTOP");
    assert.equal(stopped.status, 409);
    assert.match(stopped.text, /"code":"signal-not-possible".*does not pass SIGSTOP on/);
    assert.equal((await send("SIGUSR1")).status, 200);
    await reader.until("usr1\n");
    await service.kill(id);
  },
);

engineTest(
  "Docker's client may have Podman behind it: containers then have its init, and their client's streams",
  async (t, podman) => {
    if (!engines.includes("docker")) return t.skip("docker's client is not there");
    const folder = mkdtempSync(join(tmpdir(), "jr-"));
    const socket = `unix://${join(folder, "s")}`;
    const behind = spawn("podman", ["system", "service", "--time=0", socket], {
      env: { ...process.env, ...podman.environment },
      stdio: "ignore",
    });
    t.after(() => {
      // After the service, whose hook is registered later.
      t.after(() => {
        behind.kill();
        rmSync(folder, { recursive: true });
      });
    });
    await waitFor("it listens", () => existsSync(join(folder, "s")));
    const docker = new Engine("docker", { DOCKER_HOST: socket });
    const service = await startService(t, { environment: docker.environment });
    const run = async (command: { Args: string[] } | { CommandLine: string }): Promise<string> => {
      const { job, output } = await service.run({ Commands: [{ Image: "localhost/busybox", Network: "none", ...command }] });
      return [job.State, job.Reason, job.ExitCode, output.toString()].join(" ");
    };
    assert.equal(await run({ CommandLine: "echo out; echo err >&2; exit 3" }), "Failed ExitCode 3 out\nerr\n");
    assert.match(await run({ Args: ["no-such-program"] }), /^Failed CouldNotStart {2}ERROR \(catatonit/);
    const id = await service.submit({
      StopSignal: "SIGQUIT",
      StopTimeoutSeconds: 0.5,
      Commands: [{ Image: "localhost/busybox", Network: "none", CommandLine: "echo ready; while :; do sleep 0.1; done" }],
    });
    await (await service.attach(id)).until("ready");
    await service.kill(id);
    assert.deepEqual([(await service.get(id)).State, (await service.output(id)).toString()], ["Killed", "ready\n"]);
    assert.deepEqual(await podman.containersOf(id), []);
  },
  ["podman"],
);
