import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { WholeJob } from "../src/client/index.ts";
import { canStartDockerd, type Engine, engineTest, startDockerd } from "./helper/engines.ts";
import { isAlive, jobProcessesOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Containers whose service, supervisor or engine dies. */

async function start(t: TestContext, engine: Engine, environment: Record<string, string> = {}): Promise<Service> {
  return await startService(t, { environment: { ...engine.environment, ...environment } });
}

async function ready(service: Service, commandLine: string): Promise<string> {
  const id = await service.submit({
    Commands: [
      { Image: "busybox", CommandLine: commandLine },
      { Image: "busybox", CommandLine: "echo after" },
    ],
  });
  await (await service.attach(id)).until("ready");
  return id;
}

function go(service: Service, id: string): void {
  writeFileSync(join(service.workspaceOf(id), "go"), "");
}

const untilGo = "until [ -e go ]; do sleep 0.05; done";

engineTest("a container goes on while the service is away: output and exit code are whole, and it is removed", async (t, engine) => {
  const service = await start(t, engine);
  const id = await ready(service, `echo ready; ${untilGo}; i=0; while [ $i -lt 2000 ]; do echo line $i; echo err $i >&2; i=$((i+1)); done`);
  await service.crash();
  go(service, id);
  const supervisor = service.supervisorOf(id);
  await waitFor("the job ends by itself", () => !isAlive(supervisor));
  assert.equal((await engine.containersOf(id)).length, 2, "over, and not yet looked at");
  await service.start();
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.ExitCode, job.OutputLostBytes], ["Succeeded", 0, 0]);
  assert.deepEqual(await engine.containersOf(id), []);
  const lines = Array.from({ length: 2000 }, (_, index) => index);
  assert.equal(
    (await service.output(id, "?stream=stdout")).toString(),
    `ready\n${lines.map((index) => `line ${index}\n`).join("")}after\n`,
  );
  assert.equal((await service.output(id, "?stream=stderr")).toString(), lines.map((index) => `err ${index}\n`).join(""));
});

engineTest("a service that is killed while containers run finds them again, whatever code they end with", async (t, engine) => {
  const service = await start(t, engine);
  const id = await ready(service, `echo ready; ${untilGo}; exit 7`);
  await service.crash();
  await service.start();
  assert.equal((await service.get(id)).State, "Running");
  go(service, id);
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Steps[1]?.State], ["Failed", "ExitCode", 7, "Skipped"]);
  assert.deepEqual(await engine.containersOf(id), []);
});

engineTest("a job whose supervisor is killed is lost, and its containers are removed", async (t, engine) => {
  for (const isAway of [false, true]) {
    const service = await start(t, engine);
    const id = await ready(service, "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    const supervisor = service.supervisorOf(id);
    if (isAway) await service.crash();
    process.kill(supervisor, "SIGKILL");
    await waitFor("it is dead", () => !isAlive(supervisor));
    if (isAway) await service.start();
    const job = await service.wait(id);
    assert.deepEqual([job.State, job.Reason, job.ExitCode, job.OutputLostBytes], ["Lost", "SupervisorLost", null, null]);
    assert.deepEqual(await engine.containersOf(id), []);
    assert.deepEqual(jobProcessesOf(service.stateDir), []);
  }
});

engineTest("at its start the service removes containers of its jobs that are finished, and nobody else's", async (t, engine) => {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const service = await startService(t, { environment: engine.environment, stateDir });
  const other = await start(t, engine);
  const over = await service.submit({ Commands: [{ Image: "busybox", Args: ["true"] }] });
  await service.wait(over);
  const running = await ready(service, `echo ready; ${untilGo}`);
  const ofOther = await ready(other, `echo ready; ${untilGo}`);
  const [name] = await engine.containersOf(running);
  assert.ok(name !== undefined);
  const instance = (await engine.run("inspect", "--format", '{{index .Config.Labels "jobrunner.instance"}}', name)).stdout.trim();
  const make = async (labels: string[]): Promise<string> => {
    const container = `jobrunner-${over}-${labels.length === 0 ? 8 : 9}`;
    const made = await engine.run(
      "run",
      "--detach",
      "--init",
      "--name",
      container,
      ...labels.map((label) => `--label=${label}`),
      "busybox",
      "sleep",
      "1000",
    );
    assert.equal(made.code, 0, made.stderr);
    t.after(() => engine.run("rm", "--force", container));
    return container;
  };
  await service.crash();
  const ours = await make([`jobrunner.job=${over}`, `jobrunner.instance=${instance}`]);
  const foreign = await make([]);
  await service.start();
  const isThere = async (container: string): Promise<boolean> => (await engine.run("inspect", "--type", "container", container)).code === 0;
  await waitFor("what is left of a job that is finished is removed", async () => !(await isThere(ours)));
  assert.ok(await isThere(foreign), "not labelled as ours");
  assert.deepEqual([(await engine.containersOf(running)).length, (await engine.containersOf(ofOther)).length], [1, 1]);
  for (const [of, id] of [
    [service, running],
    [other, ofOther],
  ] as const) {
    go(of, id);
    assert.equal((await of.wait(id)).State, "Succeeded");
  }
});

for (const liveRestore of [true, false]) {
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    const title =
      `a Docker daemon that is started anew after ${signal}, ${liveRestore ? "with" : "without"} live restore, fails its ` +
      `job with the reason`;
    test(title, { skip: canStartDockerd }, async (t) => {
      const daemon = await startDockerd(t, { liveRestore });
      const service = await start(t, daemon.engine);
      const id = await ready(service, "echo ready; i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); sleep 0.05; done; exit 3");
      await knownToRun(daemon.engine, id);
      await (signal === "SIGKILL" ? daemon.crash() : daemon.stop());
      await daemon.start();
      const job = await service.wait(id);
      assertReportedRight(job, { liveRestore, signal });
      await waitFor("the container is removed", async () => (await daemon.engine.containersOf(id)).length === 0);
      const { job: next } = await service.run({ Commands: [{ Image: "busybox", Args: ["true"] }] });
      assert.equal(next.State, "Succeeded", JSON.stringify(next));
    });
  }
}

