import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { distribution } from "../src/doctor/distribution.ts";
import { doctor } from "../src/doctor/doctor.ts";
import { readConfig } from "../src/config.ts";
import { makeAuthority, makeCertificate, needsOpenssl } from "./helper/certificates.ts";
import { repository, startService } from "./helper/service.ts";
import { spawnService } from "./helper/spawned.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";
import { become, cannotBe, findUser, folderOf } from "./helper/users.ts";

const program = join(repository, "bin", "jobrunner");
const checks = [
  "configuration",
  "node",
  "supervisor",
  "shell",
  "job",
  "cgroups",
  "containers",
  "users",
  "ports",
  "tls",
  "trust",
  "state",
  "disk",
  "database",
  "files",
  "processes",
  "inotify",
  "clock",
];

type Finding = { Check: string; Level: "ok" | "note" | "problem"; Found: string; Remedy: string | null };
type Diagnosis = { code: number | null; stdout: string; stderr: string; findings: Finding[]; of: (check: string) => string };

test("on a machine where jobs run, every check finds something, the exit status is 0, and no file is created", async (t) => {
  const stateDir = join(temporary(t), "state");
  const { code, stdout, stderr, findings, of } = await diagnose({ JOBRUNNER_STATE_DIR: stateDir });
  assert.deepEqual([code, stderr], [0, ""], stdout);
  assert.deepEqual([...new Set(findings.map(({ Check }) => Check))], checks);
  for (const { Level, Found, Remedy } of findings) {
    assert.match(Level, /^(ok|note)$/);
    assert.ok(Found.length > 0);
    assert.equal(Remedy === null, Level === "ok");
  }
  assert.match(of("job"), /^ok: a test job succeeded/);
  assert.match(of("shell"), /^ok: \/\S*bash, GNU bash, version \d/);
  assert.match(of("node"), /v24\./);
  assert.match(of("state"), /is created at the first start/);
  assert.ok(!existsSync(stateDir));
});

test("for people the report is a table that says what to do, without colours if it is not on a terminal", async (t) => {
  const { code, stdout } = await run(program, ["doctor"], { ...environment(t), JOBRUNNER_SHELL: "/no/such/shell" });
  assert.equal(code, 1);
  assert.match(stdout, /^jobrunner \d+\.\d+\.\d+ on /);
  assert.match(stdout, /^problem {2}shell +\/no\/such\/shell is not installed.*\n +do: set JOBRUNNER_SHELL/m);
  assert.match(stdout, /^problem {2}job +a test job did not succeed: /m);
  assert.match(stdout, /^ok {7}disk +[\d,]+ MiB free$/m);
  assert.ok(!stdout.includes("\u001b"));
});

test("on a terminal the table is in colours, unless NO_COLOR is set", needsScript, async (t) => {
  const words = onTerminal(`${program} doctor`);
  assert.ok((await run("env", words, { ...environment(t), TERM: "xterm" })).stdout.includes("\u001b[32mok"));
  assert.ok(!(await run("env", words, { ...environment(t), TERM: "xterm", NO_COLOR: "1" })).stdout.includes("\u001b"));
});

test("mistakes in the configuration are findings, and all other checks still run", async () => {
  const { code, stderr, findings, of } = await diagnose({ JOBRUNNER_PORT: "eighty", JOBRUNNER_PROT: "1", JOBRUNNER_TLS_KEY: "/no/key" });
  assert.deepEqual([code, stderr], [1, ""]);
  const mistakes = findings.filter(({ Check }) => Check === "configuration");
  assert.deepEqual(mistakes.map(({ Found }) => Found.replace(/ .*/s, "")).toSorted(), [
    "JOBRUNNER_PORT",
    "JOBRUNNER_PROT",
    "JOBRUNNER_TLS_CERT",
  ]);
  assert.match(of("shell"), /^ok/);
});

