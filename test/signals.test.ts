import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cli } from "./helper/cli.ts";
import { engineTest } from "./helper/engines.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

/** `POST /:ID/signal`, on real processes. */

async function signal(service: Service, id: string, name: string, headers: Record<string, string> = {}): Promise<string> {
  const body = JSON.stringify({ Signal: name });
  const { status, text } = await service.call("POST", `/${id}/signal`, {
    body,
    headers: { "Content-Type": "application/json", ...headers },
  });
  const { code = "", detail = "" }: { code?: string; detail?: string } = JSON.parse(text);
  return status === 200 ? "sent" : `${status} ${code}: ${detail}`;
}

/** Says what it gets until it gets SIGTERM. */
const listener = 'trap "echo usr1" USR1; trap "echo usr2" USR2; trap "echo cont" CONT; echo ready; while :; do sleep 0.02; done';

test("a signal reaches every process of the running step, and no process that an earlier step left", async (t) => {
  const service = await startService(t);
  const one = (name: string): string => `(trap 'echo ${name}' USR1; echo ready ${name}; while :; do sleep 0.02; done) &`;
  const id = await service.submit({
    Commands: [
      { CommandLine: `${one("left")} sleep 0.1` },
      { CommandLine: `trap 'echo parent' USR1; ${one("child")} (${one("grandchild")} wait) & echo ready parent; while :; do wait; done` },
    ],
  });
  const reader = await service.attach(id);
  for (const name of ["left", "child", "grandchild", "parent"]) await reader.until(`ready ${name}\n`);
  assert.equal(await signal(service, id, "SIGUSR1"), "sent");
  for (const name of ["parent", "child", "grandchild"]) await reader.until(`\n${name}\n`);
  await service.kill(id);
  assert.ok(!(await service.output(id)).toString().includes("\nleft\n"));
});

test("a signal comes as it is sent, also in a service that was started after the job, and is in the audit log", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: listener });
  const reader = await service.attach(id);
  await reader.until("ready\n");
  await service.crash();
  await service.start();
  const second = await service.attach(id);
  for (const name of ["USR1", "USR2"]) {
    assert.equal(await signal(service, id, `SIG${name}`), "sent");
    await second.until(`${name.toLowerCase()}\n`);
  }
  await service.kill(id);
  const output = (await service.output(id)).toString();
  assert.ok(!output.includes("cont"), `no SIGCONT comes with a signal: ${output}`);
  const audit = readFileSync(join(service.stateDir, "audit.log"), "utf8");
  assert.deepEqual(
    audit
      .split("\n")
      .filter((line) => line.includes('"signal"'))
      .map((line): unknown => JSON.parse(line).Signal),
    ["SIGUSR1", "SIGUSR2"],
  );
});

test("SIGSTOP pauses a step until SIGCONT, and a stop ends it also while it is paused", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "echo ready; while :; do sleep 0.02; done", StopTimeoutSeconds: 1000 });
  await (await service.attach(id)).until("ready\n");
  const [first = 0] = service.childrenOfSupervisor(id);
  const state = (): string => /\) (\w)/.exec(readFileSync(`/proc/${first}/stat`, "latin1"))?.[1] ?? "";
  assert.equal(await signal(service, id, "SIGSTOP"), "sent");
  await waitFor("it is paused", () => state() === "T");
  assert.equal(await signal(service, id, "SIGCONT"), "sent");
  await waitFor("it goes on", () => state() !== "T");
  assert.equal(await signal(service, id, "SIGSTOP"), "sent");
  await waitFor("it is paused again", () => state() === "T");
  await service.kill(id);
  assert.equal((await service.get(id)).State, "Killed");
});

test("SIGKILL ends the step, as a failure, and the job goes on as its steps say", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    Commands: [{ CommandLine: "echo ready; sleep 1000" }, { CommandLine: "echo no" }, { CommandLine: "echo failed", RunOn: "failure" }],
  });
  await (await service.attach(id)).until("ready\n");
  assert.equal(await signal(service, id, "SIGKILL"), "sent");
  const { State, Signal, Steps } = await service.wait(id);
  assert.deepEqual([State, Signal, Steps.map((step) => step.State)], ["Failed", "SIGKILL", ["Failed", "Skipped", "Succeeded"]]);
});

