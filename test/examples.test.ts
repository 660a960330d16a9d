import { strict as assert } from "node:assert";
import { execFile, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { engineTest } from "./helper/engines.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const examples = join(repository, "examples");

test("ci.yaml builds and tests a revision, and fails if its tests fail", { skip: needs("git", "make") }, async (t) => {
  const { run, folder } = await start(t);
  const project = join(folder, "project");
  const git = (...args: string[]): void => {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"];
    assert.equal(
      spawnSync("git", [...identity, ...args], { cwd: project, stdio: "ignore", env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } })
        .status,
      0,
      args.join(" "),
    );
  };
  mkdirSync(project);
  writeFileSync(join(project, "greet.in"), "echo hello\n");
  writeFileSync(
    join(project, "Makefile"),
    'greet: greet.in\n\tcp greet.in greet\ntest: greet\n\t@test "$$(sh greet)" = hello && echo passed\n',
  );
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message", "greets");
  git("tag", "v1");
  writeFileSync(join(project, "greet.in"), "echo goodbye\n");
  git("commit", "--quiet", "--all", "--message", "greets no more");

  const ci = ["run", "--file", join(examples, "ci.yaml"), "--env", `REPOSITORY=file://${project}`];
  const good = await run("jobrunner", [...ci, "--env", "REVISION=v1"]);
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /test: greets\n[^]*passed/);

  const bad = await run("jobrunner", ci);
  assert.equal(bad.status, 2);
  assert.match(bad.stdout, /greets no more[^]*greet.in \|/);
  assert.match(bad.stderr, /step 3 \(test\) exited with code 2/);

  const none = await run("jobrunner", ["run", "--file", join(examples, "ci.yaml")]);
  assert.match(none.stderr, /REPOSITORY: say which/);
});

test("backup.yaml keeps the newest backups, each of which can be restored, and no files of a failed backup", async (t) => {
  const { run, folder } = await start(t);
  const [source, target, restored] = ["source", "target", "restored"].map((name) => join(folder, name));
  assert.ok(source !== undefined && target !== undefined && restored !== undefined);
  mkdirSync(join(source, "letters"), { recursive: true });
  mkdirSync(restored);
  const backup = (from: string) =>
    run("jobrunner", [
      "run",
      "--file",
      join(examples, "backup.yaml"),
      "--env",
      `SOURCE=${from}`,
      "--env",
      `TARGET=${target}`,
      "--env",
      "KEEP=2",
    ]);
  for (const text of ["first", "second", "third"]) {
    writeFileSync(join(source, "letters", "a"), text);
    assert.equal((await backup(source)).status, 0);
  }
  const kept = readdirSync(target);
  assert.equal(kept.length, 4, kept.join());
  const [older = "", , newest = ""] = kept;
  assert.equal((await run("sha256sum", ["--check", `${older}.sha256`, `${newest}.sha256`], target)).status, 0);
  assert.equal((await run("tar", ["--extract", "--file", newest, "--directory", restored], target)).status, 0);
  assert.equal(readFileSync(join(restored, "letters", "a"), "utf8"), "third");

  assert.equal((await backup(join(folder, "nowhere"))).status, 2);
  assert.deepEqual(readdirSync(target), kept);
});

test("systemd accepts the units of the backup", { skip: needs("systemd-analyze") }, (t) => {
  const folder = folderOf(t);
  for (const name of ["backup.service", "backup.timer"])
    writeFileSync(join(folder, name), readFileSync(join(examples, name), "utf8").replace("/usr/local/bin/jobrunner", "/bin/sh"));
  const { status, stderr } = spawnSync(
    "systemd-analyze",
    ["verify", "--recursive-errors=no", join(folder, "backup.service"), join(folder, "backup.timer")],
    { encoding: "utf8" },
  );
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
});

test("convert.yaml converts files that are put into its workspace, and has a timeout", async (t) => {
  const { run, folder } = await start(t);
  writeFileSync(join(folder, "latin1"), Buffer.from("caf\xe9\n".repeat(100_000), "latin1"));
  const { stdout } = await run("jobrunner", ["run", "--detach", "--file", join(examples, "convert.yaml")]);
  const id = stdout.trim();
  assert.equal((await run("jobrunner", ["cp", "latin1", `${id}:input`])).status, 0);
  const attached = await run("jobrunner", ["attach", id]);
  assert.equal(attached.status, 0);
  assert.match(attached.stderr, /500000 bytes .*copied/);
  assert.equal((await run("jobrunner", ["cp", `${id}:output`, "output"])).status, 0);
  assert.equal(gunzipSync(readFileSync(join(folder, "output"))).toString(), "café\n".repeat(100_000));

  const late = await run("jobrunner", ["run", "--file", join(examples, "convert.yaml"), "--idle-timeout", "200ms"]);
  assert.match(late.stderr, /TimedOut: no output for IdleTimeoutSeconds/);
});