test("a port in use by another program is a problem, whatever the program answers", async (t) => {
  const port = await listenOn(
    t,
    createServer((socket) => socket.end()),
  );
  assert.match(
    (await diagnose({ JOBRUNNER_PORT: String(port) })).of("ports"),
    new RegExp(`^problem: http://127\\.0\\.0\\.1:${port} is in use by another program: stop it`),
  );
  const healthy = await listenOn(
    t,
    createHttpServer((_request, response) => response.end('{"status":"ok"}')),
  );
  assert.match((await diagnose({ JOBRUNNER_PORT: String(healthy) })).of("ports"), /^problem: \S+ is in use by another program/);
});

test("for a port in use by jobrunner, the doctor reports its version and whether it uses this state directory", async (t) => {
  const service = await startService(t);
  const version = (await run(program, ["--version"], {})).stdout.trim();
  const port = String(service.port);
  const same = await diagnose({ JOBRUNNER_PORT: port, JOBRUNNER_STATE_DIR: service.stateDir });
  assert.match(same.of("ports"), new RegExp(`^ok: http://127\\.0\\.0\\.1:${port} is served by ${version}, process ${service.pid}`));
  assert.match(same.of("state"), new RegExp(`in use by the service, process ${service.pid}`));
  assert.match(same.of("database"), /^ok: it can be opened and holds 0 jobs/);
  assert.equal(same.code, 0);
  const other = await diagnose({ JOBRUNNER_PORT: port });
  assert.match(other.of("ports"), new RegExp(`^note: \\S+ is in use by ${version}, which has another state directory: use that service`));
  assert.equal((await service.run({ CommandLine: "true" })).job.State, "Succeeded");
});

test("the doctor detects a jobrunner that does not identify us, and the owner of a unix socket", async (t) => {
  const folder = temporary(t);
  const socketPath = join(folder, "socket");
  const {
    urls: [url = ""],
  } = await spawnService(t, { JOBRUNNER_LOCAL_TRUST: "false", JOBRUNNER_SOCKET: socketPath });
  assert.match(
    (await diagnose({ JOBRUNNER_PORT: new URL(url).port })).of("ports"),
    /^note: \S+ is in use by a jobrunner that does not know this user/,
  );
  assert.match((await diagnose({ JOBRUNNER_SOCKET: socketPath })).of("socket"), /^problem: \S+ is in use by another program/);
  assert.match((await diagnose({ JOBRUNNER_SOCKET: join(folder, "free") })).of("socket"), /^ok: \S+ is free/);
  assert.match(
    (await diagnose({ JOBRUNNER_SOCKET: join(folder, "none", "socket") })).of("socket"),
    /^problem: JOBRUNNER_SOCKET is in \S+, which is not a directory: create the directory first/,
  );
  assert.match(
    (await diagnose({ JOBRUNNER_SOCKET: join(folder, "long".repeat(30)) })).of("socket"),
    /^problem: JOBRUNNER_SOCKET is longer than /,
  );
});

const nobody = findUser("nobody");

test("a state directory of another user, or one that cannot be created, is a problem", { skip: cannotBe(nobody, "nobody") }, async (t) => {
  if (nobody === null) return;
  const folder = folderOf(t, nobody);
  const foreign = join(folder, "foreign");
  mkdirSync(foreign, { mode: 0o755 });
  const as = (stateDir: string): Promise<Diagnosis> =>
    diagnose({ HOME: folder, JOBRUNNER_STATE_DIR: stateDir, JOBRUNNER_ALLOWED_USERS: "daemon" }, ["setpriv", ...become(nobody)]);
  const ofRoot = await as(foreign);
  assert.match(ofRoot.of("state"), /^problem: \S+ belongs to another user \(uid 0\): be that user/);
  assert.match(
    ofRoot.of("users"),
    /^ok: the service and its jobs run as nobody .*problem: JOBRUNNER_ALLOWED_USERS is set, but only a service that runs as root/s,
  );
  assert.equal(ofRoot.code, 1);
  assert.match((await as(join(foreign, "state"))).of("state"), /^problem: \S+ does not exist, and nobody may not create it in /);
});

