import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { JobSpec } from "../src/job/spec.ts";
import { processesOfUser } from "./helper/processes.ts";
import { Service, startService } from "./helper/service.ts";
import { cannotBe, startAs } from "./helper/users.ts";

const isRoot = process.getuid?.() === 0;
const onlyRoot = { skip: isRoot ? false : "only a root service runs jobs as other users" };
const uid = "54399"; // without an account, and no other test's

async function start(t: TestContext, allowed: string): Promise<Service> {
  return await startService(t, { environment: { JOBRUNNER_ALLOWED_USERS: allowed } });
}

async function lines(service: Service, spec: JobSpec): Promise<string[]> {
  const { job, output } = await service.run(spec);
  assert.equal(job.State, "Succeeded", `${job.Message}: ${output.toString()}`);
  return output.toString().trim().split("\n");
}

test("a job runs as its User, with the user's groups, home and names", onlyRoot, async (t) => {
  const service = await start(t, "nobody,daemon");
  const [passwd = ""] = execFileSync("getent", ["passwd", "nobody"]).toString().trim().split("\n");
  const [, , number, group, , home] = passwd.split(":");
  const groups = execFileSync("id", ["-G", "nobody"]).toString().trim();
  const ask = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; touch here; stat -c %u:%a . here";
  const expected = [number, group, groups, `${home} nobody nobody`, `${number}:700`, `${number}:644`];
  assert.deepEqual(await lines(service, { User: "nobody", CommandLine: ask }), expected);
  assert.deepEqual(await lines(service, { User: String(number), CommandLine: ask }), expected, "by number");
  assert.deepEqual(await lines(service, { User: `${number}:${group}`, CommandLine: "id -G" }), [group], "with no group but the one given");
});

test("a number without an account has the group of the same number", onlyRoot, async (t) => {
  const service = await start(t, uid);
  assert.deepEqual(await lines(service, { User: uid, CommandLine: "id -u; id -G; echo $HOME" }), [uid, uid, "/"]);
});

test("every step runs as the user, and the workspace belongs to them under the path that the job gets", onlyRoot, async (t) => {
  const service = await start(t, uid);
  const said = await lines(service, {
    User: uid,
    Stdin: "given\n",
    Commands: [
      { CommandLine: 'cat /dev/stdin; [ "$PWD" = "$JOBRUNNER_WORKSPACE" ] && mkdir sub' },
      { Args: ["sh", "-c", "id -u > made; cat made; pwd -P"], WorkingDir: "sub" },
      { CommandLine: "echo err > /dev/stderr" },
    ],
  });
  assert.deepEqual([said[0], said[1], said[3]], ["given", uid, "err"]);
  assert.ok(said[2]?.startsWith(`${service.stateDir}-workspaces/`));
});

test("a job with a User can access neither the state directory, other jobs' output, the supervisor nor the API", onlyRoot, async (t) => {
  const service = await start(t, uid);
  const other = await service.run({ CommandLine: "echo private" });
  const attempts = [
    `ls ${service.stateDir}`,
    ...["jobrunner.db", "token", "audit.log", `jobs/${other.job.ID}/output`].map((path) => `cat ${service.stateDir}/${path}`),
    "cat $PWD/../*/made",
    "ls ..",
    "echo x > ../escaped",
    "kill -9 $PPID",
    "cat /proc/$PPID/environ",
    "cat /proc/$PPID/mem",
    `kill -9 ${service.pid}`,
    `cat /proc/${service.pid}/environ`,
    `curl -sf localhost:${service.port}`,
    "su root -c id",
    "setpriv --reuid=0 id",
    "chown 0 .",
  ];
  const script = attempts
    .map((attempt) => `(${attempt}) < /dev/null > /dev/null 2>&1 && echo "could: ${attempt.replaceAll("$", "\\$")}"`)
    .join("\n");
  const Commands = [
    { CommandLine: script, IgnoreError: true },
    { Args: ["grep", "NoNewPrivs", "/proc/self/status"] },
    { Args: ["ls", "/proc/self/fd"] },
  ];
  const { job, output } = await service.run({ User: uid, Commands });
  assert.equal(job.State, "Succeeded");
  assert.equal(output.toString(), "NoNewPrivs:\t1\n0\n1\n2\n3\n", "the last is ls's own");
  assert.equal((await service.call("GET", "/healthz")).status, 200);
});

