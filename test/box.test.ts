import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { availableParallelism, hostname, release, tmpdir, totalmem, userInfo } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Diagnosis } from "../src/client/index.ts";
import { cli } from "./helper/cli.ts";
import { Contract } from "./helper/contract.ts";
import { assertProblem } from "./helper/problems.ts";
import { childrenOf, openFilesOf, processesOf } from "./helper/processes.ts";
import { repository, startService } from "./helper/service.ts";
import { bearer, createToken, fromElsewhere } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

test("/box reports the machine, the caller's identity, the running and queued jobs, and the configuration", async (t) => {
  const beforeMs = Date.now();
  const service = await startService(t, {
    environment: {
      JOBRUNNER_MAX_RUNNING: "1",
      JOBRUNNER_MIN_FREE_BYTES: "4096",
      JOBRUNNER_MAX_READERS: "99",
      JOBRUNNER_MAX_BODY_BYTES: "2048",
    },
  });
  const running = await service.submit({ CommandLine: "sleep 1000" });
  await service.submit({ CommandLine: "true" });
  await waitFor("the first job runs", async () => (await service.get(running)).State === "Running");
  const box = await service.client().box();
  const health = await service.client().health();
  const version: { version: string } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  assert.deepEqual(
    [box.Version, `v${box.NodeVersion}`, box.Kernel, box.Hostname, box.User],
    [version.version, process.version, release(), hostname(), userInfo().username],
  );
  assert.deepEqual(box.You, { Name: `local:${userInfo().username}`, Role: "admin", SeesOwnJobsAlone: false });
  assert.deepEqual([box.Running, box.Queued], [1, 1]);
  const [startedAtMs, nowMs] = [Date.parse(box.StartedAt), Date.parse(box.Now)];
  assert.ok(startedAtMs >= beforeMs - 1000 && startedAtMs <= nowMs && nowMs <= Date.now() + 1000, JSON.stringify(box));
  assert.deepEqual([box.Load.Averages.length, box.Load.CPUs, box.Memory.TotalBytes], [3, availableParallelism(), totalmem()]);
  assert.ok(box.Memory.AvailableBytes > 0 && box.Memory.AvailableBytes < box.Memory.TotalBytes);
  const { blocks, bsize } = statfsSync(service.stateDir);
  assert.deepEqual([box.Disk.TotalBytes, box.Disk.MinFreeBytes], [blocks * bsize, 4096]);
  assert.ok(box.Disk.AvailableBytes !== null && box.Disk.AvailableBytes > 0 && box.Disk.AvailableBytes < blocks * bsize);
  assert.deepEqual([box.Cgroups, box.Database, box.Launcher], [health.cgroups, health.database, health.launcher]);
  assert.deepEqual(box.Containers, { Engine: null, Version: null, Problem: health.containers?.problem });
  const { MaxRunning, MaxReaders, MaxReadersPerJob, MaxBodyBytes, MaxFileBytes } = box.Limits;
  assert.deepEqual([MaxRunning, MaxReaders, MaxReadersPerJob, MaxBodyBytes, MaxFileBytes], [1, 99, 2000, 2048, 1 << 30]);
});

test("/box reports when the service started, always the same time", async (t) => {
  const service = await startService(t);
  const [first, second] = [await service.client().box(), await service.client().box()];
  assert.equal(first.StartedAt, second.StartedAt);
  assert.ok(Date.parse(first.Now) <= Date.parse(second.Now));
  await service.stop();
  await service.start();
  assert.ok(Date.parse((await service.client().box()).StartedAt) > Date.parse(second.Now));
});

test("every identified client may read /box, only the role admin the findings, and unidentified clients neither", async (t) => {
  const service = await startService(t);
  const asked = {
    read: bearer(await createToken(service, "r", "read")),
    submit: bearer(await createToken(service, "s", "submit")),
    admin: bearer(await createToken(service, "a", "admin")),
  };
  for (const [role, headers] of Object.entries(asked)) {
    const { You } = await service.client(headers).box();
    assert.deepEqual(You, { Name: `token:${role.charAt(0)}`, Role: role, SeesOwnJobsAlone: role === "submit" });
    const answer = await service.call("GET", "/box/findings", { headers });
    if (role === "admin") assert.equal(answer.status, 200);
    else assertProblem(answer, 403);
  }
  for (const path of ["/box", "/box/findings"]) assertProblem(await service.call("GET", path, { headers: fromElsewhere }), 401);
  for (const path of ["/box", "/box/findings"]) assertProblem(await service.call("DELETE", path), 405);
});

test("/box contains no secret, no path of the state directory and no other token", async (t) => {
  const service = await startService(t, { environment: { http_proxy: "http://user:hunter22@proxy" } });
  await createToken(service, "somebody", "admin");
  const { text } = await service.call("GET", "/box");
  for (const secret of ["hunter22", "somebody", service.stateDir]) assert.ok(!text.includes(secret), text);
});

test("disk values that the file system does not report are null, and all others are present", async (t) => {
  const service = await startService(t);
  const away = `${service.stateDir}-away`;
  renameSync(service.stateDir, away);
  try {
    const { Disk, Version } = await service.client().box();
    assert.deepEqual([Disk.TotalBytes, Disk.AvailableBytes, Version.length > 0], [null, null, true]);
  } finally {
    renameSync(away, service.stateDir);
  }
});

