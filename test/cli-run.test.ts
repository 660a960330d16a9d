import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { cli, startCli, startProgram } from "./helper/cli.ts";
import { engineTest } from "./helper/engines.ts";
import { argumentsOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";
import { waitFor } from "./helper/wait.ts";

test("run separates a job's standard output and standard error, and exits with its code", async (t) => {
  const { url } = await sharedService(t);
  assert.deepEqual(await cli(t, url, ["run", "-c", "echo out; echo err >&2; exit 3"]), {
    code: 3,
    signal: null,
    stdout: "out\n",
    stderr: "err\n",
  });
  assert.deepEqual(await cli(t, url, ["run", "--", "true"]), { code: 0, signal: null, stdout: "", stderr: "" });
});

test("run passes the words after the program to it, without a shell", async (t) => {
  const { url } = await sharedService(t);
  assert.equal((await cli(t, url, ["run", "printf", "%s\n", "$HOME", "a b", "--name", "-c", "--"])).stdout, "$HOME\na b\n--name\n-c\n--\n");
  assert.equal((await cli(t, url, ["run", "--name", "named", "--", "printf", "%s\n", "--help"])).stdout, "--help\n");
});

test("run explains in one line what the exit status cannot", async (t) => {
  const service = await sharedService(t);
  const outcomes: [args: string[], code: number, stderr: RegExp][] = [
    [["-c", "kill -TERM $$"], 143, /^jobrunner: the job is Failed: step 1 was ended by SIGTERM\n$/],
    [["-c", "kill -37 $$"], 165, /^jobrunner: the job is Failed: step 1 was ended by SIGRTMIN\+3\n$/],
    [["-c", "kill -64 $$"], 192, /^jobrunner: the job is Failed: step 1 was ended by SIGRTMAX\n$/],
    [["--", "perl", "-e", "kill 32, $$; sleep 1000"], 160, /^jobrunner: the job is Failed: step 1 was ended by SIG32\n$/],
    [["-c", "--version"], 127, /^bash: line 2: --version: command not found\n$/],
    [["no-such-program"], 127, /^jobrunner: the job is Failed: step 1 could not start: .*no such file.*\n$/],
    [
      ["echo hello"],
      127,
      /^jobrunner: the job is Failed: .*\njobrunner: "echo hello" was taken for the name of a program: with -c before it, it is a command line\n$/,
    ],
    [["/etc"], 126, /^jobrunner: the job is Failed: step 1 could not start: command \/etc .*permission denied\n$/],
    [["--workdir", "/no/such/folder", "--", "true"], 125, /^jobrunner: the job is Failed: .*working directory/],
    [["--timeout", "200ms", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"], 125, /^jobrunner: the job is TimedOut: .*TimeoutSeconds.*\n$/],
    [["--idle-timeout", "0.2", "--", "sleep", "1000"], 143, /^jobrunner: the job is TimedOut: /],
  ];
  for (const [args, code, stderr] of outcomes) {
    const ended = await cli(t, service.url, ["run", ...args]);
    assert.deepEqual([ended.code, ended.stdout], [code, ""], args.join(" "));
    assert.match(ended.stderr, stderr);
  }
});

test("attach and run say on standard error what a job in the queue waits for", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit({ CommandLine: "sleep 1000" });
  const queued = await service.submit({ CommandLine: "echo hello" });
  const waits = "waits for the end of a running job: one job may run at once (JOBRUNNER_MAX_RUNNING)";
  assert.equal((await service.get(queued)).Message, waits);
  const following = [startCli(t, service.url, ["attach", queued]), startCli(t, service.url, ["run", "--", "true"])];
  await waitFor("both say it", () => following.every(({ stderr }) => stderr === `jobrunner: the job is queued: it ${waits}\n`));
  await service.kill(first);
  assert.deepEqual(
    (await Promise.all(following.map(async (one) => await one.ended()))).map(({ code, stdout }) => [code, stdout]),
    [
      [0, "hello\n"],
      [0, ""],
    ],
  );
  assert.equal((await service.get(queued)).Message, null);
});

test("run exits with 125 if the job was lost, because its outcome is unknown", async (t) => {
  const service = await startService(t);
  const running = startCli(t, service.url, ["run", "-c", "echo begun; sleep 1000"]);
  await running.until("begun");
  process.kill(service.supervisorOf(await onlyJob(service)), "SIGKILL");
  const { code, stderr } = await running.ended();
  assert.equal(code, 125);
  assert.match(stderr, /^jobrunner: .*\bLost\b.*an unknown number of bytes of its output could not be kept\n$/);
});

test("50 MB of any bytes arrive complete, also if the reader is so slow that the service disconnects", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_READER_TIMEOUT_SECONDS: "1" } });
  const content = randomBytes(50_000_000);
  const file = join(folderOf(t), "content");
  writeFileSync(file, content);
  const running = startCli(t, service.url, ["run", "--", "cat", file]);
  running.child.stdout?.pause();
  const dropped = /^jobrunner_readers_dropped_total\{reason="stalled"\} [1-9]/m;
  await waitFor("the reader is cut off", async () => dropped.test((await service.call("GET", "/metrics")).text));
  running.child.stdout?.resume();
  const { code, stderr } = await running.ended(120);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.ok(content.equals(running.bytes()));
});

