import { strict as assert } from "node:assert";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { execFile } from "node:child_process";
import { variables } from "../src/config.ts";
import { call } from "./helper/http.ts";
import { repository, Service, startService } from "./helper/service.ts";

const program = join(repository, "bin", "jobrunner");

test("the service reports its address and its state directory", async (t) => {
  const service = await startService(t);
  assert.match(service.log, /^jobrunner \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+( and http:\/\/\[::1\]:\d+)?\nits state is in /);
  assert.ok(service.log.includes(service.stateDir));
  if (service.log.includes("[::1]")) assert.equal((await call(`http://[::1]:${service.port}`, "GET", "/healthz")).status, 200);
});

test("all invalid variables are reported at once, in sentences, and the exit status is not 0", async () => {
  const { code, stderr } = await run([], {
    JOBRUNNER_PORT: "eighty",
    JOBRUNNER_MAX_RUNNING: "0",
    JOBRUNNER_PROT: "1",
    JOBRUNNER_HOSTNAME: "0.0.0.0",
  });
  assert.equal(code, 2);
  for (const name of ["JOBRUNNER_PORT", "JOBRUNNER_MAX_RUNNING", "JOBRUNNER_PROT", "JOBRUNNER_HOSTNAME"])
    assert.match(stderr, new RegExp(`^jobrunner: ${name} `, "m"));
  assert.equal(stderr.trim().split("\n").length, 4, stderr);
});

test("the service listens beyond loopback only if the configuration permits it explicitly", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const refused = await run([], { JOBRUNNER_HOSTNAME: "0.0.0.0", JOBRUNNER_STATE_DIR: folder });
  assert.match(refused.stderr, /beyond loopback.*JOBRUNNER_INSECURE=true/);
  const service = new Service(folder, { environment: { JOBRUNNER_HOSTNAME: "0.0.0.0", JOBRUNNER_INSECURE: "true" } });
  const child = service.spawn();
  const line = await new Promise<string>((resolve) => child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  assert.match(line, /listens on http:\/\/0\.0\.0\.0:\d+/);
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
});

