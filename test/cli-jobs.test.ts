import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { cli, startCli, startProgram } from "./helper/cli.ts";
import { type Service, startService } from "./helper/service.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";
import { waitFor } from "./helper/wait.ts";

const nobody = "01a0f3e0-0000-7000-8000-000000000000";
const forever = "sleep 1000";
const escape = "\u001b";

test("ps lists unfinished jobs, with -a all, newest first, filtered by options", async (t) => {
  const service = await startService(t);
  const done = await finished(service, { Name: "done", Labels: { team: "db", kind: "a" }, CommandLine: "exit 3" });
  const running = await service.submit({ Name: "runs", Labels: { team: "db" }, CommandLine: forever });
  const ids = async (...args: string[]): Promise<string[]> =>
    (await cli(t, service.url, ["ps", "-q", ...args])).stdout.split("\n").slice(0, -1);
  assert.deepEqual(await ids(), [running]);
  assert.deepEqual(await ids("-a"), [running, done]);
  assert.deepEqual(await ids("--state", "Failed"), [done]);
  for (const states of ["Failed,Running", "failed,RUNNING", "failed, running"]) {
    assert.deepEqual(await ids("--state", states), [running, done], states);
  }
  assert.deepEqual(await ids("-a", "--label", "team=db", "--label", "kind"), [done]);
  assert.deepEqual(await ids("-a", "--name", "done"), [done]);
  assert.deepEqual(await ids("-a", "--limit", "1"), [running]);
});

test("ps shows a table with shortened IDs that commands accept, and reports when there are more jobs", async (t) => {
  const service = await startService(t);
  const id = await finished(service, {
    Name: "done",
    Labels: { team: "db", kind: "a" },
    Commands: [{ CommandLine: "true" }, { CommandLine: "exit 3" }, { CommandLine: "true" }],
  });
  await finished(service, { CommandLine: "kill -9 $$" });
  const { stdout } = await cli(t, service.url, ["ps", "-a"]);
  const [titles = "", killed = "", done = "", ...rest] = stdout.split("\n");
  assert.match(titles, /^ID +NAME +STATE +STEPS +SUBMITTED +TOOK +EXIT +LABELS$/);
  assert.match(killed, /^[0-9a-f-]{18} +kill -9 \$\$ +Failed +1\/1 +\S+ ago +\S+ +SIGKILL$/);
  assert.match(done, /^[0-9a-f-]{18} +done +Failed +2\/3 +\S+ ago +\S+ +3 +team=db,kind=a$/);
  assert.deepEqual(rest, [""]);
  const short = done.slice(0, 18);
  assert.ok(id.startsWith(short));
  assert.equal(inspected((await cli(t, service.url, ["inspect", short])).stdout).ID, id);
  assert.equal(
    (await cli(t, service.url, ["ps", "-a", "-n", "1"])).stderr,
    "jobrunner: only the newest 1 are listed; --limit lists more\n",
  );
});

test("names of jobs cannot move the cursor, in tables, messages and JSON", async (t) => {
  const service = await startService(t);
  const name = "a\u009b31mb\u202ec";
  const id = await finished(service, { Name: name, Commands: [{ CommandLine: "exit 1", Name: name }, { CommandLine: "true" }] });
  const shown = "a\\u009b31mb\\u202ec";
  for (const args of [
    ["ps", "-a"],
    ["ps", "-a", "--json"],
    ["inspect", id],
    ["wait", id],
    ["attach", id],
  ]) {
    const { stdout, stderr } = await cli(t, service.url, args);
    assert.ok(`${stdout}${stderr}`.includes(shown), args.join(" "));
    assert.doesNotMatch(stdout + stderr, /\u009b|\u202e/, args.join(" "));
  }
  assert.equal(inspected((await cli(t, service.url, ["inspect", id])).stdout).Name, name);
});

test("--json prints one document, and one line for each item of a stream", async (t) => {
  const { url, ...service } = await started(t);
  const ids = await service.finish("exit 1", "true");
  const list: { ID: string }[] = JSON.parse((await cli(t, url, ["ps", "-a", "--json"])).stdout);
  assert.deepEqual(
    list.map(({ ID }) => ID),
    ids.toReversed(),
  );
  const both: { ID: string; Spec: object }[] = JSON.parse((await cli(t, url, ["inspect", ...ids])).stdout);
  assert.deepEqual(
    both.map(({ ID, Spec }) => [ID, Spec]),
    [
      [ids[0], { CommandLine: "exit 1" }],
      [ids[1], { CommandLine: "true" }],
    ],
  );
  const lines = (await cli(t, url, ["wait", "--json", ...ids])).stdout.trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => inspected(line).ID).toSorted(), ids.toSorted());
});