test("the doctor in the service finds the same as the doctor beside it, and a running service is well", async (t) => {
  const service = await startService(t);
  await service.stop();
  await service.start(); // with the port in its configuration
  const inside = await service.client().findings();
  assert.ok(inside.IsWell, JSON.stringify(inside));
  const environment = { JOBRUNNER_PORT: String(service.port), JOBRUNNER_STATE_DIR: service.stateDir, JOBRUNNER_CONTAINER_ENGINE: "none" };
  const { stdout } = await cli(t, service.url, ["doctor", "--json"], { environment });
  const beside: Diagnosis = JSON.parse(stdout);
  assert.deepEqual(steady(inside), steady(beside));
  const of = (check: string): string[] =>
    inside.Findings.filter(({ Check }) => Check === check).map(({ Level, Found }) => `${Level}: ${Found}`);
  assert.deepEqual(of("configuration"), ["ok: all variables are valid"]);
  assert.match(of("job").join(), /^ok: a test job succeeded/);
  assert.match(
    of("ports")[0] ?? "",
    new RegExp(`^ok: http://127\\.0\\.0\\.1:${service.port} is served by jobrunner \\d+\\.\\d+\\.\\d+, process ${service.pid}$`),
  );
  assert.match(of("state").join(), new RegExp(`in use by the service, process ${service.pid}`));
});

test("a service with a unix socket that trusts nobody without a token is no problem to its own doctor", async (t) => {
  const folder = temporary(t);
  const service = await startService(t, { environment: { JOBRUNNER_SOCKET: join(folder, "socket") } });
  const token = bearer(await createToken(service, "a", "admin"));
  await service.stop();
  await service.start({ JOBRUNNER_LOCAL_TRUST: "false" });
  const answer = await service.call("GET", "/box/findings", { headers: token });
  const { IsWell, Findings }: Diagnosis = JSON.parse(answer.text);
  assert.ok(IsWell, answer.text);
  assert.ok(
    Findings.some(({ Check, Found }) => Check === "ports" && Found.includes(`process ${service.pid}`)),
    answer.text,
  );
  assert.ok(
    Findings.some(({ Check, Found }) => Check === "socket" && Found.includes(`is served by process ${service.pid}`)),
    answer.text,
  );
  await service.stop();
  await service.start();
});

test("every problem is reported with its remedy", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_SHELL: "/no/such/shell" } });
  const { IsWell, Findings } = await service.client().findings();
  assert.equal(IsWell, false);
  assert.deepEqual([...new Set(Findings.filter(({ Level }) => Level === "problem").map(({ Check }) => Check))], ["shell", "job"]);
  for (const { Level, Remedy } of Findings) assert.equal(Remedy === null, Level === "ok");
});

test("requests during a run of the doctor get its result, a later request starts another run", async (t) => {
  const folder = temporary(t);
  const [shell, calls, go] = [join(folder, "shell"), join(folder, "calls"), join(folder, "go")];
  writeFileSync(shell, `#!/bin/sh\necho "$@" >> ${calls}\nuntil [ -e ${go} ]; do sleep 0.01; done\nexec /bin/sh "$@"\n`, { mode: 0o755 });
  const service = await startService(t, { environment: { JOBRUNNER_SHELL: shell } });
  const looks = (): number =>
    existsSync(calls)
      ? readFileSync(calls, "utf8")
          .split("\n")
          .filter((line) => line === "-c exit 7").length
      : 0;
  const first = service.call("GET", "/box/findings");
  await waitFor("the doctor looks", () => looks() === 1);
  const second = service.call("GET", "/box/findings");
  await service.client().health(); // by now the first request has arrived, and the service answers others meanwhile
  writeFileSync(go, "");
  const [one, two] = [(await first).text, (await second).text];
  assert.equal(one, two);
  assert.equal(looks(), 1);
  assert.notEqual((await service.call("GET", "/box/findings")).text, one, "the clock has gone on");
  assert.equal(looks(), 2);
});

test("the doctor leaves no process, no open file and no folder", async (t) => {
  const folder = temporary(t);
  const service = await startService(t, { environment: { TMPDIR: folder } });
  await service.launcher();
  const counts = () => ({ children: childrenOf(service.pid).length, files: openFilesOf(service.pid).length });
  const nothingRuns = (): Promise<void> => waitFor("nothing of a job for trial runs", () => processesOf(folder).length === 0);
  await service.client().findings();
  await nothingRuns();
  const before = counts(); // this may include the connection, which closes a moment later
  for (let look = 0; look < 5; look += 1) assert.ok((await service.client().findings()).IsWell);
  await nothingRuns();
  await waitFor(
    "no more processes and open files than before",
    () => counts().children <= before.children && counts().files <= before.files,
  );
  assert.deepEqual(readdirSync(folder), []);
});

test("the state directory stays the service's own, although the doctor opens files in it", async (t) => {
  const service = await startService(t);
  assert.ok((await service.client().findings()).IsWell);
  const other = await cli(t, service.url, [], {
    environment: { JOBRUNNER_PORT: "0", JOBRUNNER_STATE_DIR: service.stateDir, JOBRUNNER_CONTAINER_ENGINE: "none" },
  });
  assert.equal(other.code, 1);
  assert.match(other.stderr, new RegExp(`is in use by another jobrunner \\(process ${service.pid}\\)`));
});

test("both answers fit the OpenAPI document", async (t) => {
  const service = await startService(t);
  const contract = new Contract(JSON.parse((await service.call("GET", "/openapi.json")).text));
  for (const path of ["/box", "/box/findings"]) {
    contract.check({ method: "GET", path }, await service.call("GET", path));
    contract.check({ method: "GET", path }, await service.call("GET", path, { headers: fromElsewhere }));
  }
});

/** Without the fields that change with every request. */
function steady({ Findings, ...rest }: Diagnosis): Diagnosis {
  return {
    ...rest,
    Findings: Findings.map((finding) => (finding.Check === "clock" || finding.Check === "disk" ? { ...finding, Found: "" } : finding)),
  };
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-box-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
