import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import {
  chmodSync,
  constants,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "./helper/package.ts";
import { repository, Service } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

test("make install installs a program that needs no checkout, its manual and completions; uninstall removes all files", async (t) => {
  const folder = temporary(t);
  const install = await run("make", ["install", `PREFIX=${folder}/usr`], { cwd: repository });
  assert.equal(install.code, 0, install.stderr);
  const installed = join(folder, "usr", "bin", "jobrunner");
  assert.match((await run(installed, ["--version"], { cwd: "/" })).stdout, /^jobrunner \d+\.\d+\.\d+\n$/);
  for (const path of [
    "man/man1/jobrunner.1",
    "bash-completion/completions/jobrunner",
    "zsh/site-functions/_jobrunner",
    "fish/vendor_completions.d/jobrunner.fish",
  ]) {
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
  assert.deepEqual(
    globSync(`${folder}/usr/**`, { withFileTypes: true }).filter((entry) => !entry.isDirectory()),
    [],
  );
});

test("the program starts from any folder and through a chain of links", async (t) => {
  const folder = temporary(t);
  symlinkSync(join(repository, "bin", "jobrunner"), join(folder, "first"));
  symlinkSync("first", join(folder, "second"));
  const { code, stdout } = await run("./second", ["--help"], { cwd: folder });
  assert.equal(code, 0);
  assert.match(stdout, /JOBRUNNER_PORT/);
});

test("make run starts the service, and stops it when make stops", async (t) => {
  const stateDir = temporary(t);
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env; // this test may itself be run by make
  const child = spawn("make", ["run"], {
    cwd: repository,
    env: { ...env, JOBRUNNER_PORT: "0", JOBRUNNER_STATE_DIR: stateDir, JOBRUNNER_CONTAINER_ENGINE: "none" },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
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

test("a checkout that was not built reports what to do", async (t) => {
  const folder = temporary(t);
  for (const part of ["bin", "src", "package.json"]) cpSync(join(repository, part), join(folder, part), { recursive: true });
  const start = async (): Promise<string> => {
    const { code, stderr } = await run(join(folder, "bin", "jobrunner"), [], { cwd: "/" });
    assert.equal(code, 1);
    return stderr;
  };
  assert.equal(await start(), `jobrunner: it is not built yet: run make in ${folder}\n`);
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  assert.equal(await start(), `jobrunner: it is not built yet: run make in ${folder}\n`);
  cpSync(join(repository, "dist"), join(folder, "dist"), { recursive: true });
  assert.equal(await start(), `jobrunner: the supervisor is not built: run make in ${folder}\n`);
});

test("Node.js comes from inside the package, from beside it or from PATH: the first that runs here and is new enough", async (t) => {
  const box = new FakeBox(temporary(t));
  const refusal = /^jobrunner: no Node\.js here is 24\.15 or newer: install [^\n]+\n$/;
  assert.match(await box.start(), refusal);
  for (const version of ["v9.99.0", "v20.20.2", "v24.14.1", "0.0.6", "node: usage"]) {
    box.putScript("path/node", version);
    assert.match(await box.start(), refusal, version);
  }
  for (const version of ["v24.15.0", "v25.0.0", "v100.1.0"]) {
    box.putScript("path/node", version);
    assert.equal(await box.start(), "path/node", version);
  }
  box.putInstalled("node_modules", { version: "24.14.1" });
  assert.equal(await box.start(), "path/node");
  const beside = box.putInstalled("node_modules", { version: "24.21.0" });
  assert.equal(await box.start(), beside);
  const inside = box.putInstalled("node_modules/jobrunner/node_modules", { version: "24.15.0" });
  assert.equal(await box.start(), inside);
  for (const spoil of [ofAnotherMachine, withoutLoader, withoutLibrary, withOldLibrary, notToBeRun]) {
    spoil(box.path(inside));
    assert.equal(await box.start(), beside, spoil.name);
    box.putInstalled("node_modules/jobrunner/node_modules", { version: "24.15.0" });
  }
  // The loader prints an error and continues.
  assert.ok((await box.start({ LD_PRELOAD: "/no/such.so" })).startsWith(inside));
  box.forgetInstalled();
  assert.equal(await box.start(), "path/node");
});

/** A package whose program, of one line, prints which Node.js runs it. */
class FakeBox {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#put("node_modules/jobrunner/bin/jobrunner", readFileSync(join(repository, "bin", "jobrunner"), "utf8"));
    this.#put(
      "node_modules/jobrunner/dist/main.cjs",
      `process.stdout.write(require("node:path").relative(${JSON.stringify(folder)}, process.execPath));`,
    );
    mkdirSync(join(folder, "path"));
    symlinkSync("/bin/readlink", join(folder, "path", "readlink"));
  }

  /** In place of a Node.js in PATH, which is asked for its version. */
  putScript(place: string, version: string): void {
    this.#put(place, `#!/bin/sh\nif [ "$1" = -v ]; then echo ${version}; else printf ${place}; fi\n`);
  }

  /** The real package, as npm installs it for this machine. */
  putInstalled(place: string, { version }: { version: string }): string {
    const name = `node-linux-${process.arch}`;
    const program = join(place, name, "bin", "node");
    this.#put(join(place, name, "package.json"), `${JSON.stringify({ name, version }, null, 2)}\n`);
    mkdirSync(dirname(join(this.#folder, program)), { recursive: true });
    rmSync(join(this.#folder, program), { force: true });
    cpSync(realpathSync(join(repository, "node_modules", name, "bin", "node")), join(this.#folder, program), {
      mode: constants.COPYFILE_FICLONE,
    });
    return program;
  }

  forgetInstalled(): void {
    for (const place of globSync("node_modules/**/node-linux-*", { cwd: this.#folder }))
      rmSync(join(this.#folder, place), { recursive: true });
  }

  path(place: string): string {
    return join(this.#folder, place);
  }

  #put(place: string, text: string): void {
    const path = join(this.#folder, place);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }

  async start(environment: Record<string, string> = {}): Promise<string> {
    const program = join(this.#folder, "node_modules", "jobrunner", "bin", "jobrunner");
    const { stdout, stderr } = await run(program, [], { cwd: "/", env: { ...environment, PATH: join(this.#folder, "path") } });
    return stdout + stderr;
  }
}

/** The field e_machine of its ELF header (elf(5)). */
function ofAnotherMachine(program: string): void {
  changeBytes(program, (bytes) => void bytes.writeUInt16LE(0xf3, 18));
}

/** As on a system with another C library: the program exists, but its loader does not. */
function withoutLoader(program: string): void {
  writeFileSync(program, "#!/lib/no-such-loader");
}

function withoutLibrary(program: string): void {
  changeBytes(program, (bytes) => void bytes.write("libstdc--", bytes.indexOf("libstdc++.so.6\0")));
}

/** It needs a version of the C library that does not exist. */
function withOldLibrary(program: string): void {
  changeBytes(program, (bytes) => void bytes.write("GLIBC_9.", bytes.indexOf("GLIBC_2.17\0")));
}

function notToBeRun(program: string): void {
  chmodSync(program, 0o644);
}

function changeBytes(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