test("Ctrl-C asks the job to stop, and its further output is shown; SIGTERM and SIGHUP do the same", async (t) => {
  const { url } = await sharedService(t);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const running = startCli(t, url, ["run", "-c", "trap 'echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.01; done"]);
    await running.until("ready");
    running.interrupt(signal);
    const { code, stdout, stderr } = await running.ended();
    assert.deepEqual([code, stdout], [7, "ready\ncleaned\n"]);
    assert.match(
      stderr,
      /^jobrunner: stopping [0-9a-f-]{36}; Ctrl-C again kills it\n[^]*jobrunner: the job is Killed: killed on request\n$/,
    );
  }
});

test("closing the terminal stops the job, also one that writes all the time", needsScript, async (t) => {
  const service = await sharedService(t);
  for (const line of ["echo y; sleep 1000", "yes"]) {
    const running = startProgram(t, onTerminal(`exec bin/jobrunner run -c '${line}'`), {
      environment: { JOBRUNNER_URL: service.url },
      stdin: null,
    });
    await running.until("y");
    const [id = ""] = await service.activeIds();
    running.interrupt("SIGKILL"); // kills the program that holds the terminal
    const { State, Reason } = await service.wait(id);
    assert.deepEqual([State, Reason], ["Killed", "Requested"], line);
  }
});

test("a second Ctrl-C kills a job that does not stop", async (t) => {
  const { url } = await sharedService(t);
  const running = startCli(t, url, ["run", "--stop-timeout", "1h", "-c", "trap 'echo no' TERM; echo ready; while :; do sleep 0.01; done"]);
  await running.until("ready");
  running.interrupt();
  await running.until("no");
  running.interrupt();
  const { code, stderr } = await running.ended();
  assert.equal(code, 137);
  assert.match(stderr, /stopping [^]*killing [0-9a-f-]{36}; [^]*the job is Killed/);
});

test("a third Ctrl-C ends run without waiting for a job that does not react", async (t) => {
  const service = await sharedService(t);
  const running = startCli(t, service.url, ["run", "-c", "echo ready; sleep 1000"]);
  await running.until("ready");
  process.kill(service.pid, "SIGSTOP");
  try {
    running.interrupt();
    await running.until("stopping");
    running.interrupt();
    await running.until("killing");
    running.interrupt();
    assert.equal((await running.ended()).code, 130);
  } finally {
    process.kill(service.pid, "SIGCONT");
  }
  assert.match(running.stderr, /left; 'jobrunner attach [0-9a-f-]{36}' shows it again\n$/);
});

test("Ctrl-C before the job has an ID stops it as soon as it has one", async (t) => {
  const id = "01a0f3e0-0000-7000-8000-000000000000";
  const asked: string[] = [];
  const answers: Record<string, () => void> = {};
  const killed = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`;
    const end = { State: "Killed", Signal: "SIGTERM", ExitCode: null, Reason: "Requested", Message: null, Steps: [], OutputLostBytes: 0 };
    const outcome = { ID: id, ...end };
    asked.push(call);
    const give = (type: string, text: string): void => void response.writeHead(200, { "content-type": type }).end(text);
    if (call === "POST /") answers[call] = () => give("application/json", JSON.stringify({ ID: id }));
    else if (request.method === "DELETE") {
      give("application/json", "{}");
      killed.resolve();
    } else void killed.promise.then(() => give("text/event-stream", `data: ${JSON.stringify({ Outcome: outcome })}\n\n`));
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  const port = await eventually("the server listens", () => portOf(server.address()));
  const running = startCli(t, `http://127.0.0.1:${port}`, ["run", "--", "true"]);
  await waitFor("the job is submitted", () => answers["POST /"] !== undefined);
  running.interrupt();
  answers["POST /"]?.();
  assert.equal((await running.ended()).code, 143);
  assert.ok(asked.includes(`DELETE /${id}`), asked.join());
});

