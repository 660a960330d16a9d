import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { WholeJob } from "../src/client/index.ts";
import type { JobSpec } from "../src/job/spec.ts";
import { type Engine, engineTest } from "./helper/engines.ts";
import { argumentsOf, isAlive, jobProcessesOf } from "./helper/processes.ts";
import { type Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** A kill leaves no container behind, whatever it was doing. */

const deaf = "trap 'echo deaf' TERM; echo ready; while :; do sleep 0.1; done";

async function start(t: TestContext, engine: Engine): Promise<Service> {
  return await sharedService(t, engine.environment);
}

async function ready(service: Service, spec: JobSpec): Promise<string> {
  const id = await service.submit(spec);
  await (await service.attach(id)).until("ready");
  return id;
}

/** The engine's client that runs the present step. */
function clientOf(service: Service, id: string): number {
  const client = service.childrenOfSupervisor(id).find((pid) => argumentsOf(pid)[1] === "run");
  assert.ok(client !== undefined, "a client runs");
  return client;
}

async function assertNothingLeft(service: Service, engine: Engine, id: string): Promise<void> {
  assert.deepEqual(await engine.containersOf(id), []);
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
}

engineTest("a container ends by the stop signal, which its command gets once, and tells its exit code", async (t, engine) => {
  const service = await start(t, engine);
  const id = await ready(service, {
    Commands: [
      {
        Image: "busybox",
        CommandLine: "trap 'echo got; trap \"echo again\" TERM; sleep 0.3; exit 9' TERM; echo ready; while :; do sleep 0.1; done",
      },
      { CommandLine: "echo never" },
    ],
  });
  await service.kill(id);
  const job = await service.get(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.OutputLostBytes], ["Killed", "Requested", 9, 0]);
  assert.equal((await service.output(id)).toString(), "ready\ngot\n");
  await assertNothingLeft(service, engine, id);
});

engineTest("a stop may begin with a real-time signal, which the container's command gets once", async (t, engine) => {
  const service = await start(t, engine);
  const CommandLine = "trap 'echo got; trap \"echo again\" 37; sleep 0.3; exit 9' 37; echo ready; while :; do sleep 0.1; done";
  const id = await ready(service, { StopSignal: "SIGRTMIN+3", StopTimeoutSeconds: 60, Commands: [{ Image: "busybox", CommandLine }] });
  await service.kill(id);
  const job = await service.get(id);
  assert.deepEqual([job.State, job.ExitCode, (await service.output(id)).toString()], ["Killed", 9, "ready\ngot\n"]);
  await assertNothingLeft(service, engine, id);
});

engineTest("however soon after its first output a container is stopped, it has its grace", async (t, engine) => {
  const service = await start(t, engine);
  const command = {
    Image: "busybox",
    CommandLine: "trap 'echo got; sleep 0.3; echo over; exit 9' TERM; echo ready; while :; do sleep 0.1; done",
  };
  const specs: JobSpec[] = Array.from({ length: 6 }, () => ({ StopTimeoutSeconds: 60, Commands: [command] }));
  await Promise.all(
    specs.map(async (spec) => {
      const id = await ready(service, spec);
      await service.kill(id);
      const job = await service.get(id);
      assert.deepEqual([job.State, job.ExitCode, job.OutputLostBytes], ["Killed", 9, 0], JSON.stringify(job));
      assert.equal((await service.output(id)).toString(), "ready\ngot\nover\n");
      assert.deepEqual(await engine.containersOf(id), []);
    }),
  );
  const deafOnes = [false, true].map(async (isForced) => {
    const id = await ready(service, { StopTimeoutSeconds: isForced ? 60 : 0.5, Commands: [{ Image: "busybox", CommandLine: deaf }] });
    const stopping = service.kill(id);
    if (isForced) await service.client().kill(id, { isForced: true });
    await stopping;
    const job = await service.get(id);
    assert.equal(job.State, "Killed");
    assert.ok(job.ExitCode === 137 || (engine.name === "podman" && job.ExitCode === null), JSON.stringify(job));
    assert.deepEqual(await engine.containersOf(id), []);
  });
  await Promise.all(deafOnes);
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
});