test("an unsuitable state directory, and a file that is not a database, are problems", async (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, "jobrunner.db"), "no database");
  assert.match(
    (await diagnose({ JOBRUNNER_STATE_DIR: folder })).of("database"),
    /^problem: \S+jobrunner\.db cannot be read: file is not a database/,
  );
  const other = join(folder, "other");
  mkdirSync(join(other, "things"), { recursive: true });
  chmodSync(other, 0o755);
  assert.match((await diagnose({ JOBRUNNER_STATE_DIR: other })).of("state"), /^problem: \S+ is open to other users and holds more than/);
  assert.match(
    (await diagnose({ JOBRUNNER_STATE_DIR: join(folder, "jobrunner.db", "state") })).of("state"),
    /^problem: \S+ cannot be created: \S+ is not a directory/,
  );
  const full = await diagnose({ JOBRUNNER_MIN_FREE_BYTES: "9000000000000000" });
  assert.match(full.of("disk"), /^problem: [\d,]+ MiB free, less than JOBRUNNER_MIN_FREE_BYTES/);
});

test("without a container engine the doctor says how to install one, and with a silent one how to start it", async (t) => {
  const folder = temporary(t);
  for (const name of ["readlink", "uname", "mkfifo"]) symlinkSync(`/usr/bin/${name}`, join(folder, name)); // the programs that are needed
  const none = await diagnose({ PATH: folder, JOBRUNNER_CONTAINER_ENGINE: "auto" });
  assert.match(none.of("containers"), /^note: no container engine is on this box: .*; or set JOBRUNNER_CONTAINER_ENGINE=none/);
  assert.equal(none.code, 0);
  const named = await diagnose({ JOBRUNNER_CONTAINER_ENGINE: "/no/such/engine" });
  assert.match(named.of("containers"), /^problem: JOBRUNNER_CONTAINER_ENGINE is \/no\/such\/engine, which is not on this box/);
  assert.equal(named.code, 1);
  const docker = join(folder, "docker");
  writeFileSync(
    docker,
    '#!/bin/sh\n[ "$1" = --version ] && echo Docker version 1 && exit\necho permission denied while trying to connect >&2\nexit 1\n',
    { mode: 0o755 },
  );
  const silent = await diagnose({ JOBRUNNER_CONTAINER_ENGINE: docker });
  assert.match(
    silent.of("containers"),
    /^problem: \S+docker is installed, but its engine does not answer: permission denied.*usermod --append --groups docker/,
  );
});

test("packages have the names of each distribution", () => {
  assert.deepEqual(distribution('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n'), {
    title: "Debian GNU/Linux 12",
    install: "apt-get install",
    engine: "docker.io",
  });
  assert.equal(distribution('ID="rocky"\nID_LIKE="rhel centos fedora"\n').install, "dnf install");
  assert.equal(distribution('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n').install, "zypper install");
  assert.equal(distribution("ID=alpine\n").install, "apk add");
  assert.equal(distribution("").install, "install");
});

test("certificates are checked as clients check them", needsOpenssl, async (t) => {
  const authority = makeAuthority(t);
  const [own, other] = ["localhost", "other"].map((commonName) => makeCertificate({ commonName, authority }));
  const tls = { JOBRUNNER_TLS_CERT: own?.certificatePath ?? "", JOBRUNNER_TLS_KEY: own?.keyPath ?? "" };
  const good = (await diagnose(tls)).of("tls");
  assert.match(
    good,
    /^note: JOBRUNNER_TLS_CERT: \S+ \(DNS:localhost, IP Address:127\.0\.0\.1, .*\) expires soon, at 20.*\nok: JOBRUNNER_TLS_KEY: /,
  );
  const wrong = await diagnose({ ...tls, JOBRUNNER_TLS_KEY: other?.keyPath ?? "" });
  assert.match(wrong.of("tls"), /problem: JOBRUNNER_TLS_KEY: \S+ is not the key of the first certificate in /);
  const missing = await diagnose({ ...tls, JOBRUNNER_TLS_CERT: "/no/certificate" });
  assert.match(missing.of("tls"), /^problem: JOBRUNNER_TLS_CERT names \/no\/certificate, which cannot be used: ENOENT/);
  const insecure = await diagnose({ JOBRUNNER_HOSTNAME: "0.0.0.0", JOBRUNNER_INSECURE: "true" });
  assert.match(insecure.of("tls"), /^note: off, and 0\.0\.0\.0 is beyond loopback: others can read tokens and output on the network/);
});