/** A container may write before the engine has noted that it runs. */
async function knownToRun(engine: Engine, id: string): Promise<void> {
  const running = async (): Promise<string> =>
    (await engine.run("ps", "--filter", `label=jobrunner.job=${id}`, "--filter", "status=running", "--quiet")).stdout;
  await waitFor("the engine says that the container runs", async () => (await running()) !== "");
}

test("what a Docker daemon forgot that died while it started a container is killed all the same", { skip: canStartDockerd }, async (t) => {
  const daemon = await startDockerd(t, { liveRestore: true });
  const service = await start(t, daemon.engine);
  // written before the engine has noted that it runs
  const id = await ready(service, "trap '' TERM; echo ready; while :; do sleep 0.1; done");
  await daemon.crash();
  await daemon.start();
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "EngineError", null], JSON.stringify(job));
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
  await waitFor("the container is removed", async () => (await daemon.engine.containersOf(id)).length === 0);
});

/** A daemon without live restore stops its containers before it ends, and its client may live to tell their exit code. */
function assertReportedRight(job: WholeJob, { liveRestore, signal }: { liveRestore: boolean; signal: string }): void {
  const [step, after] = job.Steps;
  assert.deepEqual([job.State, step?.State, after?.State], ["Failed", "Failed", "Skipped"], JSON.stringify(job));
  const wasStopped = !liveRestore && signal === "SIGTERM" && step?.Reason === "ExitCode";
  if (wasStopped) assert.ok(step.ExitCode === 143 || step.ExitCode === 137, JSON.stringify(job));
  else assert.deepEqual([job.Reason, job.ExitCode, job.OutputLostBytes], ["EngineError", null, null], JSON.stringify(job));
}

test(
  "an engine that is gone for a while is waited for, and a kill is answered when the container is",
  { skip: canStartDockerd },
  async (t) => {
    const daemon = await startDockerd(t, { liveRestore: true });
    const service = await start(t, daemon.engine);
    const id = await ready(service, "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    await knownToRun(daemon.engine, id);
    await daemon.crash();
    const killed = service.kill(id);
    const refused = await service.call("POST", "/", { body: JSON.stringify({ Commands: [{ Image: "busybox", Args: ["true"] }] }) });
    await daemon.start();
    await killed;
    assert.deepEqual(await daemon.engine.containersOf(id), []);
    assert.ok(refused.status === 503 || refused.status === 200, refused.text);
    assert.ok(["Killed", "Failed"].includes((await service.get(id)).State));
  },
);