engineTest(
  "a container that ignores the stop signal is removed after the grace, at once by force, and always-steps still run",
  async (t, engine) => {
    const service = await start(t, engine);
    for (const query of ["", "?force=true"]) {
      const id = await ready(service, {
        StopTimeoutSeconds: 0.3,
        Commands: [
          { CommandLine: "setsid sleep 1000 & echo background" },
          { Image: "busybox", CommandLine: deaf },
          { Image: "busybox", CommandLine: "echo cleaned", RunOn: "always" },
          { CommandLine: "echo cleaned on the host", RunOn: "always" },
        ],
      });
      assert.equal((await service.call("DELETE", `/${id}${query}`)).status, 200);
      await assertNothingLeft(service, engine, id);
      const job = await service.get(id);
      assert.deepEqual([job.State, job.Steps[1]?.State], ["Killed", "Killed"]);
      const code = job.Steps[1]?.ExitCode;
      assert.ok(
        code === 137 || (engine.name === "podman" && code === null),
        `${code}: Podman's client does not always learn how a removed container ended`,
      );
      const text = (await service.output(id)).toString();
      assert.equal(text.includes("cleaned\ncleaned on the host\n"), query === "", text);
    }
  },
);

engineTest("a job without cgroups kills its containers too", async (t, engine) => {
  const service = await sharedService(t, { ...engine.environment, JOBRUNNER_CGROUPS: "off" });
  const id = await ready(service, {
    StopTimeoutSeconds: 0.2,
    Commands: [{ CommandLine: "sleep 1000 & sleep 0" }, { Image: "busybox", CommandLine: deaf }],
  });
  await service.kill(id);
  await assertNothingLeft(service, engine, id);
});

engineTest("timeouts of step and job remove the container", async (t, engine) => {
  const service = await start(t, engine);
  const command = { Image: "busybox", CommandLine: deaf };
  const always = { Image: "busybox", CommandLine: "echo always", RunOn: "always" } as const;
  const specs = [
    (seconds: number): JobSpec => ({ StopTimeoutSeconds: 0.2, Commands: [{ ...command, TimeoutSeconds: seconds }, always] }),
    (seconds: number): JobSpec => ({ StopTimeoutSeconds: 0.2, TimeoutSeconds: seconds, Commands: [command, always] }),
    (seconds: number): JobSpec => ({ StopTimeoutSeconds: 0.2, IdleTimeoutSeconds: seconds, Commands: [command, always] }),
  ];
  for (const spec of specs) {
    const { job, text } = await runLongEnough(service, spec);
    assert.deepEqual([job.State, job.Steps[0]?.ExitCode, job.Steps[1]?.State], ["TimedOut", 137, "Succeeded"], JSON.stringify(job));
    assert.match(text, /deaf\nalways\n$/);
    await assertNothingLeft(service, engine, job.ID);
  }
});

/** A timeout says something of a container only where it strikes when that runs: how long its making takes, the machine decides. */
async function runLongEnough(
  service: Service,
  spec: (seconds: number) => JobSpec,
  seconds = 1.5,
): Promise<{ job: WholeJob; text: string }> {
  const { job, output } = await service.run(spec(seconds));
  const text = output.toString();
  assert.equal(job.State, "TimedOut", JSON.stringify(job));
  return text.includes("ready") || seconds > 30 ? { job, text } : await runLongEnough(service, spec, seconds * 2);
}

engineTest("a container whose client was killed is removed, and nobody claims to know its exit", async (t, engine) => {
  const service = await start(t, engine);
  const killClient = async (): Promise<void> => {
    const id = await ready(service, {
      Commands: [
        { Image: "busybox", CommandLine: deaf },
        { CommandLine: "echo on", RunOn: "failure" },
      ],
    });
    process.kill(clientOf(service, id), "SIGKILL");
    const job = await service.wait(id);
    assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Signal], ["Failed", "EngineError", null, null]);
    assert.match(job.Message ?? "", /client was ended by SIGKILL/);
    assert.equal(job.OutputLostBytes, null, "what it wrote since is not known");
    assert.equal((await service.output(id)).toString(), "ready\non\n");
    assert.deepEqual(await engine.containersOf(id), []);
  };
  await Promise.all(Array.from({ length: 4 }, killClient)); // at once: they are killed at different moments of their start
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
});

