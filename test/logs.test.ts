import { strict as assert } from "node:assert";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { repository, type Service, startService } from "./helper/service.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";
import { waitFor } from "./helper/wait.ts";

type Line = { time: string; level: string; message: string; job?: string; [field: string]: unknown };

function linesIn(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): Line => JSON.parse(line));
}

/** The log lines of one job, without their times. */
function wayOf(service: Service, id: string): object[] {
  return linesIn(service.log)
    .filter(({ job }) => job === id)
    .map(({ time: _time, ...line }) => line);
}

test("an event that a job's supervisor refused is logged once, and the job's outcome does not change", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "until [ -e go ]; do sleep 0.01; done" });
  await waitFor("its start", async () => (await service.get(id)).State === "Running");
  await service.stop();
  appendFileSync(join(service.stateDir, "jobs", id, "status"), "refused 1000000000 STEP NONE ENDED\n");
  await service.start();
  const refused = (): Line[] => linesIn(service.log).filter((line) => line["refused"] !== undefined);
  await waitFor("the log of it", () => refused().length > 0);
  await service.call("PUT", `/${id}/files/go`, { body: "" });
  assert.equal((await service.wait(id)).State, "Succeeded");
  assert.deepEqual(
    refused().map(({ level, job, refused: what }) => [level, job, what]),
    [["warn", id, "STEP NONE ENDED"]],
  );
});

test("the log reports a job's progress in lines of JSON with its ID", async (t) => {
  const service = await startService(t);
  const failed = await service.submit({ CommandLine: "sleep 0.3; exit 3" });
  await service.wait(failed);
  const [accepted, running, over, ...more] = wayOf(service, failed);
  assert.deepEqual(accepted, { level: "info", message: "a job was accepted", job: failed, by: `local:${userName()}`, state: "Starting" });
  assert.deepEqual(running, { level: "info", message: "a job is running", job: failed });
  assert.ok(over !== undefined && "durationSeconds" in over && Number(over.durationSeconds) >= 0.3 && Number(over.durationSeconds) < 20);
  const { durationSeconds: _seconds, ...outcome } = over;
  assert.deepEqual(outcome, {
    level: "info",
    message: "a job is finished",
    job: failed,
    state: "Failed",
    reason: "ExitCode",
    exitCode: 3,
    signal: null,
  });
  assert.deepEqual(more, []);
  const killed = await service.submit({ CommandLine: "sleep 1000" });
  await service.kill(killed);
  await service.call("DELETE", `/jobs/${killed}`);
  assert.ok(wayOf(service, killed).some((line) => "message" in line && line.message === "a job's kill was requested"));
  assert.deepEqual(wayOf(service, killed).at(-1), { level: "info", message: "a job was removed", job: killed });
  for (const { time, level, message } of linesIn(service.log)) {
    assert.equal(new Date(time).toISOString(), time);
    assert.match(level, /^(info|warn|error)$/);
    assert.equal(typeof message, "string");
  }
});

test("a lost job is a warning, and the level warn hides its progress", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_LOG_LEVEL: "warn" } });
  const id = await service.submit({ CommandLine: "sleep 1000" });
  await waitFor("it runs", async () => (await service.get(id)).State === "Running");
  process.kill(service.supervisorOf(id), "SIGKILL");
  await service.wait(id);
  await waitFor("the line has come through the pipe", () => service.log.includes("a job is finished"));
  assert.deepEqual(
    wayOf(service, id).map((line) => "message" in line && line.message),
    ["a job is finished"],
  );
  assert.match(service.log, /"level":"warn"[^\n]*"state":"Lost","reason":"SupervisorLost"/);
});

test("no content of a job is in the log", async (t) => {
  const service = await startService(t);
  const word = "x-never-logged-x";
  const ids = [
    await service.submit({
      CommandLine: `echo ${word} $A $B; cat`,
      Environment: { A: word },
      Secrets: { B: `${word}-secret` },
      Stdin: word,
      Name: word,
      Labels: { team: word },
    }),
    await service.submit({ Commands: [{ Args: [`/${word}`, word] }] }),
    await service.submit({ CommandLine: `exit 1; ${word}`, WorkingDir: `/${word}` }),
  ];
  for (const id of ids) await service.wait(id);
  for (const id of ids) assert.ok(wayOf(service, id).length > 0);
  assert.ok(!service.log.includes(word), service.log);
});

