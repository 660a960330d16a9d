import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { WholeJob } from "../src/client/index.ts";
import type { Command, JobSpec } from "../src/job/spec.ts";
import { type Engine, engineTest } from "./helper/engines.ts";
import { type Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

/** Jobs whose steps are containers, on real engines. */

async function start(t: TestContext, engine: Engine): Promise<Service> {
  return await sharedService(t, engine.environment);
}

/** Runs it; when it is finished, no container of it may be left. */
async function run(service: Service, engine: Engine, spec: JobSpec): Promise<{ job: WholeJob; text: string }> {
  const { job, output } = await service.run(spec);
  assert.deepEqual(await engine.containersOf(job.ID), []);
  return { job, text: output.toString() };
}

function one(command: Partial<Command>): JobSpec {
  return { Commands: [{ Image: "busybox", ...command }] };
}

engineTest("host steps and containers share one workspace, one output and one record", async (t, engine) => {
  const service = await start(t, engine);
  const { job, text } = await run(service, engine, {
    Commands: [
      { Name: "build", CommandLine: "echo from host > made; echo built; pwd > where" },
      {
        Name: "test",
        Image: "busybox",
        CommandLine: 'cat made; [ "$(pwd)" = "$(cat where)" ] && echo same place; mkdir sub; echo from container > sub/tested',
      },
      { Name: "in", Image: "busybox", WorkingDir: "sub", Args: ["cat", "tested"] },
      { Name: "read", CommandLine: "cat sub/tested" },
    ],
  });
  assert.equal(text, "built\nfrom host\nsame place\nfrom container\nfrom container\n");
  assert.deepEqual([job.State, job.ExitCode, job.Steps.map(({ State }) => State)], ["Succeeded", 0, Array(4).fill("Succeeded")]);
  assert.equal(job.Steps[1]?.CPUSeconds, null, "what the client used is not what the container used");
});

engineTest("stdout and stderr of a container stay apart", async (t, engine) => {
  const service = await start(t, engine);
  const { job } = await run(service, engine, one({ CommandLine: "echo out; echo err >&2; echo more" }));
  assert.equal((await service.output(job.ID, "?stream=stdout")).toString(), "out\nmore\n");
  assert.equal((await service.output(job.ID, "?stream=stderr")).toString(), "err\n");
});

engineTest(
  "a command line is run by /bin/sh or the shell given, arguments by the image's entrypoint, nothing is the image's own",
  async (t, engine) => {
    const service = await start(t, engine);
    const text = async (command: Partial<Command>): Promise<string> => (await run(service, engine, one(command))).text;
    assert.equal(await text({ CommandLine: "echo $0" }), "/bin/sh\n");
    assert.equal(await text({ CommandLine: "echo $0", Shell: "ash" }), "ash\n");
    assert.equal(await text({ CommandLine: "echo line", Image: "jobrunner-test-entrypoint" }), "line\n");
    assert.equal(await text({ Args: ["a b", "$HOME", ""], Image: "jobrunner-test-entrypoint" }), "entry a b $HOME \n");
    assert.equal(await text({ Image: "jobrunner-test-entrypoint" }), "entry default\n");
    assert.equal(await text({ Args: ["sh", "-c", "echo arguments"] }), "arguments\n");
    assert.equal(await text({ Entrypoint: ["/bin/echo", "own"], Args: ["x"], Image: "jobrunner-test-entrypoint" }), "own x\n");
  },
);

engineTest("variables arrive whole and are in no argument vector, and the client gets none of them", async (t, engine) => {
  const service = await start(t, engine);
  const values: Record<string, string> = {
    PLAIN: "a b  c ",
    EQUALS: "a=b=c==",
    LINES: "first\nsecond\n\nlast\n",
    RETURNS: "dos\r",
    QUOTES: `"double" 'single' \\back $HOME \`x\``,
    EMPTY: "",
    UTF8: "größer 🚀",
    LONG: "x".repeat(120_000),
    DOCKER_HOST: "tcp://192.0.2.1:1",
    CONTAINER_HOST: "tcp://192.0.2.1:1",
    LD_PRELOAD: "/no/such/library.so",
    "dotted.name-x": "dots",
  };
  const names = Object.keys(values).filter((name) => !name.includes("."));
  const show =
    `for name in ${names.join(" ")}; do eval "printf '%s\\0' \\"\\$$name\\""; done; tr '\\0' '\\n' < /proc/1/environ | grep ` +
    `-c '^dotted.name-x=dots$'`;
  const id = await service.submit({
    ...one({ CommandLine: `${show}; until [ -e go ]; do sleep 0.01; done`, Environment: values }),
    Environment: { PLAIN: "the job's" },
  });
  await (await service.attach(id)).until("\x001\n");
  const [client] = service.childrenOfSupervisor(id);
  assert.ok(client !== undefined);
  const argumentVector = readFileSync(`/proc/${client}/cmdline`, "utf8");
  for (const value of Object.values(values).filter((text) => text.length > 4))
    assert.ok(!argumentVector.includes(value), value.slice(0, 50));
  const environment = readFileSync(`/proc/${client}/environ`, "utf8");
  assert.ok(!environment.includes("192.0.2.1") && !environment.includes("LD_PRELOAD"));
  assert.equal(statSync(join(service.stateDir, "jobs", id, "container-1.env")).mode & 0o777, 0o600);
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  await service.wait(id);
  const shown = (await service.output(id)).toString().split("\0");
  for (const [index, name] of names.entries()) assert.equal(shown[index], values[name], name);
});

engineTest("a container finds the job's variables and its marks, and nothing of the host's", async (t, engine) => {
  const service = await start(t, engine);
  const { job, text } = await run(service, engine, {
    ...one({ CommandLine: "env", Environment: { OWN: "step" } }),
    Environment: { SHARED: "job", OWN: "job" },
  });
  const lines = text.split("\n");
  for (const line of [
    "OWN=step",
    "SHARED=job",
    `JOBRUNNER_JOB_ID=${job.ID}`,
    "JOBRUNNER_STEP=1",
    `JOBRUNNER_WORKSPACE=${service.workspaceOf(job.ID)}`,
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.deepEqual(
    lines.filter((line) => /^(USER|LOGNAME|LANG|TMPDIR|DOCKER_HOST|CONTAINERS_CONF|JOBRUNNER_STATE_DIR)=/.test(line)),
    [],
  );
});

engineTest("whoever the container's user is, it reads and writes the workspace, and the service can remove it", async (t, engine) => {
  const service = await start(t, engine);
  const { job, text } = await run(service, engine, {
    Commands: [
      { CommandLine: "echo host > host; mkdir folder" },
      {
        Image: "busybox",
        User: "1234:5678",
        CommandLine: "id -u; id -g; cat host; mkdir mine; echo of 1234 > mine/file; chmod 700 mine; echo top > top",
      },
      { Image: "jobrunner-test-user", CommandLine: "id -un; cat top; echo app > app" },
      { Image: "busybox", User: "app", CommandLine: "id -un; rm app" },
      { CommandLine: "cat mine/file top" },
    ],
  });
  assert.equal(job.State, "Succeeded", text);
  assert.equal(text, "1234\n5678\nhost\napp\ntop\napp\nof 1234\ntop\n");
  assert.equal((await service.call("DELETE", `/jobs/${job.ID}`)).status, 200);
  assert.equal(statSync(join(service.stateDir, "jobs", job.ID), { throwIfNoEntry: false }), undefined);
});

engineTest("mounts are at their targets, read-only where asked for, whatever characters their names have", async (t, engine) => {
  const service = await start(t, engine);
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-mount-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const odd = join(folder, 'a, "b" = c:d');
  mkdirSync(odd);
  writeFileSync(join(odd, "file"), "odd\n");
  const { job, text } = await run(service, engine, {
    Commands: [
      { CommandLine: "mkdir cache; echo cached > cache/file" },
      {
        Image: "busybox",
        Mounts: [
          { Source: odd, Target: "/data", ReadOnly: true },
          { Source: folder, Target: "/all" },
          { Source: "cache", Target: "/cache" },
        ],
        CommandLine: "cat /data/file /cache/file; echo x 2>/dev/null > /data/new || echo read-only; echo written > /all/new",
      },
    ],
  });
  assert.deepEqual([job.State, text], ["Succeeded", "odd\ncached\nread-only\n"]);
  assert.equal(readFileSync(join(folder, "new"), "utf8"), "written\n");
});

engineTest("a job's own working directory is mounted and the default one, a step's may be the image's", async (t, engine) => {
  const service = await start(t, engine);
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-dir-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "sub"));
  const { text } = await run(service, engine, {
    WorkingDir: folder,
    Commands: [
      { Image: "busybox", CommandLine: "pwd; echo here > file; [ -d $JOBRUNNER_WORKSPACE ] && echo workspace too" },
      { CommandLine: "cat file" },
      { Image: "busybox", WorkingDir: "sub", CommandLine: "pwd" },
      { Image: "busybox", WorkingDir: "/etc", CommandLine: "pwd; ls passwd" },
      { Image: "busybox", WorkingDir: "missing", CommandLine: "pwd" },
    ],
  });
  assert.equal(text, `${folder}\nworkspace too\nhere\n${folder}/sub\n/etc\npasswd\n`);
});

engineTest("a working directory that is not there fails the step as on the host", async (t, engine) => {
  const service = await start(t, engine);
  const { job } = await run(service, engine, one({ WorkingDir: "missing", CommandLine: "pwd" }));
  assert.deepEqual([job.State, job.Reason], ["Failed", "CouldNotStart"]);
  assert.match(job.Message ?? "", /working directory/);
});

engineTest("the network is the one asked for", async (t, engine) => {
  const service = await start(t, engine);
  // An engine's helpers may say what they miss on this box, on stderr.
  const text = async (command: Partial<Command>): Promise<string> => {
    const { job } = await run(service, engine, one({ CommandLine: "ls /sys/class/net", ...command }));
    return (await service.output(job.ID, "?stream=stdout")).toString();
  };
  assert.equal(await text({ Network: "none" }), "lo\n");
  const host = await run(service, engine, {
    Commands: [
      { CommandLine: "readlink /proc/self/ns/net" },
      { Image: "busybox", Network: "host", CommandLine: "readlink /proc/self/ns/net" },
    ],
  });
  const [ofHost, ofContainer] = host.text.split("\n");
  assert.equal(ofContainer, ofHost);
  const named = `jobrunner-test-${process.pid}`;
  const made = await engine.run("network", "create", named);
  assert.equal(made.code, 0, made.stderr);
  t.after(() => engine.run("network", "rm", named));
  assert.equal(await text({ Network: named }), "eth0\nlo\n");
  const { job } = await run(service, engine, one({ Network: "no-such-network", Args: ["true"] }));
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "EngineError", null]);
  assert.match(job.Message ?? "", /no-such-network/);
});