test("processes of a job with a User are killed like any others, and its workspace is removed with it", onlyRoot, async (t) => {
  const service = await start(t, uid);
  const id = await service.submit({
    User: uid,
    CommandLine: "mkdir -p a/b; chmod 0 a/b; ln -s / root; (setsid sleep 1000 &) ; trap '' TERM; echo up; sleep 1000",
    StopTimeoutSeconds: 0.2,
  });
  await (await service.attach(id)).until("up");
  const workspace = `${service.stateDir}-workspaces/${id}`;
  assert.equal(statSync(workspace).uid, Number(uid));
  await service.kill(id);
  assert.deepEqual(processesOfUser(Number(uid)), []);
  assert.equal((await service.call("DELETE", `/jobs/${id}`)).status, 200);
  assert.ok(!existsSync(workspace));
  assert.ok(!existsSync(service.workspaceOf(id)));
});

test("after a kill of the service, a job continues as its user, and a queued one starts as its user", onlyRoot, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_ALLOWED_USERS: uid, JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit({ User: uid, CommandLine: "echo up; until [ -e go ]; do sleep 0.02; done; id -u" });
  const second = await service.submit({ User: uid, CommandLine: "id -u" });
  await (await service.attach(first)).until("up");
  await service.crash();
  await service.start();
  execFileSync("touch", [join(service.workspaceOf(first), "go")]);
  await service.wait(second);
  assert.deepEqual([await service.output(first), await service.output(second)].map(String), [`up\n${uid}\n`, `${uid}\n`]);
});

test("only allowed users are accepted, with only their groups, and not with containers", onlyRoot, async (t) => {
  const service = await start(t, "nobody");
  const refusals: [JobSpec, number, RegExp][] = [
    [{ User: "daemon", CommandLine: "id" }, 422, /^User is not a user that jobs may run as: JOBRUNNER_ALLOWED_USERS does not name it/],
    [{ User: "root", CommandLine: "id" }, 422, /^User is not a user that jobs may run as/],
    [{ User: "0", CommandLine: "id" }, 422, /^User is not a user that jobs may run as/],
    [{ User: "65534:0", CommandLine: "id" }, 422, /^User has a group that is not the user's/],
    [{ User: "no-such-user", CommandLine: "id" }, 422, /^User is no user of this box/],
    [{ User: "4294967295", CommandLine: "id" }, 422, /^User is no user of this box/],
    [{ User: "-x", CommandLine: "id" }, 400, /^User must be a user of this box/],
    [{ User: "a b", CommandLine: "id" }, 400, /^User must be a user of this box/],
    [{ User: "nobody", Commands: [{ Image: "busybox", CommandLine: "id" }] }, 400, /^Commands\[0\]\.Image cannot be in a job with User/],
  ];
  for (const [spec, status, sentence] of refusals) {
    const answer = await service.call("POST", "/", { body: JSON.stringify(spec) });
    assert.equal(answer.status, status, answer.text);
    const { detail }: { detail: string } = JSON.parse(answer.text);
    assert.match(detail, sentence);
  }
});

test("a deleted job's workspace is removed, also while another job of the user writes into it", onlyRoot, async (t) => {
  const service = await start(t, uid);
  const { job } = await service.run({ User: uid, CommandLine: "mkdir sub; touch sub/file" });
  const workspace = `${service.stateDir}-workspaces/${job.ID}`;
  const busy = await service.submit({
    User: uid,
    CommandLine: `echo up; i=0; while :; do : > ${workspace}/$((i += 1)); done 2> /dev/null`,
  });
  await (await service.attach(busy)).until("up");
  assert.equal((await service.call("DELETE", `/jobs/${job.ID}`)).status, 200);
  const left = readdirSync(`${service.stateDir}-workspaces`);
  assert.deepEqual(left, [busy]);
  assert.ok(!existsSync(join(service.stateDir, "jobs", job.ID)));
  await service.kill(busy);
});

test("a folder for workspaces that others can change is refused at the start", onlyRoot, async (t) => {
  for (const make of [`mkdir -m 0777`, `ln -s /etc`, `install -d -o ${uid}`]) {
    const folder = mkdtempSync(join(tmpdir(), "jobrunner-user-"));
    t.after(() => rmSync(folder, { recursive: true }));
    execFileSync("sh", ["-c", `${make} ${folder}/state-workspaces`]);
    const service = new Service(join(folder, "state"), { environment: { JOBRUNNER_ALLOWED_USERS: uid } });
    await assert.rejects(service.start(), /can be changed by others: remove it/);
  }
  assert.equal(statSync("/etc").mode & 0o777, 0o755);
});

test(
  "a service that is not root refuses a job with a User at submission, and says why",
  { skip: cannotBe({ name: uid, uid: Number(uid), gid: Number(uid) }, uid) },
  async (t) => {
    const service = await startAs(t, { name: uid, uid: Number(uid), gid: Number(uid) }, { JOBRUNNER_ALLOWED_USERS: "nobody" });
    const answer = await service.call("POST", "/", { body: '{"User": "nobody", "CommandLine": "id"}' });
    assert.equal(answer.status, 422);
    assert.match(answer.text, /"detail":"User needs a service that runs as root/);
  },
);