test("a signal for a job without a running step is refused, with what to do", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const running = await service.submit({ CommandLine: "echo ready; sleep 1000" });
  await (await service.attach(running)).until("ready\n");
  const queued = await service.submit({ CommandLine: "true" });
  assert.match(await signal(service, queued, "SIGUSR1"), /^409 not-running: the job is Queued: send the signal when it runs/);
  assert.match(await signal(service, running, "SIGCHLD"), /^400 invalid-request: Signal must be/);
  assert.match(await signal(service, "019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b", "SIGUSR1"), /^404 unknown-job/);
  const reader = await createToken(service, "watcher", "read");
  assert.match(await signal(service, running, "SIGUSR1", bearer(reader)), /^403 role-too-small/);
  const other = await createToken(service, "other", "submit");
  assert.match(await signal(service, running, "SIGUSR1", bearer(other)), /^404 unknown-job/);
  await service.kill(running);
  assert.match(await signal(service, running, "SIGUSR1"), /^409 not-running: the job is finished \(Killed\)/);
  assert.equal((await service.wait(queued)).State, "Succeeded");
});

test("a job whose launch is delayed has no step yet, and the refusal says so", async (t) => {
  const service = await startService(t);
  const launcher = await service.launcher();
  process.kill(launcher, "SIGSTOP");
  const id = await service.submit({ CommandLine: "echo ready; sleep 1000" });
  assert.match(await signal(service, id, "SIGUSR1"), /^409 not-running: the job is Starting, and none of its steps is running/);
  process.kill(launcher, "SIGCONT");
  await (await service.attach(id)).until("ready\n");
  await service.kill(id);
});

test("the supervisor of an earlier build is left alone, and who sends a signal hears that it takes none", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: listener });
  await (await service.attach(id)).until("ready\n");
  await service.crash();
  const status = join(service.stateDir, "jobs", id, "status");
  writeFileSync(status, readFileSync(status, "latin1").replace(/ signals\n/, "\n")); // as an earlier build writes it
  await service.start();
  assert.match(await signal(service, id, "SIGUSR1"), /^409 signal-not-possible: the job was started by an earlier version/);
  assert.equal((await service.get(id)).State, "Running");
  await service.kill(id);
  assert.ok(!(await service.output(id)).toString().includes("usr1"));
});

test("kill --signal sends a signal by its name with or without SIG, and kills nothing", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: listener });
  const reader = await service.attach(id);
  await reader.until("ready\n");
  assert.deepEqual(await cli(t, service.url, ["kill", "--signal", "usr1", id]), { code: 0, signal: null, stdout: `${id}\n`, stderr: "" });
  await reader.until("usr1\n");
  assert.equal((await cli(t, service.url, ["kill", "--signal=SIGUSR2", id])).code, 0);
  await reader.until("usr2\n");
  const wrong = await cli(t, service.url, ["kill", "--signal", "SIGNONE", id]);
  assert.match(wrong.stderr, /--signal SIGNONE: give one of SIGHUP, SIGINT/);
  assert.match((await cli(t, service.url, ["kill", "--force", "--signal", "USR1", id])).stderr, /give one of them/);
  assert.equal((await service.get(id)).State, "Running");
  await service.kill(id);
  const finished = await cli(t, service.url, ["kill", "--signal", "USR1", id]);
  assert.equal(finished.code, 1);
  assert.match(finished.stderr, /the job is finished \(Killed\)/);
});

engineTest("a signal reaches a container's command, and does not end the step", async (t, engine) => {
  const service = await startService(t, { environment: engine.environment });
  const id = await service.submit({ Commands: [{ Image: "busybox", CommandLine: listener }] });
  const reader = await service.attach(id);
  await reader.until("ready\n");
  assert.equal(await signal(service, id, "SIGUSR1"), "sent");
  await reader.until("usr1\n");
  assert.equal(await signal(service, id, "SIGSTOP"), "sent");
  assert.equal(await signal(service, id, "SIGUSR2"), "sent");
  assert.equal(await signal(service, id, "SIGCONT"), "sent");
  await reader.until("usr2\n");
  assert.equal((await service.get(id)).State, "Running");
  assert.equal(await signal(service, id, "SIGKILL"), "sent");
  const { State, Steps } = await service.wait(id);
  assert.deepEqual([State, Steps[0]?.State], ["Failed", "Failed"]);
  assert.deepEqual(await engine.containersOf(id), []);
});