engineTest("the first step reads the job's Stdin, in a container too", async (t, engine) => {
  const service = await start(t, engine);
  const text = "to be read\n".repeat(20_000);
  const { job, text: output } = await run(service, engine, {
    Commands: [
      { Image: "busybox", Args: ["cat"] },
      { Image: "busybox", Args: ["cat"] },
    ],
    Stdin: text,
  });
  assert.deepEqual([job.State, output === text], ["Succeeded", true]);
});

engineTest("exit codes are the container's, those of the engine's own among them", async (t, engine) => {
  const service = await start(t, engine);
  for (const code of [0, 1, 3, 125, 126, 127, 137, 143, 255]) {
    const { job } = await run(service, engine, one({ CommandLine: `echo to stderr >&2; exit ${code}` }));
    const wanted = code === 0 ? ["Succeeded", null, 0] : ["Failed", "ExitCode", code];
    assert.deepEqual([job.State, job.Reason, job.ExitCode], wanted, JSON.stringify(job));
    assert.equal(job.OutputLostBytes, 0);
  }
});

engineTest("a command that cannot be executed is told from one that exits with the same code", async (t, engine) => {
  const service = await start(t, engine);
  for (const [program, why] of [
    ["no-such-program", /No such file or directory/],
    ["/etc/passwd", /Permission denied/],
  ] as const) {
    const { job } = await run(service, engine, one({ Args: [program, "argument"] }));
    assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "CouldNotStart", null], JSON.stringify(job));
    assert.match(job.Message ?? "", why);
  }
});

