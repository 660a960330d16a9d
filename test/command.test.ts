import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { engineTest } from "./helper/engines.ts";
import { startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

/** What a command is: a line that a shell runs, or a program in PATH. The rules of PATH are tested beside the supervisor. */

test("a command line that begins with - or + runs like any other, with every shell", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({ CommandLine: "--version" });
  assert.deepEqual([job.State, job.ExitCode], ["Failed", 127]);
  assert.match(output.toString(), /^bash: line 2: --version: command not found\n$/);
  const bin = folder(t);
  for (const name of ["-c", "--", "-x", "+x"]) writeFileSync(join(bin, name), `#!/bin/sh\necho "ran ${name} $*"\n`, { mode: 0o755 });
  const shells = ["bash", "dash", "zsh", "fish", "busybox-sh"].filter((shell) => has(shell.replace("-sh", "")));
  if (has("busybox")) writeFileSync(join(bin, "busybox-sh"), '#!/bin/sh\nexec busybox sh "$@"\n', { mode: 0o755 });
  for (const Shell of shells) {
    const lines = ["-c a", "-- a b", "-x", "+x; echo over"];
    const run = await service.run({
      Environment: { PATH: `${bin}:/usr/bin:/bin` },
      Commands: lines.map((CommandLine) => ({ CommandLine, Shell })),
    });
    assert.equal(run.output.toString(), "ran -c a\nran -- a b\nran -x \nran +x \nover\n", Shell);
  }
  if (!has("python3")) return t.diagnostic("left out: python3 is not installed");
  const python = await service.run({ Commands: [{ CommandLine: "-1; print('ran')", Shell: "python3" }] });
  assert.equal(python.output.toString(), "ran\n");
});

engineTest("a command line that begins with - or + runs in a container too", async (t, engine) => {
  const service = await startService(t, { environment: engine.environment });
  const { job, output } = await service.run({ Commands: [{ Image: "busybox", CommandLine: "--version" }] });
  assert.deepEqual([job.Reason, job.ExitCode], ["ExitCode", 127]);
  assert.match(output.toString(), /^\S*sh: --version: not found\n$/);
});

test("a busy program, or one without #! line, is not replaced by the next of its name in PATH", async (t) => {
  const service = await sharedService(t);
  const root = folder(t);
  for (const [name, text] of [
    ["first", "echo first $1\n"],
    ["second", "#!/bin/sh\necho second\n"],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "tool"), text);
    chmodSync(join(root, name, "tool"), 0o755);
  }
  const spec = { WorkingDir: root, Environment: { PATH: "none:first:second" }, Commands: [{ Args: ["tool", "of two"] }] };
  assert.equal((await service.run(spec)).output.toString(), "first of two\n");
  const fd = openSync(join(root, "first", "tool"), "r+");
  const { job } = await service.run(spec);
  closeSync(fd);
  assert.equal(job.Message, `step 1 could not start: command tool (looked for in PATH, working directory ${root}): text file is busy`);
});

test("the reason why a step could not start is reported also if the service was killed meanwhile", async (t) => {
  const service = await startService(t);
  const go = join(folder(t), "go");
  const id = await service.submit({
    Commands: [{ Args: ["no-such-program"], IgnoreError: true }, { CommandLine: `echo up; until [ -e ${go} ]; do sleep 0.02; done` }],
  });
  await (await service.attach(id)).until("up");
  const sentence =
    /^could not start: command no-such-program \(looked for in PATH, working directory \/.*\/work\): no such file or directory$/;
  assert.match((await service.get(id)).Steps[0]?.Message ?? "", sentence);
  await service.crash();
  await service.start();
  assert.match((await service.get(id)).Steps[0]?.Message ?? "", sentence);
  execFileSync("touch", [go]);
  assert.match((await service.wait(id)).Steps[0]?.Message ?? "", sentence);
});

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "jobrunner-command-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function has(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}