test("an unknown or ambiguous ID is reported with possible matches", async (t) => {
  const { url, ...service } = await started(t);
  const ids = await service.finish("true", "true");
  for (const command of ["attach", "logs", "wait", "kill", "inspect", "rm"]) {
    const failure = command === "attach" || command === "wait" ? 125 : 1;
    const ambiguous = await cli(t, url, [command, "0"]);
    assert.deepEqual(
      [ambiguous.code, ambiguous.stderr],
      [
        failure,
        `jobrunner: several jobs have an ID that begins with 0: give more of it\n${ids
          .toReversed()
          .map((id) => `  ${id}\n`)
          .join("")}`,
      ],
    );
    const wanted = {
      rm: 'job has an ID that begins with "feed"',
      kill: 'unfinished job has the name "feed", or an ID that begins with it',
    }[command];
    assert.deepEqual(await cli(t, url, [command, "feed"]), {
      code: failure,
      signal: null,
      stdout: "",
      stderr:
        `jobrunner: no ${wanted ?? 'job has the name "feed", or an ID that begins with it'}: ` +
        "'jobrunner ps -a' lists those that there are\n",
    });
    const whole = await cli(t, url, [command, nobody]);
    assert.deepEqual([whole.code, whole.stdout], [failure, ""], command);
    assert.match(whole.stderr, /^jobrunner: no job has this ID/);
  }
});

test("attach shows a job from its first byte and exits with its status; Ctrl-C does not stop the job", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "echo out; echo err >&2; until [ -e go ]; do sleep 0.01; done; exit 6" });
  const [left, stayed] = [startCli(t, service.url, ["attach", id]), startCli(t, service.url, ["attach", id])];
  await Promise.all([left, stayed].map(async (running) => await running.until("err")));
  left.interrupt();
  assert.deepEqual(await left.ended(), {
    code: 130,
    signal: null,
    stdout: "out\n",
    stderr: `err\njobrunner: the job continues; 'jobrunner kill ${id}' ends it\n`,
  });
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  assert.deepEqual(await stayed.ended(), { code: 6, signal: null, stdout: "out\n", stderr: "err\n" });
});

test("logs prints the current output, of one stream, one step or the last lines, with times; -f follows", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    Commands: [
      { CommandLine: "echo one; echo two >&2; printf th; sleep 0.05; printf 'ree\\n'" },
      { CommandLine: "echo four; until [ -e go ]; do sleep 0.01; done; echo five; exit 1" },
    ],
  });
  const following = startCli(t, service.url, ["logs", "-f", id]);
  await following.until("four");
  const logs = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(t, service.url, ["logs", ...args, id]);
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };
  assert.equal(await logs(), "one\nthree\nfour\ntwo\n");
  assert.equal(await logs("--stderr"), "two\n");
  assert.equal(await logs("--stdout", "--step", "1"), "one\nthree\n");
  assert.equal(await logs("--tail", "1"), "four\n");
  assert.match(await logs("--timestamps", "--stdout"), /^(\d{4}-\d\d-\d\dT\S+Z (one|three|four)\n){3}$/);
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  assert.deepEqual(await following.ended(), { code: 0, signal: null, stdout: "one\nthree\nfour\nfive\n", stderr: "two\n" });
});

test("Ctrl-C ends logs -f, and so does a closed reader", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "yes" });
  const [stopped, unread] = [startCli(t, service.url, ["logs", "-f", id]), startCli(t, service.url, ["logs", "-f", id])];
  await Promise.all([stopped, unread].map(async (running) => await running.until("y\n")));
  stopped.interrupt();
  unread.child.stdout?.destroy();
  assert.equal((await stopped.ended()).code, 0);
  const { code, stderr } = await unread.ended();
  assert.deepEqual([code, stderr], [141, ""]);
  assert.equal((await service.get(id)).State, "Running");
});

test("wait prints the outcomes and exits with the status of the first job that did not succeed", async (t) => {
  const { url, ...service } = await started(t);
  const [good = "", failed = "", killed = ""] = await service.finish("true", "exit 4", "kill -9 $$");
  const { code, stdout } = await cli(t, url, ["wait", good, killed, failed]);
  assert.equal(code, 137);
  assert.deepEqual(
    stdout.trimEnd().split("\n").toSorted(),
    [
      `${good}  Succeeded  0`,
      `${failed}  Failed  4  step 1 exited with code 4`,
      `${killed}  Failed  SIGKILL  step 1 was ended by SIGKILL`,
    ].toSorted(),
  );
  assert.equal((await cli(t, url, ["wait", good])).code, 0);
});