test("run --detach prints the ID and does not wait for the job", async (t) => {
  const service = await sharedService(t);
  const { code, stdout, stderr } = await cli(t, service.url, ["run", "--detach", "-c", "sleep 1000"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^[0-9a-f-]{36}\n$/);
  assert.deepEqual(await service.activeIds(), [stdout.trim()]);
});

test("run resumes after a crash of the service, and no byte is missing or repeated", async (t) => {
  const service = await startService(t);
  const running = startCli(t, service.url, [
    "run",
    "-c",
    "for i in {1..2000}; do echo line $i; done; until [ -e go ]; do echo again; sleep 0.01; done; echo last; exit 5",
  ]);
  await running.until("again");
  const id = await onlyJob(service);
  await service.crash();
  await running.until("the service does not answer any more");
  await service.start();
  await running.until("the service answers again");
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  const { code, stderr } = await running.ended();
  assert.equal(code, 5);
  assert.ok((await service.output(id)).equals(running.bytes()));
  assert.equal(
    stderr,
    "jobrunner: the service does not answer any more; this goes on when it does\njobrunner: the service answers again\n",
  );
});

test("run ends as by SIGPIPE if its reader closes, and the job continues", async (t) => {
  const service = await startService(t);
  const running = startCli(t, service.url, ["run", "--", "yes"]);
  await running.until("y\n");
  running.child.stdout?.destroy();
  const { code, stderr } = await running.ended();
  const id = await onlyJob(service);
  assert.deepEqual([code, stderr], [141, `jobrunner: the reader of the output is gone; the job ${id} continues\n`]);
  assert.equal((await service.get(id)).State, "Running");
});

engineTest("run --image runs the command in a container, with the options for containers", async (t, engine) => {
  const service = await startService(t, { environment: engine.environment });
  const folder = folderOf(t);
  writeFileSync(join(folder, "data"), "mounted\n");
  const image = ["--image", "busybox", "--pull", "never"];
  const options = [
    "--network",
    "none",
    "--volume",
    `${folder}:/data:ro`,
    "--workdir",
    "/data",
    "--memory",
    "64m",
    "--pids-limit",
    "100",
    "-e",
    "A=1",
  ];
  const ended = await cli(t, service.url, ["run", ...image, ...options, "-c", "pwd; cat data; echo $A; exit 4"]);
  assert.deepEqual([ended.code, ended.stdout], [4, "/data\nmounted\n1\n"], ended.stderr);
  const words = await cli(t, service.url, ["run", ...image, "--entrypoint", "echo", "hello"]);
  assert.deepEqual([words.code, words.stdout], [0, "hello\n"], words.stderr);
});

test("no secret is in an argument vector or in the output", async (t) => {
  const service = await startService(t);
  const file = join(folderOf(t), "secret");
  writeFileSync(file, "from-a-file-8231\n");
  const args = [
    "run",
    "--secret",
    "KEY",
    "--secret",
    `OTHER=${file}`,
    "-c",
    "echo $KEY $OTHER ${#OTHER}; until [ -e go ]; do sleep 0.01; done",
  ];
  const running = startCli(t, service.url, args, { environment: { KEY: "from-a-variable-1823" } });
  await running.until("***");
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  for (const words of pids.map(argumentsOf)) assert.doesNotMatch(words.join(" "), /from-a-(file|variable)-\d/);
  writeFileSync(join(service.workspaceOf(await onlyJob(service)), "go"), "");
  assert.deepEqual(await running.ended(), { code: 0, signal: null, stdout: "*** *** 16\n", stderr: "" });
});

async function jobs(service: Service): Promise<{ ID: string }[]> {
  const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse((await service.call("GET", "/jobs")).text);
  return Jobs;
}

async function onlyJob(service: Service): Promise<string> {
  const all = await jobs(service);
  assert.equal(all.length, 1);
  return all[0]?.ID ?? "";
}

async function eventually<Value>(what: string, look: () => Promise<Value | undefined> | Value | undefined): Promise<Value> {
  let found: Value | undefined;
  await waitFor(what, async () => (found = await look()) !== undefined);
  assert.ok(found !== undefined);
  return found;
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number | undefined {
  return typeof address === "object" ? address?.port : undefined;
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
