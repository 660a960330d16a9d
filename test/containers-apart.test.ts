import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Command, JobSpec } from "../src/job/spec.ts";
import { Engine as EngineClient } from "../src/runner/containers/engine.ts";
import { type Engine, engineTest } from "./helper/engines.ts";
import { jobProcessesOf } from "./helper/processes.ts";
import { type Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** Engine and command kept apart: what each said, which of them failed, what each gets. The same on every engine. */

async function start(t: TestContext, engine: Engine): Promise<Service> {
  return await sharedService(t, engine.environment);
}

function one(command: Partial<Command>, job: Partial<JobSpec> = {}): JobSpec {
  return { ...job, Commands: [{ Image: "busybox", Network: "none", ...command }] };
}

type Row = { command: Partial<Command>; expected: [string | null, number | null]; message?: RegExp; output?: string };

const noFile = /^step 1 could not start in its container: .*: No such file or directory$/;
const notAllowed = /^step 1 could not start in its container: .*: Permission denied$/;

/** A mistake's reason and exit code are these, whichever engine there is, and nothing but the command's own words is in the output. */
const rows: Row[] = [
  {
    command: { Args: ["no-such-program", "x"] },
    expected: ["CouldNotStart", null],
    message: /: no-such-program: No such file or directory$/,
  },
  { command: { Args: ["/etc"] }, expected: ["CouldNotStart", null], message: /: \/etc: Permission denied$/ },
  { command: { Args: ["/etc/passwd"] }, expected: ["CouldNotStart", null], message: notAllowed },
  { command: { Args: ["bad\nname"] }, expected: ["CouldNotStart", null], message: /: bad\?name: No such file/ },
  { command: { Entrypoint: ["/no/entrypoint"] }, expected: ["CouldNotStart", null], message: noFile },
  { command: { CommandLine: "true", Shell: "/bin/no-shell" }, expected: ["CouldNotStart", null], message: noFile },
  {
    command: { Args: ["true"], WorkingDir: "/no/such/folder" },
    expected: ["CouldNotStart", null],
    message: /: working directory: No such file or directory$/,
  },
  {
    command: { Args: ["true"], WorkingDir: "/etc/passwd" },
    expected: ["CouldNotStart", null],
    message: /: working directory: Not a directory$/,
  },
  {
    command: { Args: ["true"], WorkingDir: "/hidden", User: "1234", Mounts: [{ Source: "hidden", Target: "/hidden" }] },
    expected: ["CouldNotStart", null],
    message: /: working directory: Permission denied$/,
  },
  { command: { Args: ["true"], User: "nobody-of-the-image" }, expected: ["EngineError", null], message: /nobody-of-the-image/ },
  { command: { Args: ["true"], User: "app:no-group" }, expected: ["EngineError", null], message: /no-group|group/ },
  {
    command: { Args: ["true"], Mounts: [{ Source: "/no/such/source", Target: "/x" }] },
    expected: ["EngineError", null],
    message: /\/no\/such\/source/,
  },
  {
    command: { Args: ["true"], Mounts: [{ Source: "/etc/passwd", Target: "/etc" }] },
    expected: ["EngineError", null],
    message: /not a directory/i,
  },
  { command: { Args: ["true"], Network: "no-such-network" }, expected: ["EngineError", null], message: /no-such-network/ },
  { command: { Args: ["true"], Image: "localhost/no-such-image:1", Pull: "never" }, expected: ["ImagePull", null] },
  { command: { Args: ["true"], Resources: { CPUs: cpus().length + 1 } }, expected: [null, 0] },
  { command: { Args: ["true"], Resources: { CPUs: 0.01, MemoryBytes: Number.MAX_SAFE_INTEGER, Pids: 4_194_304 } }, expected: [null, 0] },
  {
    command: { CommandLine: "echo 'ERROR (catatonit:6): failed to exec pid1: No such file or directory' >&2; exit 1" },
    expected: ["ExitCode", 1],
    output: "ERROR (catatonit:6): failed to exec pid1: No such file or directory\n",
  },
  {
    command: { CommandLine: "echo '[FATAL tini (7)] exec x failed: No such file or directory' >&2; exit 127" },
    expected: ["ExitCode", 127],
    output: "[FATAL tini (7)] exec x failed: No such file or directory\n",
  },
  {
    command: { CommandLine: "echo 'jobrunner-init: x: No such file or directory' >&2; exit 127" },
    expected: ["ExitCode", 127],
    output: "jobrunner-init: x: No such file or directory\n",
  },
  {
    command: { CommandLine: "echo 'exec /x: argument list too long' >&2; exit 1" },
    expected: ["ExitCode", 1],
    output: "exec /x: argument list too long\n",
  },
  {
    command: { CommandLine: "echo 'docker: Error response from daemon: no.' >&2; exit 125" },
    expected: ["ExitCode", 125],
    output: "docker: Error response from daemon: no.\n",
  },
  {
    command: { CommandLine: "echo 'OCI permission denied' >&2; exit 126" },
    expected: ["ExitCode", 126],
    output: "OCI permission denied\n",
  },
  { command: { CommandLine: "kill -s KILL $$" }, expected: ["ExitCode", 137] },
  {
    command: { CommandLine: "echo 'echo no shell named' > script; chmod +x script; exec ./script" },
    expected: [null, 0],
    output: "no shell named\n",
  }, // execvp(3): ENOEXEC
];

engineTest(
  "the engine's failure and the command's have the same reason on every engine, and only the command's words are output",
  async (t, engine) => {
    const service = await start(t, engine);
    const hidden = { CommandLine: "mkdir -m 700 hidden" };
    await inTurns(rows, async ({ command, expected, message, output = "" }) => {
      const { job, output: bytes } = await service.run({ Commands: [hidden, ...(one(command).Commands ?? [])] });
      const about = JSON.stringify({ command, job });
      assert.deepEqual([job.Reason, job.ExitCode], expected, about);
      if (message !== undefined) assert.match((job.Message ?? "").replace(/^step 2/, "step 1"), message, about);
      assert.equal(bytes.toString(), output, about);
      assert.equal(job.Steps[1]?.StartError, startErrorOf(message), about);
      assert.deepEqual(
        readdirSync(join(service.stateDir, "jobs", job.ID)).filter((name) => /^streams-\d+$/.test(name)),
        [],
        "the container's folder is gone",
      );
    });
  },
);

/** What the sentence of the cause says, too. */
function startErrorOf(message: RegExp | undefined): string | null {
  const [, why] = /working directory|([A-Z][a-z ]+)(?:\$|$)/.exec(message?.source ?? "") ?? [];
  if (why?.startsWith("No such file") === true) return "NotFound";
  return why === "Permission denied" ? "NotExecutable" : null;
}

async function inTurns<Item>(items: Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const rest = [...items];
  const work = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await act(item);
  };
  await Promise.all([work(), work(), work()]);
}