test("wait exits with 124 after its timeout, and an unknown job does not prevent it from waiting for the others", async (t) => {
  const service = await startService(t);
  const [id, done] = [await service.submit({ CommandLine: forever }), await finished(service, { CommandLine: "true" })];
  const timed = await cli(t, service.url, ["wait", "--timeout", "100ms", done, id]);
  assert.deepEqual(timed, {
    code: 124,
    signal: null,
    stdout: `${done}  Succeeded  0\n`,
    stderr: `jobrunner: ${id} is not finished after 0.1 s\n`,
  });
  const unknown = await cli(t, service.url, ["wait", done, nobody]);
  assert.deepEqual([unknown.code, unknown.stdout], [125, `${done}  Succeeded  0\n`]);
  assert.match(unknown.stderr, new RegExp(`^jobrunner: ${nobody}: no job has this ID`));
});

test("kill ends several jobs at once and prints their IDs; --force skips their clean-up steps", async (t) => {
  const service = await startService(t);
  const spec = { StopTimeoutSeconds: 0.5, CommandLine: "trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done" };
  const ids = await Promise.all(Array.from({ length: 4 }, async () => await service.submit(spec)));
  await Promise.all(ids.map(async (id) => await (await service.attach(id)).until("ready")));
  const { code, stdout, stderr } = await cli(t, service.url, ["kill", ...ids]);
  assert.deepEqual([code, stdout.trimEnd().split("\n").toSorted(), stderr], [0, ids.toSorted(), ""]);
  assert.deepEqual(await service.activeIds(), []);
  const id = await service.submit({ ...spec, StopTimeoutSeconds: 1000 });
  await (await service.attach(id)).until("ready");
  assert.equal((await cli(t, service.url, ["kill", "--force", id])).stdout, `${id}\n`);
  assert.equal((await service.output(id)).toString(), "ready\n");
});

test("rm removes finished jobs, with --force also unfinished ones", async (t) => {
  const service = await startService(t);
  const [done, running] = [await finished(service, { CommandLine: "true" }), await service.submit({ CommandLine: forever })];
  const refused = await cli(t, service.url, ["rm", done, running]);
  assert.deepEqual([refused.code, refused.stdout], [1, `${done}\n`]);
  assert.match(refused.stderr, new RegExp(`^jobrunner: ${running}: `));
  assert.equal((await cli(t, service.url, ["rm", "--force", running])).code, 0);
  assert.equal((await cli(t, service.url, ["ps", "-aq"])).stdout, "");
});

test("events prints every change, across a restart; ps --watch without a terminal prints those of its jobs", async (t) => {
  const service = await startService(t);
  const watching = [["events"], ["events", "--json"], ["ps", "--watch", "--label", "team=db"]].map((args) =>
    startCli(t, service.url, args),
  );
  const [lines, json, some] = watching;
  assert.ok(lines !== undefined && json !== undefined && some !== undefined);
  await waitFor("all listen", async () => {
    await finished(service, { Labels: { team: "db" }, CommandLine: "true" });
    return watching.every(({ stdout }) => stdout !== "");
  });
  const id = await finished(service, { Name: "one", Labels: { team: "db" }, CommandLine: "exit 2" });
  await Promise.all(watching.map(async (running) => await running.until("exited with code 2")));
  await service.crash();
  await service.start();
  const before = watching.map(({ stdout }) => stdout.length);
  await waitFor("all listen again", async () => {
    await finished(service, { Labels: { team: "db" }, CommandLine: "true" });
    return watching.every(({ stdout }, index) => stdout.length > (before[index] ?? 0));
  });
  const other = await finished(service, { CommandLine: "true" });
  await Promise.all([lines, json].map(async (running) => await running.until(other)));
  const last = await finished(service, { Labels: { team: "db" }, CommandLine: "true" });
  await some.until(last);
  for (const running of watching) running.interrupt();
  assert.deepEqual(await Promise.all(watching.map(async (running) => (await running.ended()).code)), [0, 0, 0]);
  assert.match(lines.stdout, /^(\S+Z  [0-9a-f-]{36}  [^\n]+\n)+$/);
  assert.match(lines.stdout, new RegExp(`^\\S+Z  ${id}  Failed     one  step 1 exited with code 2$`, "m"));
  assert.ok(
    json.stdout
      .trimEnd()
      .split("\n")
      .some((line) => inspected(line).ID === id),
  );
  assert.ok(!some.stdout.includes(other));
});

