import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { JobSpec } from "../src/job/spec.ts";
import { startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

test("a job of one command line has its output, its exit code and its times", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({ CommandLine: "echo hello; echo err >&2; exit 3" });
  assert.equal(output.toString(), "hello\nerr\n");
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Signal], ["Failed", "ExitCode", 3, null]);
  assert.equal(job.Message, "step 1 exited with code 3");
  assert.deepEqual([job.OutputBytes, job.OutputLostBytes], [10, 0]);
  const times = [job.SubmittedAt, job.StartedAt, job.Steps[0]?.StartedAt, job.Steps[0]?.EndedAt, job.EndedAt];
  assert.deepEqual(times.map(String).toSorted(), times.map(String), "in this order");
});

test("steps run one after the other and stop at the first failure", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({
    Commands: [
      { Name: "one", CommandLine: "echo 1" },
      { Name: "two", Args: ["sh", "-c", "echo 2; exit 7"] },
      { Name: "three", CommandLine: "echo 3" },
      { Name: "on failure", CommandLine: "echo failure", RunOn: "failure" },
      { Name: "always", CommandLine: "echo always", RunOn: "always" },
    ],
  });
  assert.equal(output.toString(), "1\n2\nfailure\nalways\n");
  assert.deepEqual(
    job.Steps.map(({ State }) => State),
    ["Succeeded", "Failed", "Skipped", "Succeeded", "Succeeded"],
  );
  assert.deepEqual([job.State, job.ExitCode, job.Message], ["Failed", 7, "step 2 (two) exited with code 7"]);
});

test("IgnoreError lets a sequence continue, and the job succeeds", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({
    Commands: [{ CommandLine: "exit 4", IgnoreError: true }, { CommandLine: "echo skipped", RunOn: "failure" }, { CommandLine: "echo on" }],
  });
  assert.equal(output.toString(), "on\n");
  assert.deepEqual([job.State, job.ExitCode], ["Succeeded", 0]);
  assert.deepEqual([job.Steps[0]?.State, job.Steps[0]?.ExitCode], ["Failed", 4]);
});

test("a step that a signal ended names the signal", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "kill -SEGV $$" });
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Signal], ["Failed", "Signal", null, "SIGSEGV"]);
});

test("signals above 31 have the names that kill -l prints", async (t) => {
  const service = await sharedService(t);
  const names = new Map([
    [31, "SIGSYS"],
    [32, "SIG32"],
    [33, "SIG33"],
    [34, "SIGRTMIN"],
    [37, "SIGRTMIN+3"],
    [49, "SIGRTMIN+15"],
    [50, "SIGRTMAX-14"],
    [63, "SIGRTMAX-1"],
    [64, "SIGRTMAX"],
  ]);
  const list = spawnSync("bash", ["-c", "kill -l"], { encoding: "utf8" }).stdout;
  for (const [number, name] of names)
    assert.ok(number === 32 || number === 33 || new RegExp(`\\b${number}\\) ${RegExp.escape(name)}\\s`).test(list), name);
  const Commands = [...names.keys()].map((number) => ({ Args: ["perl", "-e", `kill ${number}, $$; sleep 1000`], IgnoreError: true }));
  const { job } = await service.run({ Commands });
  assert.deepEqual(
    job.Steps.map(({ Signal, Message }) => [Signal, Message]),
    [...names.values()].map((name) => [name, `was ended by ${name}`]),
  );
});

test("arguments and variables arrive byte for byte", async (t) => {
  const service = await sharedService(t);
  const hostile = "a b\n'\"$HOME`id`\\ *=\u{1f980}";
  const { output } = await service.run({
    Environment: { FROM_JOB: "job", BOTH: "job", ODD: hostile },
    Commands: [
      { Args: ["printf", "%s|", hostile, ""] },
      { Args: ["printenv", "ODD"] },
      { CommandLine: 'echo "$FROM_JOB $BOTH $JOBRUNNER_STEP"', Environment: { BOTH: "step" } },
      { CommandLine: 'echo "$FROM_JOB $BOTH $JOBRUNNER_STEP"' },
    ],
  });
  assert.equal(output.toString(), `${hostile}||${hostile}\njob step 3\njob job 4\n`);
});

test("a job gets a small clean environment without the service's variables", async (t) => {
  const service = await startService(t, { environment: { SECRET_OF_SERVICE: "s3cret" } });
  const { job, output } = await service.run({ Commands: [{ Args: ["env"] }] });
  const names = output
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0] ?? "");
  assert.deepEqual(names.toSorted(), [
    "HOME",
    "JOBRUNNER_JOB_ID",
    "JOBRUNNER_STEP",
    "JOBRUNNER_WORKSPACE",
    "LANG",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TMPDIR",
    "USER",
  ]);
  assert.match(output.toString(), new RegExp(`JOBRUNNER_JOB_ID=${job.ID}`));
});

const keyring = "print syscall(250, 0, -3, 0)"; // keyctl(2) on x86_64: KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING
const ownKeyring = process.arch === "x64" ? spawnSync("perl", ["-e", keyring], { encoding: "utf8" }).stdout : "-1";

