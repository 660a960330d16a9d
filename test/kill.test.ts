import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { after, test } from "node:test";
import type { JobSpec } from "../src/job/spec.ts";
import { isAlive, jobProcessesOf } from "./helper/processes.ts";
import { cgroupModes } from "./helper/cgroups.ts";
import { compileProgram } from "./helper/programs.ts";
import { type Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

const mainThreadEnds = compileProgram("supervisor", "test", "main_thread_ends.c");
after(() => mainThreadEnds.remove());

const stubborn = [
  { name: "goes on though its main thread has ended", commandLine: `trap '' TERM; exec ${mainThreadEnds.file}` },
  { name: "ignores SIGTERM", commandLine: "trap '' TERM HUP INT; echo ready; while :; do sleep 0.05; done" },
  {
    name: "moved to a session of its own",
    commandLine: "setsid bash -c 'trap \"\" TERM; echo ready; while :; do sleep 0.05; done' & wait",
  },
  { name: "forked twice and lost its parent", commandLine: "(setsid bash -c 'trap \"\" TERM; echo ready; sleep 1000' &) ; sleep 1000" },
  { name: "started by nohup", commandLine: "nohup bash -c 'trap \"\" TERM; echo ready >&2; while :; do sleep 0.05; done' & wait" },
  { name: "is stopped by SIGSTOP", commandLine: "bash -c 'kill -STOP $$' & sleep 0.05; echo ready; wait" },
  {
    name: "cleared its environment",
    commandLine: "setsid env -i /bin/bash -c 'trap \"\" TERM; (while :; do /bin/sleep 0.05; done) & echo ready; wait' & wait",
  },
  {
    name: "forks while it is being killed",
    commandLine:
      "f() { trap '' TERM; while :; do (sleep 0.02; f) & sleep 0.05; done; }; export -f f; timeout -s KILL 20 bash -c f & echo ready; wait",
  },
];

for (const { cgroups, skip } of cgroupModes) {
  for (const { name, commandLine } of stubborn) {
    test(`a kill leaves no process that ${name} (cgroups: ${cgroups})`, { skip }, async (t) => {
      const service = await sharedService(t, { JOBRUNNER_CGROUPS: cgroups });
      const id = await startedJob(service, { CommandLine: commandLine, StopTimeoutSeconds: 0.1 });
      assert.ok(jobProcessesOf(service.stateDir).length > 0, "the job runs");
      await service.kill(id);
      assert.deepEqual(jobProcessesOf(service.stateDir), [], "none is left when the kill is answered");
      const job = await service.get(id);
      assert.deepEqual([job.State, job.Reason], ["Killed", "Requested"]);
    });
  }
}

for (const { cgroups, skip } of cgroupModes) {
  test(`what a job left behind when it ended normally is gone (cgroups: ${cgroups})`, { skip }, async (t) => {
    const service = await sharedService(t, { JOBRUNNER_CGROUPS: cgroups });
    const { job, output } = await service.run({
      CommandLine:
        "setsid bash -c 'trap \"\" TERM; echo $BASHPID; while :; do sleep 0.05; done' & (sleep 1000 &) ; until [ -s ../output ]; do " +
        "sleep 0.01; done",
    });
    assert.equal(job.State, "Succeeded");
    assert.ok(!isAlive(Number(output.toString().trim())));
    assert.deepEqual(jobProcessesOf(service.stateDir), []);
  });
}

test("the stop signal is sent first, and a job may end by itself within the grace period", async (t) => {
  const service = await sharedService(t);
  const spec = {
    CommandLine: "trap 'echo bye; exit 5' INT; echo ready; while :; do sleep 0.02; done",
    StopSignal: "SIGINT",
    StopTimeoutSeconds: 30,
  } as const;
  const id = await startedJob(service, spec);
  await service.kill(id);
  const job = await service.get(id);
  assert.deepEqual([job.State, job.ExitCode, job.Signal], ["Killed", 5, null]);
  assert.equal((await service.output(id)).toString(), "ready\nbye\n");
});

test("a real-time stop signal is delivered to each process once", async (t) => {
  const service = await sharedService(t);
  const loop = "echo ready; until [ -e end ]; do :; done; exit 6"; // without a child, because bash would print the signal that ended it
  const spec: JobSpec = {
    CommandLine: `trap 'echo stopped; touch end' RTMIN+3; ${loop}`,
    StopSignal: "SIGRTMIN+3",
    StopTimeoutSeconds: 30,
  };
  const id = await startedJob(service, spec);
  await service.kill(id);
  const job = await service.get(id);
  assert.deepEqual([job.State, job.ExitCode, job.Signal], ["Killed", 6, null]);
  assert.equal((await service.output(id)).toString(), "ready\nstopped\n");
  const deaf = await startedJob(service, { CommandLine: "echo ready; sleep 1000", StopSignal: "SIGRTMAX" });
  await service.kill(deaf);
  assert.equal((await service.get(deaf)).Signal, "SIGRTMAX");
});

test("after a kill only steps with RunOn always run", async (t) => {
  const service = await sharedService(t);
  const id = await startedJob(service, {
    Commands: [
      { CommandLine: "echo ready; sleep 1000" },
      { CommandLine: "echo never" },
      { CommandLine: "echo never", RunOn: "failure" },
      { CommandLine: "echo cleaned", RunOn: "always" },
    ],
  });
  await service.kill(id);
  assert.equal((await service.output(id)).toString(), "ready\ncleaned\n");
  const job = await service.get(id);
  assert.deepEqual(
    job.Steps.map(({ State }) => State),
    ["Killed", "Skipped", "Skipped", "Succeeded"],
  );
});

test("a second kill ends a clean-up step that hangs", async (t) => {
  const service = await sharedService(t);
  const id = await startedJob(service, {
    Commands: [{ CommandLine: "echo ready; sleep 1000" }, { CommandLine: "echo hanging; sleep 1000", RunOn: "always" }],
  });
  const first = service.kill(id);
  const reader = await service.attach(id);
  await reader.until("hanging");
  await service.kill(id);
  await first;
  assert.equal((await service.get(id)).State, "Killed");
});

test("force kills at once and runs no further step", async (t) => {
  const service = await sharedService(t);
  const id = await startedJob(service, {
    StopTimeoutSeconds: 600,
    Commands: [{ CommandLine: "trap '' TERM; echo ready; while :; do sleep 0.02; done" }, { CommandLine: "echo never", RunOn: "always" }],
  });
  assert.equal((await service.call("DELETE", `/${id}?force=true`)).status, 200);
  assert.equal((await service.output(id)).toString(), "ready\n");
  assert.deepEqual(
    (await service.get(id)).Steps.map(({ State }) => State),
    ["Killed", "Skipped"],
  );
});

test("several concurrent kills are all answered when no process is left", async (t) => {
  const service = await sharedService(t);
  const id = await startedJob(service, { CommandLine: "trap '' TERM; echo ready; while :; do sleep 0.02; done", StopTimeoutSeconds: 0.2 });
  await Promise.all(Array.from({ length: 10 }, () => service.kill(id)));
  assert.deepEqual(jobProcessesOf(service.stateDir), []);
});

test("a kill of a job that is finished or does not exist is answered with 200", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "true" });
  await service.kill(job.ID);
  await service.kill("01234567-89ab-7def-8123-456789abcdef");
  assert.equal((await service.get(job.ID)).State, "Succeeded");
});

test("a job's cgroup is removed with the job", async (t) => {
  const service = await sharedService(t);
  const { cgroups }: { cgroups?: string | null } = JSON.parse((await service.call("GET", "/healthz")).text);
  if (typeof cgroups !== "string") return t.skip("no cgroup v2 can be made on this box");
  const { job, output } = await service.run({ CommandLine: "(setsid sleep 1000 &); grep ^0:: /proc/self/cgroup" });
  assert.match(output.toString(), new RegExp(job.ID));
  await waitFor("the cgroup is removed", () => !existsSync(`${cgroups}/${job.ID}`));
});

async function startedJob(service: Service, spec: Parameters<Service["submit"]>[0]): Promise<string> {
  const id = await service.submit(spec);
  const reader = await service.attach(id);
  await reader.until("ready");
  reader.close();
  return id;
}