test("on a terminal the log is for people, in colours unless NO_COLOR is set", needsScript, async (t) => {
  const folder = temporary(t);
  const program = join(folder, "run");
  writeFileSync(program, `#!/bin/sh\nexec ${onTerminal(join(repository, "bin", "jobrunner")).join(" ")}\n`, { mode: 0o755 });
  const service = await startService(t, { program, environment: { TERM: "xterm" } });
  const { job } = await service.run({ CommandLine: "exit 3" });
  const [line = ""] = service.log.split("\n").filter((text) => text.includes("a job is finished"));
  assert.match(line.replaceAll("\u001b", "ESC"), /^\[\d\d:\d\d:\d\d\.\d{3}\] ESC\[\d+mINFOESC/);
  assert.ok(line.includes(job.ID) && line.includes("Failed"), line);
  assert.deepEqual(linesIn(service.log), []);
  const plain = logOnTerminal(t, 'log("info", "something")', { NO_COLOR: "1" });
  assert.match(await textOf(plain.stdout), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: something\r\n$/);
});

test("an error is logged with its message, its causes and its position in the source, without further properties", async (t) => {
  const child = log(
    t,
    `
    const cause = Object.assign(new Error("Command failed: rm\\nwhat it said"), { stderr: "what it said", cmd: "what it said" });
    log("error", "as a word", { err: "plain" });
    log("error", "as an error", { err: new TypeError("first", { cause }) });`,
  );
  const [word, line, ...more] = linesIn(await textOf(child.stderr));
  assert.equal(word?.["err"], "plain");
  assert.deepEqual(more, []);
  const { type, message, stack, ...rest } = Object(line?.["err"]);
  assert.deepEqual([type, message, rest], ["TypeError", "first: Command failed: rm", {}]);
  assert.match(stack, /^ {4}at /);
  assert.doesNotMatch(JSON.stringify(line), /what it said/);
});

/** More than the pipe and the service's buffer hold together. */
const much = 'for (let count = 0; count < 30_000; count += 1) log("info", "x".repeat(100));';

test("a pipe without a reader neither stops the service nor fills its memory, and dropped lines are reported", async (t) => {
  const done = join(temporary(t), "done");
  const child = log(
    t,
    `
    ${much}
    writeFileSync(${JSON.stringify(done)}, String(process.stderr.writableLength));
    const timer = setInterval(() => { if (process.stderr.writableLength === 0) { clearInterval(timer); log("info", "last"); } }, 5);`,
  );
  await waitFor("it has written all", () => existsSync(done) && readFileSync(done, "utf8") !== "");
  assert.ok(Number(readFileSync(done, "utf8")) < 2_000_000);
  const lines = linesIn(await textOf(child.stderr));
  const left = lines.find(({ level }) => level === "warn")?.["lines"];
  assert.ok(lines.some(({ message }) => message === "last"));
  assert.equal(Number(left) + lines.filter(({ level, message }) => level === "info" && message !== "last").length, 30_000);
});

test("a stopped terminal does not stop the service", needsScript, async (t) => {
  const done = join(temporary(t), "done");
  logOnTerminal(t, `${much} writeFileSync(${JSON.stringify(done)}, "");`); // the terminal has no reader
  await waitFor("it has written all", () => existsSync(done));
});

/** A process with a log on a pipe. Only textOf reads the pipe. */
function log(t: TestContext, code: string): ChildProcess {
  const child = spawn(process.execPath, ["--input-type=module", "-e", programOf(code)], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** A process with a log on a terminal, whose text arrives at `stdout`. */
function logOnTerminal(t: TestContext, code: string, environment: Record<string, string> = {}): ChildProcess {
  const program = join(temporary(t), "program.mjs");
  writeFileSync(program, programOf(code));
  const [script = "", ...args] = onTerminal(`${process.execPath} ${program}`);
  const child = spawn(script, args, {
    env: { PATH: process.env["PATH"], TERM: "xterm", ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

function programOf(code: string): string {
  return `
    import { writeFileSync } from "node:fs";
    import { makeLog } from ${JSON.stringify(join(repository, "src", "log.ts"))};
    const log = await makeLog("info");
    ${code}`;
}

async function textOf(stream: ChildProcess["stdout"]): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-logs-"));
  t.after(() => t.after(() => rmSync(folder, { recursive: true, force: true }))); // after the service whose program is in it
  return folder;
}

function userName(): string {
  return spawnSync("id", ["-un"], { encoding: "utf8" }).stdout.trim();
}