engineTest("mixed.yaml builds on the host, tests in a container, and packs on the host", async (t, engine) => {
  const { run, service } = await start(t, engine.environment);
  const { status, stdout, stderr } = await run("jobrunner", ["run", "--file", join(examples, "mixed.yaml")]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "42\nanswer.tar.gz\n");
  const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse((await service.call("GET", "/jobs")).text);
  assert.deepEqual(readdirSync(service.workspaceOf(Jobs[0]?.ID ?? "")).toSorted(), ["answer", "answer.tar.gz"]);
});

test("fan-out.sh names the jobs that failed, and fails too", async (t) => {
  const { run, folder } = await start(t);
  const files = ["a", "b c", "d"].map((name) => join(folder, `${name}.gz`));
  for (const file of files) writeFileSync(file, gzipSync("good"));
  const good = await run(join(examples, "fan-out.sh"), ['gzip --test "$ITEM"', ...files]);
  assert.deepEqual(good, { status: 0, stdout: "", stderr: "" });

  writeFileSync(join(folder, "b c.gz"), "bad");
  const bad = await run(join(examples, "fan-out.sh"), ['gzip --test "$ITEM"', ...files]);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /^ID .*\n\S+ +\S+b c\.gz +Failed .*\n$/);
  assert.match(bad.stderr, /b c\.gz: not in gzip format/);
});

test("fan-out.sh kills all jobs that it has started when it is stopped", async (t) => {
  const { service, environment } = await start(t);
  const child = spawn(join(examples, "fan-out.sh"), ['sleep "$ITEM"', "1000", "1001", "1002"], {
    env: environment,
    stdio: "ignore",
    detached: true,
  });
  let status: number | null = null;
  child.once("exit", (code) => (status = code));
  await waitFor("all items run", async () => (await service.activeIds()).length === 3);
  process.kill(-(child.pid ?? NaN), "SIGINT"); // like Ctrl-C, to all processes of the terminal
  await waitFor("the script ends", () => status !== null);
  assert.equal(status, 130);
  assert.deepEqual(await service.activeIds(), []);
});

test(
  "agent.ts reads why a step failed, repairs known causes, and tries again; unknown causes end it",
  { skip: needs("cc", "make") },
  async (t) => {
    const { run, folder, service } = await start(t);
    writeFileSync(join(folder, "answer.c"), '#include "config.h"\nint main(void) { return ANSWER != 42; }\n');
    writeFileSync(join(folder, "Makefile"), "answer: answer.c\n\t$(CC) -o answer answer.c\ntest: answer\n\t./answer\n");
    writeFileSync(join(folder, "configure"), "#!/bin/sh\necho '#define ANSWER 42' > config.h\n");
    chmodSync(join(folder, "configure"), 0o755);
    const agent = [join(examples, "agent.ts"), folder];
    const good = await run(process.execPath, agent);
    assert.equal(good.status, 0, good.stdout + good.stderr);
    assert.match(good.stdout, /config\.h: No such file[^]*Failed: step 1 \(build\)[^]*I try configure first[^]*Succeeded\n$/);

    writeFileSync(join(folder, "configure"), "#!/bin/sh\necho '#define ANSWER 41' > config.h\n");
    rmSync(join(folder, "answer"));
    rmSync(join(folder, "config.h"));
    const bad = await run(process.execPath, agent);
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /Failed: step 3 \(test\)[^]*I do not know/);
    const { Jobs }: { Jobs: object[] } = JSON.parse((await service.call("GET", "/jobs?name=agent")).text);
    assert.equal(Jobs.length, 4);
  },
);

type Result = { status: number | null; stdout: string; stderr: string };
type Started = {
  service: Service;
  folder: string;
  environment: NodeJS.ProcessEnv;
  run: (program: string, args: string[], cwd?: string) => Promise<Result>;
};

/** A service, and a user's shell with `jobrunner` in its PATH and a separate folder. */
async function start(t: TestContext, engine: Record<string, string> = {}): Promise<Started> {
  const folder = folderOf(t);
  const service = await startService(t, { environment: engine });
  const environment = { ...process.env, PATH: `${join(repository, "bin")}${delimiter}${process.env["PATH"]}`, JOBRUNNER_URL: service.url };
  const run: Started["run"] = (program, args, cwd = folder) =>
    new Promise((resolve) => {
      const child = execFile(program, args, { cwd, env: environment, timeout: 60_000 }, (_error, stdout, stderr) =>
        resolve({ status: child.exitCode, stdout, stderr }),
      );
    });
  return { service, folder, environment, run };
}

/** On a developer's machine a test without its programs is skipped; it fails where all tests must run. */
function needs(...programs: string[]): string | false {
  const missing = programs.filter((program) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status !== 0);
  return missing.length === 0 || process.env["CI"] !== undefined ? false : `not installed: ${missing.join(", ")}`;
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-examples-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