test("a port in use, and a directory that cannot be created, are each reported in one sentence", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-config-"));
  const other = createServer();
  t.after(() => {
    other.close();
    rmSync(folder, { recursive: true });
  });
  const port = await new Promise<number>((resolve) => {
    other.listen(0, "127.0.0.1", () => {
      const address = other.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const taken = await run([], { JOBRUNNER_PORT: String(port), JOBRUNNER_STATE_DIR: folder });
  assert.deepEqual([taken.code, taken.stderr.trim().split("\n").length], [1, 1], taken.stderr);
  assert.match(taken.stderr, new RegExp(`^jobrunner: http://127\\.0\\.0\\.1:${port} is in use by another program`));
  const impossible = await run([], { JOBRUNNER_PORT: "0", JOBRUNNER_STATE_DIR: "/proc/no/such" });
  assert.deepEqual([impossible.code, impossible.stderr.trim().split("\n").length], [1, 1], impossible.stderr);
  assert.match(impossible.stderr, /\/proc\/no/);
});

test("every invalid variable is named, one by one, and nothing is started", async () => {
  const all = variables({}).map(({ name }) => name);
  const told = new Set<string>();
  for (const value of ["not one!", ""]) {
    const { code, stderr } = await run([], { ...Object.fromEntries(all.map((name) => [name, value])), JOBRUNNER_STATE_DIR: "" });
    assert.equal(code, 2, stderr);
    for (const [, name = ""] of stderr.matchAll(/^jobrunner: (JOBRUNNER_\w+) must /gm)) told.add(name);
  }
  assert.deepEqual(
    all.filter((name) => !told.has(name)),
    [],
  );
});

test("every unusable state directory or socket is reported in one sentence that names the variable", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const stateWith = (name: string, make: (path: string) => void): string => {
    const state = mkdtempSync(join(folder, "state-"));
    make(join(state, name));
    return state;
  };
  const file = join(folder, "file");
  writeFileSync(file, "", { mode: 0o600 });
  symlinkSync("loop", join(folder, "loop"));
  const states = [
    "/proc/nope",
    file,
    join(file, "below"),
    join(folder, "loop"),
    join(folder, "x".repeat(300)),
    stateWith("jobrunner.db", (path) => writeFileSync(path, "no database ".repeat(100))),
    ...["lock", "instance", "jobrunner.pid"].map((name) => stateWith(name, (path) => mkdirSync(path))),
    stateWith("jobs", (path) => writeFileSync(path, "")),
  ];
  const sockets = [join(folder, "none", "socket"), file, "/proc/socket", `/${"x".repeat(120)}`];
  const refusals: [variable: string, environment: Record<string, string>][] = [
    ...states.map((path): [string, Record<string, string>] => ["JOBRUNNER_STATE_DIR", { JOBRUNNER_STATE_DIR: path }]),
    ...sockets.map((path, index): [string, Record<string, string>] => [
      "JOBRUNNER_SOCKET",
      { JOBRUNNER_SOCKET: path, JOBRUNNER_STATE_DIR: join(folder, `socket-${index}`) },
    ]),
    [
      "JOBRUNNER_HOSTNAME",
      { JOBRUNNER_HOSTNAME: "203.0.113.7", JOBRUNNER_INSECURE: "true", JOBRUNNER_STATE_DIR: join(folder, "hostname") },
    ],
  ];
  for (const [variable, environment] of refusals) {
    const { code, stderr } = await run([], {
      JOBRUNNER_PORT: "0",
      JOBRUNNER_CONTAINER_ENGINE: "none",
      JOBRUNNER_LOG_LEVEL: "error",
      ...environment,
    });
    assert.deepEqual([code, stderr.trim().split("\n").length], [1, 1], `${JSON.stringify(environment)}: ${stderr}`);
    assert.match(stderr, new RegExp(`^jobrunner: .*${variable}`), stderr);
  }
});

test("the state directory is for the service's user alone, and other files stay unchanged", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const state = join(folder, "state");
  mkdirSync(state);
  chmodSync(state, 0o755);
  const service = new Service(state);
  await service.start();
  await service.stop();
  assert.equal(statSync(state).mode & 0o777, 0o700);
  chmodSync(folder, 0o755);
  const { code, stderr } = await run([], { JOBRUNNER_PORT: "0", JOBRUNNER_STATE_DIR: folder });
  assert.equal(code, 1);
  assert.match(stderr, /^jobrunner: \S+ is open to others and holds other things/);
  assert.equal(statSync(folder).mode & 0o777, 0o755);
});

test("a log that cannot be written does not stop the service", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const script = join(folder, "run");
  writeFileSync(script, `#!/bin/sh\nexec ${program} 2> /dev/full\n`, { mode: 0o755 });
  const service = await startService(t, { program: script, environment: { JOBRUNNER_CONTAINER_ENGINE: "/no/such/engine" } });
  for (let count = 0; count < 5; count += 1) assert.equal((await service.call("GET", "/healthz")).status, 200);
  assert.equal((await service.run({ CommandLine: "echo on" })).output.toString(), "on\n");
});

test("--help prints every variable, --version the version, anything else is refused", async () => {
  const help = await run(["--help"], {});
  assert.equal(help.code, 0);
  for (const name of ["PORT", "HOSTNAME", "STATE_DIR", "MAX_RUNNING", "SHELL"]) assert.match(help.stdout, new RegExp(`JOBRUNNER_${name}`));
  assert.match((await run(["--version"], {})).stdout, /^jobrunner \d+\.\d+\.\d+\n$/);
  const wrong = await run(["--prot"], {});
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^jobrunner: unknown option '--prot': jobrunner --help shows what there is\n$/);
});

function run(args: string[], environment: Record<string, string>): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment };
    const child = execFile(program, args, { env, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