engineTest("every signal that may stop a job reaches its container's command, once, and adds nothing to the output", async (t, engine) => {
  const service = await start(t, engine);
  await inTurns(["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGRTMIN+3"] as const, async (signal) => {
    const name = signal === "SIGRTMIN+3" ? "37" : signal.slice(3); // busybox has no names for those
    const trap = `trap 'echo got ${name}; trap "echo again" ${name}; sleep 0.2; exit 9' ${name}`;
    const CommandLine = `${trap}; echo ready; while :; do sleep 0.05; done`;
    const id = await service.submit(one({ CommandLine }, { StopSignal: signal, StopTimeoutSeconds: 60 }));
    await (await service.attach(id)).until("ready");
    await service.kill(id);
    const job = await service.get(id);
    assert.deepEqual([job.State, job.ExitCode, job.OutputLostBytes], ["Killed", 9, 0], JSON.stringify(job));
    assert.equal((await service.output(id)).toString(), `ready\ngot ${name}\n`);
    assert.deepEqual(await engine.containersOf(id), []);
  });
});

engineTest(
  "a stop while the container is being made waits for its command or calls it off, by whichever signal, and says nothing of its own",
  async (t, engine) => {
    const service = await start(t, engine);
    const graceSeconds = 120;
    const stopAt = async (delayMs: number, StopSignal: "SIGUSR1" | "SIGQUIT" | "SIGTERM", Network: string): Promise<void> => {
      const id = await service.submit(one({ Args: ["sleep", "1000"], Network }, { StopSignal, StopTimeoutSeconds: graceSeconds }));
      const endMs = performance.now() + delayMs;
      await waitFor("its moment", () => performance.now() >= endMs);
      const sentMs = performance.now();
      assert.equal((await service.call("DELETE", `/${id}`)).status, 200);
      assert.ok(performance.now() - sentMs < graceSeconds * 1000, `the grace was spent: ${StopSignal} after ${delayMs} ms`);
      const job = await service.get(id);
      assert.deepEqual([job.State, job.Reason], ["Killed", "Requested"], `${StopSignal} after ${delayMs} ms`);
      assert.equal((await service.output(id)).toString(), "", `${StopSignal} after ${delayMs} ms`);
      assert.deepEqual(await engine.containersOf(id), []);
    };
    for (let delayMs = 0; delayMs < 400; delayMs += 50) {
      await stopAt(delayMs, "SIGUSR1", "none");
      await stopAt(delayMs + 25, delayMs % 100 === 0 ? "SIGQUIT" : "SIGTERM", "bridge");
    }
    assert.deepEqual(jobProcessesOf(service.stateDir), []);
  },
);

engineTest("a container whose own processes flood its init with signals ends with its command", async (t, engine) => {
  const service = await start(t, engine);
  const floods = "for i in 1 2 3; do cat /dev/zero > /.jobrunner/signals & done; (while :; do kill -WINCH 1; done) &";
  const { job } = await service.run(one({ CommandLine: `${floods} sleep 0.5; exit 5` }, { TimeoutSeconds: 60, StopTimeoutSeconds: 0.1 }));
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "ExitCode", 5], JSON.stringify(job));
});

