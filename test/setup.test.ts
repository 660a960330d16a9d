import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { cpSync, lstatSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { repository, Service } from "./helper/service.ts";

test("make install puts a jobrunner on the path that runs without the checkout", async (t) => {
  const folder = temporary(t);
  const install = await run("make", ["install", `PREFIX=${folder}/usr`], repository);
  assert.equal(install.code, 0, install.stderr);
  const installed = join(folder, "usr", "bin", "jobrunner");
  assert.match((await run(installed, ["--version"], "/")).stdout, /^jobrunner \d+\.\d+\.\d+\n$/);
  const service = new Service(join(folder, "state"), { program: installed });
  await service.start();
  try {
    const { output } = await service.run({ CommandLine: "echo installed" });
    assert.equal(output.toString(), "installed\n");
  } finally {
    await service.tearDown();
  }
  const uninstall = await run("make", ["uninstall", `PREFIX=${folder}/usr`], repository);
  assert.equal(uninstall.code, 0, uninstall.stderr);
  assert.throws(() => lstatSync(installed));
});

test("the program starts from any folder and through a chain of links", async (t) => {
  const folder = temporary(t);
  symlinkSync(join(repository, "bin", "jobrunner"), join(folder, "first"));
  symlinkSync("first", join(folder, "second"));
  const { code, stdout } = await run("./second", ["--help"], folder);
  assert.equal(code, 0);
  assert.match(stdout, /JOBRUNNER_PORT/);
});

test("without a C compiler, make says so in one sentence", async () => {
  const { code, stderr } = await run("make", ["supervisor", "CC=no-such-cc"], repository);
  assert.notEqual(code, 0);
  assert.match(stderr, /^the C compiler 'no-such-cc' is missing: install one/);
});

test("a checkout that was not built says what to do", async (t) => {
  const folder = temporary(t);
  for (const part of ["bin", "src", "package.json"]) cpSync(join(repository, part), join(folder, part), { recursive: true });
  const { code, stderr } = await run(join(folder, "bin", "jobrunner"), [], "/");
  assert.notEqual(code, 0);
  assert.match(stderr, /make/);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
});

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(program: string, args: string[], cwd: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env; // this test may itself be run by make
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}