test("a missing, broken or outdated supervisor is a problem, and so is an invalid shell", async (t) => {
  const { config: settings } = readConfig({
    JOBRUNNER_PORT: "0",
    JOBRUNNER_SHELL: "/bin/true",
    JOBRUNNER_CONTAINER_ENGINE: "none",
    JOBRUNNER_STATE_DIR: temporary(t),
  });
  const look = async (supervisor: { path: string } | { problem: string }): Promise<string> => {
    const { findings } = await doctor({ version: "0.1.0", settings, mistakes: [], supervisor });
    return findings
      .filter(({ level }) => level === "problem")
      .map(({ check, found }) => `${check}: ${found}\n`)
      .join("");
  };
  assert.match(
    await look({ problem: "the supervisor is not built" }),
    /^supervisor: the supervisor is not built\nshell: \/bin\/true does not run a command line/,
  );
  assert.match(await look({ path: "/bin/false" }), /^supervisor: \/bin\/false does not run: exit code 1\n/);
  const old = join(settings.stateDir, "old");
  writeFileSync(old, "#!/bin/sh\necho jobrunner-supervisor 0.0.9\n", { mode: 0o755 });
  assert.match(await look({ path: old }), /^supervisor: \S+old is jobrunner-supervisor 0\.0\.9, but the service is 0\.1\.0\n/);
});

test("limits that are too low for the configuration are reported with what to raise", async () => {
  const { of } = await diagnose({ JOBRUNNER_MAX_RUNNING: "1000000" }, ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh"]);
  assert.match(of("files"), /^note: up to 1024 can be open \(ulimit -n\): enough for 437 connections, not for \S+=8000: .*LimitNOFILE=/);
  assert.match(of("processes"), /^note: up to \d+ can run: enough for \d+ jobs at once, not for JOBRUNNER_MAX_RUNNING=1000000/);
});

test("the doctor shows no secret and changes no state", async (t) => {
  const service = await startService(t);
  const token = readFileSync(join(service.stateDir, "token"), "utf8").trim();
  await service.stop();
  const before = readdirSync(service.stateDir);
  const secrets = { http_proxy: "http://user:hunter22@proxy", DOCKER_AUTH_CONFIG: "hunter22", JOBRUNNER_TOKEN: "jr_hunter22" };
  const { stdout } = await diagnose({ ...secrets, JOBRUNNER_STATE_DIR: service.stateDir });
  for (const secret of ["hunter22", token.slice(-20)]) assert.ok(!stdout.includes(secret));
  assert.deepEqual(readdirSync(service.stateDir), before);
});

async function diagnose(given: Record<string, string>, before: string[] = []): Promise<Diagnosis> {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-doctor-test-"));
  try {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
      JOBRUNNER_PORT: "0",
      JOBRUNNER_CONTAINER_ENGINE: "none",
      JOBRUNNER_STATE_DIR: join(folder, "state"),
      ...given,
    };
    const ended = await run("/usr/bin/env", [...before, program, "doctor", "--json"], env);
    const { Findings: findings = [] }: { Findings?: Finding[] } = ended.stdout === "" ? {} : JSON.parse(ended.stdout);
    const of = (check: string): string =>
      findings
        .filter(({ Check }) => Check === check)
        .map(({ Level, Found, Remedy }) => `${Level}: ${Found}${Remedy === null ? "" : `: ${Remedy}`}`)
        .join("\n");
    return { ...ended, findings, of };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function environment(t: TestContext): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    JOBRUNNER_PORT: "0",
    JOBRUNNER_CONTAINER_ENGINE: "none",
    JOBRUNNER_STATE_DIR: join(temporary(t), "state"),
  };
}

function run(file: string, args: string[], env: Record<string, string>): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

function listenOn(t: TestContext, server: Server): Promise<number> {
  t.after(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-doctor-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