engineTest("a kill after the client was killed, and one by SIGKILL, remove the container", async (t, engine) => {
  const service = await start(t, engine);
  const bySignal = await ready(service, { StopSignal: "SIGKILL", Commands: [{ Image: "busybox", CommandLine: deaf }] });
  await service.kill(bySignal);
  assert.equal((await service.get(bySignal)).State, "Killed");
  await assertNothingLeft(service, engine, bySignal);
  const orphan = await ready(service, { Commands: [{ Image: "busybox", CommandLine: deaf }] });
  process.kill(clientOf(service, orphan), "SIGKILL");
  await service.kill(orphan);
  await assertNothingLeft(service, engine, orphan);
});

engineTest("a timeout strikes while the service is away, and its container is gone", async (t, engine) => {
  const service = await start(t, engine);
  const id = await ready(service, { StopTimeoutSeconds: 0.2, TimeoutSeconds: 6, Commands: [{ Image: "busybox", CommandLine: deaf }] });
  const supervisor = service.supervisorOf(id);
  await service.crash();
  await waitFor("the job ends by itself", () => !isAlive(supervisor));
  assert.deepEqual(await engine.containersOf(id), []);
  await service.start();
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["TimedOut", "Timeout", 137]);
});

engineTest("a kill while the image is being pulled ends the pull", async (t, engine) => {
  // A registry that takes the connection and never answers.
  const silent = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await waitFor("it listens", () => silent.listening);
  const address = silent.address();
  assert.ok(typeof address === "object" && address !== null);
  const service = await start(t, engine);
  for (const query of ["", "?force=true"]) {
    const asked = new Promise((resolve) => silent.once("connection", resolve));
    const id = await service.submit({ StopTimeoutSeconds: 1, Commands: [{ Image: `127.0.0.1:${address.port}/image:1`, Args: ["true"] }] });
    await asked;
    assert.equal((await service.call("DELETE", `/${id}${query}`)).status, 200);
    const job = await service.get(id);
    assert.deepEqual([job.State, job.ExitCode], ["Killed", null], JSON.stringify(job));
    await assertNothingLeft(service, engine, id);
  }
});

engineTest("a kill at whatever moment of a container's making leaves none behind", async (t, engine) => {
  const service = await start(t, engine);
  const ids: string[] = [];
  const killAt = async (delayMs: number, query: string): Promise<void> => {
    const id = await service.submit({
      StopTimeoutSeconds: 0.3,
      Commands: [{ Image: "busybox", CommandLine: "while :; do sleep 0.1; done" }],
    });
    ids.push(id);
    const endMs = performance.now() + delayMs;
    await waitFor("its moment", () => performance.now() >= endMs);
    assert.equal((await service.call("DELETE", `/${id}${query}`)).status, 200);
    assert.deepEqual(await engine.containersOf(id), [], `killed after ${delayMs} ms${query}`);
    assert.equal((await service.get(id)).State, "Killed");
  };
  // Alone, where the moments are closest, then two at a time on a busy engine.
  for (let delayMs = 0; delayMs < 300; delayMs += 20) await killAt(delayMs, delayMs % 40 === 0 ? "?force=true" : "");
  for (let delayMs = 10; delayMs < 300; delayMs += 60) await Promise.all([killAt(delayMs, ""), killAt(delayMs + 15, "?force=true")]);
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
  assert.ok(ids.every((id) => existsSync(join(service.stateDir, "jobs", id))));
  assert.deepEqual(
    (await engine.allContainers()).filter((name) => ids.some((id) => name.includes(id))),
    [],
  );
});