engineTest("Pids is what the job may have; less than the engine needs to start a container counts as 15", async (t, engine) => {
  const service = await start(t, engine);
  const spawnAnd = (count: number): string =>
    `i=0; while [ $i -lt ${count} ]; do sleep 1000 & p="$p $!"; i=$((i+1)); done; echo all; [ -z "$p" ] || kill $p`;
  await inTurns(
    [
      [15, 14],
      [20, 19],
    ] as const,
    async ([Pids, children]) => {
      const fits = await service.run(one({ CommandLine: spawnAnd(children), Resources: { Pids } }));
      assert.deepEqual([fits.job.State, fits.output.toString()], ["Succeeded", "all\n"], `${Pids} ${JSON.stringify(fits.job)}`);
      const more = await service.run(one({ CommandLine: spawnAnd(children + 1), Resources: { Pids } }));
      assert.deepEqual([more.job.State, more.job.Reason], ["Failed", "ExitCode"], JSON.stringify(more.job));
      assert.match(more.output.toString(), /can't fork/, JSON.stringify(more.job));
    },
  );
  const least = await service.run(one({ CommandLine: spawnAnd(14), Resources: { Pids: 1 } }));
  assert.deepEqual([least.job.State, least.output.toString()], ["Succeeded", "all\n"], JSON.stringify(least.job));
});

engineTest("what the first step reads stays the service's file, whoever reads it in the container", async (t, engine) => {
  const service = await start(t, engine);
  const text = "to be read\n".repeat(50_000);
  const spec = one({ User: "1000:1000", CommandLine: "cat; echo ready >&2; until [ -e go ]; do sleep 0.05; done" }, { Stdin: text });
  const id = await service.submit(spec);
  await (await service.attach(id, "?stream=stderr")).until("ready");
  const { uid, gid } = statSync(join(service.stateDir, "jobs", id, "stdin-text"));
  assert.deepEqual([uid, gid], [process.getuid?.(), process.getgid?.()]);
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  assert.equal((await service.wait(id)).State, "Succeeded");
  assert.equal((await service.output(id, "?stream=stdout")).toString(), text);
});

engineTest("an image's own check of its health is not run", async (t, engine) => {
  const service = await start(t, engine);
  const { job, output } = await service.run(
    one({ Image: "jobrunner-test-health", CommandLine: "sleep 3; ls $JOBRUNNER_WORKSPACE; ps | grep -c '[i]ll'" }),
  );
  assert.deepEqual([job.ExitCode, output.toString()], [1, "0\n"], "it would have been run twice");
});

engineTest("an image's own check of its health is not run where a job's files are removed in a container of it", async (t, engine) => {
  const parent = mkdtempSync(join(tmpdir(), "jobrunner-removal-"));
  t.after(() => rmSync(parent, { recursive: true }));
  const program = join(parent, "program");
  writeFileSync(program, "#!/bin/sh\nsleep 2.5; [ ! -e /ill ]\n", { mode: 0o755 });
  const path = spawnSync("which", [engine.name], { encoding: "utf8" }).stdout.trim();
  const environment = Object.fromEntries(
    Object.entries({ ...process.env, ...engine.environment }).map(([name, value]) => [name, value ?? ""]),
  );
  await new EngineClient({ kind: engine.name, path }, environment).removeFolder({
    folder: join(parent, "work"),
    parent,
    image: "jobrunner-test-health",
    program,
  });
});

engineTest("output is the command's wherever it comes from, whole and in order", async (t, engine) => {
  const service = await start(t, engine);
  const ways =
    "echo a; echo b > /dev/stdout; echo c >> /proc/self/fd/1; echo d > /proc/1/fd/1; echo e > /dev/stderr; (echo f) | cat; exec 3>&1; " +
    "echo g >&3";
  for (const User of ["root", "1234"]) {
    const { job, output } = await service.run(
      one({ User, CommandLine: User === "root" ? ways : ways.replace("/proc/1/fd/1", "/dev/fd/1") }),
    );
    assert.equal(job.State, "Succeeded", output.toString());
    assert.equal((await service.output(job.ID, "?stream=stdout")).toString(), "a\nb\nc\nd\nf\ng\n");
    assert.equal((await service.output(job.ID, "?stream=stderr")).toString(), "e\n");
  }
  const { job, output } = await service.run(one({ CommandLine: "seq 1 600000; seq 1 600000 | sha256sum > sum" }));
  const [sum] = (await service.call("GET", `/${job.ID}/files/sum`)).text.split(" ");
  assert.equal(createHash("sha256").update(output).digest("hex"), sum);
  assert.ok(existsSync(join(service.stateDir, "jobs", job.ID, "streams-1.said")));
});
