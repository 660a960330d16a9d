import { strict as assert } from "node:assert";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { execFile } from "node:child_process";
import { call } from "./helper/http.ts";
import { repository, Service, startService } from "./helper/service.ts";

const program = join(repository, "bin", "jobrunner");

test("it says where it listens and where its state is", async (t) => {
  const service = await startService(t);
  assert.match(service.log, /^jobrunner \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+( and http:\/\/\[::1\]:\d+)?\nits state is in /);
  assert.ok(service.log.includes(service.stateDir));
  if (service.log.includes("[::1]")) assert.equal((await call(`http://[::1]:${service.port}`, "GET", "/healthz")).status, 200);
});

test("all wrong variables are told at once, in words, and the exit status is not 0", async () => {
  const { code, stderr } = await run([], { JOBRUNNER_PORT: "eighty", JOBRUNNER_MAX_RUNNING: "0", JOBRUNNER_PROT: "1", JOBRUNNER_HOSTNAME: "0.0.0.0" });
  assert.equal(code, 2);
  for (const name of ["JOBRUNNER_PORT", "JOBRUNNER_MAX_RUNNING", "JOBRUNNER_PROT", "JOBRUNNER_HOSTNAME"]) assert.match(stderr, new RegExp(`^jobrunner: ${name} `, "m"));
  assert.equal(stderr.trim().split("\n").length, 4, stderr);
});

test("beyond loopback it starts only when told that this is meant", async (t) => {
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

test("a port that is taken, and a directory that cannot be made, are told in one sentence", async (t) => {
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

test("the state directory is for the service's user alone, and other things are left as they are", async (t) => {
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

test("a log that cannot be written does not end the service", async (t) => {
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
  assert.match(wrong.stderr, /^jobrunner: unknown option '--prot': jobrunner --help says what there is\n$/);
});

function run(args: string[], environment: Record<string, string>): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment };
    const child = execFile(program, args, { env, timeout: 20_000 }, (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }));
  });
}