test(
  "no step shares a keyring with another step or with the service",
  { skip: Number(ownKeyring) > 0 ? false : "no perl, no keyrings, or another processor" },
  async (t) => {
    const service = await sharedService(t);
    const { output } = await service.run({ Commands: [{ Args: ["perl", "-e", `${keyring}, qq(\n)`] }, { Args: ["perl", "-e", keyring] }] });
    const all = [ownKeyring, ...output.toString().split("\n")];
    assert.equal(new Set(all).size, 3, all.join(" "));
    assert.ok(
      all.every((serial) => Number(serial) > 0),
      all.join(" "),
    );
  },
);

const openFiles = Number(execFileSync("bash", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim().replace("unlimited", "Infinity"));

test(
  "a thousand steps may each leave a process that keeps its output open",
  { skip: openFiles >= 2100 ? false : `left out: no more than ${openFiles} files may be open here` },
  async (t) => {
    const service = await sharedService(t);
    const { job, output } = await service.run({
      Commands: Array.from({ length: 1000 }, (_, index) => ({ CommandLine: `sleep 1000 & echo ${index}` })),
      StopTimeoutSeconds: 0.1,
    });
    assert.equal(job.State, "Succeeded", String(job.Message));
    assert.equal(output.toString(), Array.from({ length: 1000 }, (_, index) => `${index}\n`).join(""));
  },
);

test("a process starts with clean signals, umask 022 and only the descriptors 0, 1 and 2", async (t) => {
  const service = await sharedService(t);
  const { output } = await service.run({
    Commands: [
      { Args: ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"] },
      { CommandLine: "umask; ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0" },
    ],
  });
  const zero = "0".repeat(16);
  assert.equal(output.toString(), `SigBlk:\t${zero}\nSigIgn:\t${zero}\n0022\n0 1 2 3 /dev/null\n`);
});

test("every job has a workspace of its own, and relative directories are inside it", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({
    Commands: [
      { CommandLine: 'mkdir -p sub/deep; echo made > sub/file; test "$PWD" = "$JOBRUNNER_WORKSPACE" && echo same' },
      { CommandLine: "cat file; basename $PWD", WorkingDir: "sub" },
      { CommandLine: "basename $PWD", WorkingDir: "sub/deep/.." },
    ],
  });
  assert.equal(output.toString(), "same\nmade\nsub\nsub\n");
  const other = await service.run({ CommandLine: "ls" });
  assert.equal(other.output.toString(), "");
  assert.notEqual(job.ID, other.job.ID);
});

test("a step's directory is relative to the job's", async (t) => {
  const service = await sharedService(t);
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "jobrunner-dir-")));
  t.after(() => rmSync(directory, { recursive: true }));
  const { output } = await service.run({
    WorkingDir: directory,
    Commands: [{ CommandLine: "pwd; mkdir inner" }, { CommandLine: "pwd", WorkingDir: "inner" }, { CommandLine: "pwd", WorkingDir: "/" }],
  });
  assert.equal(output.toString(), `${directory}\n${directory}/inner\n/\n`);
});

test("a program that cannot be started fails its step at once, with the reason, and the service stays well", async (t) => {
  const service = await sharedService(t);
  const notExecutable = join(service.stateDir, "not-executable");
  writeFileSync(notExecutable, "#!/bin/sh\n", { mode: 0o644 });
  const noInterpreter = join(service.stateDir, "no-interpreter");
  writeFileSync(noInterpreter, "#!/no/such/interpreter\n", { mode: 0o755 });
  const cases: { spec: JobSpec; message: RegExp; startError?: "NotExecutable" | null }[] = [
    {
      startError: null,
      spec: { CommandLine: "pwd", WorkingDir: "/no/such/place" },
      message: /step 1 could not start: working directory \/no\/such\/place: no such file or directory$/,
    },
    {
      startError: null,
      spec: { CommandLine: "pwd", WorkingDir: "/etc/passwd" },
      message: /working directory \/etc\/passwd: not a directory$/,
    },
    {
      startError: null,
      spec: { CommandLine: "pwd", WorkingDir: "none" },
      message: /working directory \/.*\/work\/none: no such file or directory$/,
    },
    {
      spec: { Commands: [{ Args: ["no-such-program"], WorkingDir: "/usr" }] },
      message: /could not start: command no-such-program \(looked for in PATH, working directory \/usr\): no such file or directory$/,
    },
    {
      spec: { Commands: [{ Args: ["./tool"] }], Secrets: { KEY: "hunter22" } },
      message: /could not start: command \.\/tool \(working directory \/.*\/work\): no such file or directory$/,
    },
    {
      startError: "NotExecutable",
      spec: { Commands: [{ Args: ["x".repeat(5000)] }] },
      message: /could not start: command x{200}… \(looked for in PATH, working directory \/.*\/work\): name too long$/,
    },
    {
      spec: { Commands: [{ CommandLine: "true", Shell: "no-such-shell" }] },
      message: /could not start: command no-such-shell \(looked for in PATH, /,
    },
    {
      startError: "NotExecutable",
      spec: { Commands: [{ Args: [notExecutable] }] },
      message: /could not start: command \/.*\/not-executable \(working directory \/.*\/work\): permission denied$/,
    },
    {
      startError: "NotExecutable",
      spec: { Commands: [{ Args: [noInterpreter] }] },
      message:
        /could not start: command \/.*\/no-interpreter \(working directory .*\): the file exists, but the interpreter that it names.* does not/,
    },
  ];
  for (const { spec, message, startError = "NotFound" } of cases) {
    const { job, output } = await service.run(spec);
    assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Signal, output.length], ["Failed", "CouldNotStart", null, null, 0]);
    assert.match(job.Message ?? "", message);
    assert.equal(job.Steps[0]?.StartError, startError, JSON.stringify(spec));
  }
  const { job } = await service.run({ Commands: [{ Args: ["nope"], IgnoreError: true }, { CommandLine: "true" }] });
  assert.deepEqual(
    job.Steps.map(({ State, Reason }) => [State, Reason]),
    [
      ["Failed", "CouldNotStart"],
      ["Succeeded", null],
    ],
  );
});

