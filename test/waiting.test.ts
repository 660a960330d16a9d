import { strict as assert } from "node:assert";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { browserTest } from "./helper/browser.ts";
import { cli, startCli } from "./helper/cli.ts";
import { openPage } from "./helper/page.ts";
import { isAlive, processesIn, processesRunning } from "./helper/processes.ts";
import { compileProgram } from "./helper/programs.ts";
import { type Service, startService } from "./helper/service.ts";
import { cannotBe, findUser, optionsAs, startAs, type User } from "./helper/users.ts";
import { waitFor } from "./helper/wait.ts";

/** Kills that wait for a process which SIGKILL does not end. */

const ordinary = findUser("jobrunner-test");
const options = { skip: cannotBe(ordinary, "jobrunner-test") };
const cgroups = { JOBRUNNER_CGROUPS: "off" }; // with one the kernel kills whomever it holds

test(
  "a kill that waits for a process it may not signal names the process and its user, after restarts and on the command line",
  options,
  async (t) => {
    const program = setUserId(t);
    const service = await startAs(t, user(), cgroups);
    const id = await service.submit({
      StopTimeoutSeconds: 0.1,
      Commands: [
        { Name: "main", CommandLine: `${program} & wait` },
        { CommandLine: "echo cleaned", RunOn: "always" },
      ],
    });
    const pid = await runningAsRoot(program);
    assert.equal((await service.get(id)).WaitsFor, null, "nothing is waited for yet");
    const events = await service.open("GET", "/events");
    await events.until("changes of state");
    const killing = startCli(t, service.url, ["kill", id]);
    await waitFor("the service says for whom it waits", async () => (await service.get(id)).WaitsFor?.User === "root");
    await events.until('"NotPermitted"');
    const sentence =
      `waits for process ${pid} (become-root) of root, to which jobrunner may not send SIGKILL: the job goes on when ` +
      `that process ends`;
    const expected = {
      State: "Stopping",
      Message: sentence,
      WaitsFor: { PID: pid, Program: "become-root", User: "root", Cause: "NotPermitted" },
    };
    assert.deepEqual(waitOf(await service.get(id)), expected);
    await waitFor("the command says it", () => killing.stderr.includes(`${id} ${sentence}`));
    assert.match((await cli(t, service.url, ["ps"])).stdout, new RegExp(`Stopping: waits for become-root \\(${pid}\\) of root`));
    await service.crash();
    await service.start();
    await waitFor("a service that is started anew says it, too", async () => (await service.get(id)).WaitsFor !== null);
    assert.deepEqual(waitOf(await service.get(id)), expected);
    assert.equal(readStatus(service, id).filter((line) => line.startsWith("wait ")).length, 1, "recorded once, however long it takes");
    process.kill(pid, "SIGKILL");
    const job = await service.wait(id);
    assert.deepEqual([job.State, job.Reason, job.WaitsFor, job.Message], ["Killed", "Requested", null, "killed on request"]);
    assert.equal((await service.output(id)).toString(), "cleaned\n");
    await killing.ended();
    events.close();
  },
);

test("a command that waits for a kill, such as run after Ctrl-C, names the process", options, async (t) => {
  const program = setUserId(t);
  const service = await startAs(t, user(), cgroups);
  const running = startCli(t, service.url, ["run", "--stop-timeout", "0.1", program]);
  const pid = await runningAsRoot(program);
  running.child.kill("SIGINT");
  await waitFor("it says for whom it waits", () => running.stderr.includes(`waits for process ${pid} (become-root) of root`));
  process.kill(pid, "SIGKILL");
  await running.ended();
});

test("a step's timeout and a job's end wait for such a process, report it, and continue when it ends", options, async (t) => {
  const program = setUserId(t);
  const service = await startAs(t, user(), cgroups);
  const id = await service.submit({
    StopTimeoutSeconds: 0.1,
    Commands: [
      { CommandLine: `exec ${program}`, TimeoutSeconds: 0.5, IgnoreError: true },
      { CommandLine: `${program} & until grep -q '^Uid:.0.0.0' /proc/$!/status; do sleep 0.01; done` },
    ],
  });
  for (const expected of [
    { first: "Running", second: "Pending" },
    { first: "TimedOut", second: "Succeeded" },
  ]) {
    await waitFor("it waits", async () => {
      const { WaitsFor, Steps } = await service.get(id);
      return WaitsFor?.User === "root" && Steps[0]?.State === expected.first && Steps[1]?.State === expected.second;
    });
    assert.equal((await service.get(id)).State, "Running");
    process.kill((await service.get(id)).WaitsFor?.PID ?? 0, "SIGKILL");
  }
  assert.equal((await service.wait(id)).State, "Succeeded");
});

test("a job whose supervisor is killed is lost when such a process has also ended, and one sweeper waits for it", options, async (t) => {
  const program = setUserId(t);
  const service = await startAs(t, user(), cgroups);
  const id = await service.submit({ CommandLine: `exec ${program}` });
  const pid = await runningAsRoot(program);
  process.kill(await service.supervisor(id), "SIGKILL");
  await waitFor("the service says for whom it waits", async () => (await service.get(id)).WaitsFor?.User === "root");
  assert.equal((await service.get(id)).WaitsFor?.PID, pid);
  assert.ok(isAlive(pid));
  await service.crash();
  await service.start(); // which asks for a sweeper, too
  await waitFor("a service that is started anew says it, too", async () => (await service.get(id)).WaitsFor?.PID === pid);
  // A launcher handles requests in order: when the second job is finished, it has forked a sweeper of the first.
  await service.run({ CommandLine: "true" });
  await waitFor("one sweeper is left", () => sweepersOf(service, id).length === 1);
  process.kill(pid, "SIGKILL");
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.Reason, job.WaitsFor], ["Lost", "SupervisorLost", null]);
  assert.deepEqual(sweepersOf(service, id), []);
});