engineTest("an image that cannot be had is told, with the engine's words", async (t, engine) => {
  const service = await start(t, engine);
  const registry = process.env["TEST_REGISTRY"];
  const cases: [Partial<Command>, RegExp][] = [[{ Image: "localhost/no-such-image:1", Pull: "never" }, /no such image|image not known/i]];
  if (registry === undefined) t.diagnostic("left out: no registry to pull from, see test/engines/start");
  else {
    cases.push([{ Image: `${registry}/no-such-image:1` }, /manifest/i], [{ Image: "127.0.0.1:1/no-such-image:1" }, /connection refused/i]);
    await run(service, engine, one({ Image: `${registry}/busybox`, Args: ["true"] })); // so that it is there
    assert.equal(
      (await run(service, engine, one({ Image: `${registry}/busybox`, Pull: "always", Args: ["echo", "pulled"] }))).job.State,
      "Succeeded",
    );
    const bad = await run(
      service,
      engine,
      one({ Image: `${registry}/busybox`, Pull: "always", Args: ["true"], Mounts: [{ Source: "/no/such/folder", Target: "/x" }] }),
    );
    assert.equal(bad.job.Reason, "EngineError", JSON.stringify(bad.job));
    await engine.run("tag", "busybox:latest", "127.0.0.1:1/busybox:latest");
    cases.push([{ Image: "127.0.0.1:1/busybox:latest", Pull: "always" }, /connection refused/i]); // although it is there
  }
  for (const [command, words] of cases) {
    const { job } = await run(service, engine, one({ Args: ["true"], ...command }));
    assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "ImagePull", null], JSON.stringify(job));
    assert.match(job.Message ?? "", words);
  }
});