test("ps --watch redraws the list on a terminal as jobs start and end", needsScript, async (t) => {
  const service = await startService(t);
  const running = startProgram(t, onTerminal("stty cols 64 rows 10; exec bin/jobrunner ps --watch"), {
    environment: { JOBRUNNER_URL: service.url },
    stdin: null,
  });
  await running.until("LABELS");
  const id = await service.submit({ Name: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", CommandLine: forever });
  await running.until("Running");
  await service.kill(id);
  await waitFor("the job is gone from the list", () =>
    running.stdout.slice(running.stdout.lastIndexOf(`${escape}[H`)).includes(`LABELS${escape}[K\r\n${escape}[J`),
  );
  running.type("\u0003");
  assert.equal((await running.ended()).code, 0);
  const lines = stripVTControlCharacters(running.stdout).split("\r\n");
  assert.ok(
    lines.some((line) => /^[0-9a-f-]{18}  n+…  Running  1\/1/.test(line)),
    running.stdout,
  );
  assert.ok(lines.every((line) => line.length <= 64));
  assert.ok(running.stdout.endsWith(`${escape}[?7h`), "long lines are wrapped again");
});

test("colours are used on a terminal without NO_COLOR, and nowhere else", needsScript, async (t) => {
  const service = await startService(t);
  await finished(service, { CommandLine: "true" });
  const environment = { JOBRUNNER_URL: service.url };
  const onTty = async (args: string, more: Record<string, string> = {}): Promise<string> =>
    (await startProgram(t, onTerminal(`bin/jobrunner ${args}`), { environment: { ...environment, ...more } }).ended()).stdout;
  assert.ok((await onTty("ps -a")).includes(`${escape}[32mSucceeded`));
  for (const plain of [
    await onTty("ps -a", { NO_COLOR: "1" }),
    await onTty("ps -a --json"),
    (await cli(t, service.url, ["ps", "-a"])).stdout,
  ]) {
    assert.ok(plain.includes("Succeeded") && !plain.includes(escape));
  }
});

test("cp copies files and folders into and out of a workspace, and omits links", async (t) => {
  const { url, ...service } = await started(t);
  const [id = ""] = await service.finish("true");
  const folder = folderOf(t);
  mkdirSync(join(folder, "data", "sub"), { recursive: true });
  writeFileSync(join(folder, "data", "sub", "bytes"), Buffer.from([0, 255, 10]));
  writeFileSync(join(folder, "data", "run"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("..", join(folder, "data", "sub", "loop"));
  const into = await cli(t, url, ["cp", join(folder, "data"), `${id}:in/`]);
  assert.equal(into.code, 1, into.stderr);
  assert.match(into.stderr, /^jobrunner: .*data\/sub\/loop is a link, and omitted\n$/);
  const out = join(folder, "out");
  assert.deepEqual(await cli(t, url, ["cp", `${id}:in`, out]), { code: 0, signal: null, stdout: "", stderr: "" });
  assert.deepEqual(readFileSync(join(out, "data", "sub", "bytes")), Buffer.from([0, 255, 10]));
  assert.equal((await cli(t, url, ["cp", "-", `${id}:typed`], { stdin: "typed\n" })).code, 0);
  assert.equal((await cli(t, url, ["cp", `${id}:typed`, "-"])).stdout, "typed\n");
  assert.equal((await cli(t, url, ["cp", "a", "b"])).code, 2);
  assert.equal((await cli(t, url, ["cp", `${id}:none`, "-"])).code, 1);
});

async function started(t: TestContext): Promise<{ url: string; finish: (...lines: string[]) => Promise<string[]> }> {
  const service = await startService(t);
  const finish = async (...lines: string[]): Promise<string[]> => {
    const ids: string[] = [];
    for (const CommandLine of lines) ids.push(await finished(service, { CommandLine }));
    return ids;
  };
  return { url: service.url, finish };
}

async function finished(service: Service, spec: Parameters<Service["submit"]>[0]): Promise<string> {
  const id = await service.submit(spec);
  await service.wait(id);
  return id;
}

function inspected(json: string): { ID: string; Name: string | null } {
  const job: { ID: string; Name: string | null } = JSON.parse(json);
  return job;
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