const freezer = "/sys/fs/cgroup/freezer";
const canFreeze = process.getuid?.() === 0 && existsSync(join(freezer, "cgroup.procs"));
test(
  "a process that a version 1 cgroup has frozen is named until it is thawed",
  { skip: canFreeze ? false : "no cgroup v1 with a freezer" },
  async (t) => {
    const folder = mkdtempSync(join(freezer, "jobrunner-test-"));
    const thaw = (): void => writeFileSync(join(folder, "freezer.state"), "THAWED");
    t.after(thaw); // before the service stops, which would wait
    const service = await startService(t);
    t.after(() => t.after(() => rmdirSync(folder)));
    const id = await service.submit({
      StopTimeoutSeconds: 0.1,
      CommandLine: `echo $$ > ${folder}/cgroup.procs; echo ready; exec sleep 1000`,
    });
    await (await service.attach(id)).until("ready");
    writeFileSync(join(folder, "freezer.state"), "FROZEN");
    const killed = service.kill(id);
    await waitFor("the service says for whom it waits", async () => (await service.get(id)).WaitsFor?.Cause === "DoesNotEnd");
    assert.match(
      (await service.get(id)).Message ?? "",
      /^waits for process \d+ \((sleep|bash)\) of \S+, which has not ended since it was sent SIGKILL \(state D\)/,
    );
    thaw();
    await killed;
    assert.equal((await service.get(id)).State, "Killed");
  },
);

const hasStrace = spawnSync("strace", ["-V"]).status === 0;
test(
  "a process that its tracer has stopped is named until the tracer continues it",
  { skip: hasStrace ? false : "strace is not installed" },
  async (t) => {
    const tracers: ChildProcess[] = [];
    t.after(() => tracers.map((tracer) => tracer.kill("SIGKILL"))); // before the service stops, which would wait
    const service = await startService(t);
    const id = await service.submit({ StopTimeoutSeconds: 0.1, CommandLine: "echo ready; exec sleep 1000" });
    await (await service.attach(id)).until("ready");
    const [pid = 0] = service.childrenOfSupervisor(id);
    const tracer = spawn("strace", ["-p", String(pid)], { stdio: "ignore" });
    tracers.push(tracer);
    await waitFor("it is traced", () => /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, "latin1")));
    tracer.kill("SIGSTOP");
    const killed = service.kill(id);
    await waitFor("the service says for whom it waits", async () => (await service.get(id)).WaitsFor?.PID === pid);
    assert.equal((await service.get(id)).WaitsFor?.Cause, "DoesNotEnd");
    tracer.kill("SIGCONT");
    await killed;
    assert.equal((await service.get(id)).State, "Killed");
  },
);

browserTest("the page names the process for which a kill waits", async (t) => {
  if (options.skip !== false) return t.skip(options.skip);
  const program = setUserId(t);
  const { service, page, base } = await openPage(t, optionsAs(t, user(), cgroups));
  const id = await service.submit({ StopTimeoutSeconds: 0.1, CommandLine: `exec ${program}` });
  const pid = await runningAsRoot(program);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await page.getByRole("button", { name: "Kill", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Kill", exact: true }).click();
  await page.getByRole("dialog").getByText(`It waits for process ${pid} (become-root) of root`).waitFor();
  process.kill(pid, "SIGKILL");
  await page.getByRole("status").filter({ hasText: "killed" }).waitFor();
  assert.equal(await page.getByText("waits for process").count(), 0);
});

/** A program that becomes root for every user. Its processes are killed before the service stops, which would wait. */
function setUserId(t: TestContext): string {
  const { file, remove } = compileProgram("test", "programs", "become-root.c");
  t.after(() => {
    for (const pid of processesRunning(file)) process.kill(pid, "SIGKILL");
    remove();
  });
  chmodSync(file, 0o4755);
  return file;
}

async function runningAsRoot(program: string): Promise<number> {
  const find = (): number | undefined =>
    processesRunning(program).find((pid) => /^Uid:\s+0\s+0\s/m.test(readFileSync(`/proc/${pid}/status`, "latin1")));
  await waitFor(`${program} runs`, () => find() !== undefined);
  return find() ?? 0;
}

function user(): User {
  assert.ok(ordinary !== null);
  return ordinary;
}

function waitOf({ State, Message, WaitsFor }: Awaited<ReturnType<Service["get"]>>): object {
  return { State, Message, WaitsFor };
}

function readStatus(service: Service, id: string): string[] {
  return readFileSync(join(service.stateDir, "jobs", id, "status"), "latin1").split("\n");
}

/** They work in the job's directory, but are not supervisors: the supervisor is dead. */
function sweepersOf(service: Service, id: string): number[] {
  return processesIn(join(service.stateDir, "jobs", id));
}