engineTest("a container that the engine cannot make is told, with the engine's words", async (t, engine) => {
  const service = await start(t, engine);
  const { job } = await run(service, engine, one({ Args: ["true"], Mounts: [{ Source: "/no/such/folder", Target: "/x" }] }));
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "EngineError", null]);
  assert.match(job.Message ?? "", /\/no\/such\/folder/);
});

engineTest("memory that is used up is told, also where the first process went on", async (t, engine) => {
  const reportsOom = engine.name === "docker"; // podman does not where cgroups are those of version 1
  const service = await start(t, engine);
  const eat = "x=a; while :; do x=$x$x; done";
  const limited = { Resources: { MemoryBytes: 32 << 20 } };
  const died = await run(service, engine, one({ CommandLine: eat, ...limited }));
  assert.deepEqual([died.job.State, died.job.ExitCode], ["Failed", 137]);
  assert.equal(died.job.Reason, reportsOom ? "OutOfMemory" : "ExitCode");
  const wentOn = await run(service, engine, one({ CommandLine: `(${eat}); echo went on`, ...limited }));
  assert.deepEqual([wentOn.job.State, wentOn.job.ExitCode, wentOn.job.Reason], ["Succeeded", 0, reportsOom ? "OutOfMemory" : null]);
  assert.match(wentOn.text, /went on/);
});

engineTest("processors and processes are limited as asked", async (t, engine) => {
  const service = await start(t, engine);
  const spawnMany = "for i in $(seq 25); do sleep 1 & done 2>/dev/null; wait";
  const { job, text } = await run(service, engine, one({ CommandLine: spawnMany, Resources: { Pids: 15, CPUs: 0.5 } }));
  assert.ok(job.State === "Failed" || /fork/.test(text), JSON.stringify(job) + text);
});

engineTest("a step in a container follows the rules of a sequence", async (t, engine) => {
  const service = await start(t, engine);
  const { job, text } = await run(service, engine, {
    Commands: [
      { Image: "busybox", CommandLine: "exit 4", IgnoreError: true },
      { Image: "busybox", CommandLine: "echo two; exit 5" },
      { Image: "busybox", CommandLine: "echo never" },
      { Image: "busybox", CommandLine: "echo failed", RunOn: "failure" },
      { Image: "busybox", CommandLine: "echo always", RunOn: "always" },
    ],
  });
  assert.equal(text, "two\nfailed\nalways\n");
  assert.deepEqual([job.State, job.ExitCode, job.Message], ["Failed", 5, "step 2 exited with code 5"]);
  assert.equal(job.Steps[2]?.State, "Skipped");
});