test("a missing shell fails the step, not the service", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_SHELL: "/no/such/bash" } });
  const { job } = await service.run({ CommandLine: "echo hello" });
  assert.deepEqual([job.State, job.Reason], ["Failed", "CouldNotStart"]);
  const { output } = await service.run({ Commands: [{ Args: ["echo", "hello"] }] });
  assert.equal(output.toString(), "hello\n");
});

test("a command line is run by the shell that the step names", async (t) => {
  const service = await sharedService(t);
  const { output } = await service.run({
    Commands: [{ CommandLine: "echo $0", Shell: "sh" }, { CommandLine: "echo $0", Shell: "/bin/bash" }, { CommandLine: "echo $0" }],
  });
  assert.equal(output.toString(), "sh\n/bin/bash\nbash\n");
});

test("the first step reads the text of Stdin, the others read nothing", async (t) => {
  const service = await sharedService(t);
  const text = `${"line\n".repeat(100_000)}the end`;
  const { output } = await service.run({ Stdin: text, Commands: [{ Args: ["cat"] }, { Args: ["cat"] }] });
  assert.equal(output.toString(), text);
});

test("a step that exceeds its timeout is stopped, and steps that follow a failure run", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({
    StopTimeoutSeconds: 0.2,
    Commands: [
      { CommandLine: "trap '' TERM; while :; do sleep 0.05; done", TimeoutSeconds: 0.2 },
      { CommandLine: "echo never" },
      { CommandLine: "echo cleaned", RunOn: "always" },
    ],
  });
  assert.equal(output.toString(), "cleaned\n");
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.Signal], ["TimedOut", "Timeout", null, "SIGKILL"]);
  assert.deepEqual(
    job.Steps.map(({ State }) => State),
    ["TimedOut", "Skipped", "Succeeded"],
  );
});

test("a job that exceeds its timeout is stopped, and only its always-steps still run", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({
    TimeoutSeconds: 0.3,
    Commands: [{ CommandLine: "echo began; sleep 1000" }, { CommandLine: "echo never" }, { CommandLine: "echo cleaned", RunOn: "always" }],
  });
  assert.equal(output.toString(), "began\ncleaned\n");
  assert.deepEqual([job.State, job.Reason, job.Signal], ["TimedOut", "Timeout", "SIGTERM"]);
});

test("a job without output for its idle timeout is stopped, one that writes is not", async (t) => {
  const service = await sharedService(t);
  const silent = await service.run({ CommandLine: "echo began; sleep 1000", IdleTimeoutSeconds: 0.3 });
  assert.deepEqual([silent.job.State, silent.job.Reason], ["TimedOut", "IdleTimeout"]);
  const busy = await service.run({ CommandLine: "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done", IdleTimeoutSeconds: 0.6 });
  assert.equal(busy.job.State, "Succeeded");
});

test("the record of a step has its processor time, peak memory and output size", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({
    Commands: [{ CommandLine: "x=$(head -c 40000000 /dev/zero | tr '\\0' x); echo ${#x}" }, { CommandLine: "printf 12345" }],
  });
  const [first, second] = job.Steps;
  assert.ok((first?.CPUSeconds ?? 0) > 0.005, `processor time ${first?.CPUSeconds}`);
  assert.ok((first?.PeakMemoryBytes ?? 0) > 40_000_000, `peak memory ${first?.PeakMemoryBytes}`);
  assert.deepEqual([first?.OutputBytes, second?.OutputBytes, job.OutputBytes], [9, 5, 14]);
});

test("a background process may write until the job ends, and ends with it", async (t) => {
  const service = await sharedService(t);
  const { job, output } = await service.run({
    Commands: [
      { CommandLine: "(until [ -e go ]; do sleep 0.01; done; while :; do echo tick; sleep 0.01; done) & echo started" },
      { CommandLine: "touch go; until grep -q tick $JOBRUNNER_WORKSPACE/../output; do sleep 0.01; done; echo seen" },
    ],
  });
  assert.equal(job.State, "Succeeded");
  assert.match(output.toString(), /started[^]*tick[^]*seen/);
});
