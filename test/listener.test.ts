import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Connection } from "./helper/connection.ts";
import { call } from "./helper/http.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { spawnService } from "./helper/spawned.ts";
import { waitFor } from "./helper/wait.ts";

const get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";

test("a unix socket has the same API, is for its owner alone, and is removed when the service ends", async (t) => {
  const socketPath = join(temporaryFolder(t), "api.sock");
  const service = await startService(t, { environment: { JOBRUNNER_SOCKET: socketPath } });
  assert.ok(service.log.includes(` and unix:${socketPath}\n`), service.log);
  assert.equal(await statusOverSocket(socketPath), 200);
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  await service.stop();
  assert.ok(!existsSync(socketPath));
  await service.start();
  assert.equal(await statusOverSocket(socketPath), 200);
});

test("the socket that a killed service left is replaced", async (t) => {
  const socketPath = join(temporaryFolder(t), "api.sock");
  const service = await startService(t, { environment: { JOBRUNNER_SOCKET: socketPath } });
  await service.crash();
  assert.ok(existsSync(socketPath));
  await service.start();
  assert.equal(await statusOverSocket(socketPath), 200);
});

test("with JOBRUNNER_PORT=none the service listens only on the socket", async (t) => {
  const socketPath = join(temporaryFolder(t), "api.sock");
  const { urls } = await spawnService(t, { JOBRUNNER_PORT: "none", JOBRUNNER_SOCKET: socketPath });
  assert.deepEqual(urls, [`unix:${socketPath}`]);
  assert.equal(await statusOverSocket(socketPath), 200);
});

test("a path where no socket can be created is an error that says what to do, and an existing file stays", async (t) => {
  const folder = temporaryFolder(t);
  const [live, file] = [join(folder, "live.sock"), join(folder, "file")];
  writeFileSync(file, "kept");
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(live, resolve));
  t.after(() => other.close());
  const cases: [string, RegExp][] = [
    [live, /live\.sock is in use by another program: stop it, or set JOBRUNNER_SOCKET to another path$/],
    [file, /JOBRUNNER_SOCKET names \S+file, which exists and is not a socket: remove it, or name another path$/],
    [folder, /JOBRUNNER_SOCKET names \S+, which exists and is not a socket/],
    [join(folder, "no", "such.sock"), /JOBRUNNER_SOCKET is in \S+no, which is not a directory: create it first$/],
    [
      join(folder, "x".repeat(100)),
      /JOBRUNNER_SOCKET has \d+ bytes: the path of a unix socket can have at most 107 \(unix\(7\)\): name a shorter one$/,
    ],
  ];
  for (const [socketPath, sentence] of cases) {
    const { exitCode, log } = await spawnService(t, { JOBRUNNER_SOCKET: socketPath });
    assert.equal(exitCode, 1, log());
    const [told = "", ...more] = log()
      .split("\n")
      .filter((line) => line.startsWith("jobrunner: "));
    assert.match(told, sentence);
    assert.deepEqual(more, []);
  }
  assert.equal(readFileSync(file, "utf8"), "kept");
  assert.ok(existsSync(live));
});

test("headers and bodies that do not arrive in time are answered with 408, and the connection is closed", async (t) => {
  const service = await startService(t, {
    environment: { JOBRUNNER_HEADERS_TIMEOUT_SECONDS: "1", JOBRUNNER_REQUEST_TIMEOUT_SECONDS: "2" },
  });
  const slowBody = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
  const answers = await Promise.all(["", "GET / HT", get, slowBody].map((bytes) => exchange(service, bytes)));
  for (const answer of answers) {
    assert.match(
      answer,
      /^HTTP\/1\.1 408 [^]*"request-timeout"[^]*within 1 seconds \(JOBRUNNER_HEADERS_TIMEOUT_SECONDS\)[^]*within 2 \(JOBRUNNER_REQUEST_TIMEOUT_SECONDS\), and a second more for each 16 KiB/,
    );
  }
});

test("a large body has more time while it keeps arriving; if it stops, nothing of it stays", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_REQUEST_TIMEOUT_SECONDS: "1" } });
  const { job } = await service.run({ CommandLine: "true" });
  const [bytes, pieceBytes] = [3_000_000, 1000];
  const upload = (name: string): Connection => {
    const client = new Connection(connect(service.port, "127.0.0.1"));
    client.socket.write(
      `PUT /${job.ID}/files/${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`,
    );
    return client;
  };
  const [steady, stopped] = [upload("steady"), upload("stopped")];
  const startMs = performance.now();
  let sentBytes = 0;
  await waitFor("three times the time has passed", () => {
    steady.socket.write(Buffer.alloc(pieceBytes));
    sentBytes += pieceBytes;
    return performance.now() - startMs > 3_000;
  });
  steady.socket.write(Buffer.alloc(bytes - sentBytes));
  await waitFor("both are answered", () => steady.isClosed && stopped.isClosed);
  assert.match(steady.text, /^HTTP\/1\.1 200 /);
  assert.match(stopped.text, /^HTTP\/1\.1 408 /);
  assert.equal(statSync(join(service.workspaceOf(job.ID), "steady")).size, bytes);
  await waitFor("nothing else is left", () => readdirSync(service.workspaceOf(job.ID)).length === 1);
});

test("headers beyond the configured size are answered with 431, also if the client keeps sending", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_HEADER_BYTES: "4096" } });
  assert.match(await exchange(service, `${get}X: ${"x".repeat(3500)}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 200 /);
  for (const length of [5_000, 2_000_000]) {
    assert.match(
      await exchange(service, `${get}X: ${"x".repeat(length)}\r\n\r\n`),
      /^HTTP\/1\.1 431 [^]*4 KiB \(JOBRUNNER_MAX_HEADER_BYTES\)/,
    );
  }
});

test("a connection above the limit gets 503 with Retry-After, the others continue, and a closed one makes room for another", async (t) => {
  const socketPath = join(temporaryFolder(t), "api.sock");
  const service = await startService(t, { environment: { JOBRUNNER_MAX_CONNECTIONS: "10", JOBRUNNER_SOCKET: socketPath } });
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const held = () => Promise.all(Array.from({ length: 10 }, () => statusOf({ port: service.port, agent })));
  assert.deepEqual(new Set(await held()), new Set([200]));
  const refused = await call(service.url, "POST", "/", { body: "x".repeat(1_000_000) });
  assert.deepEqual([refused.status, refused.headers["retry-after"], refused.headers.connection], [503, "5", "close"]);
  assert.match(refused.text, /"too-many-connections"[^]*JOBRUNNER_MAX_CONNECTIONS/);
  assert.equal(await statusOverSocket(socketPath), 503); // the limit counts both together
  assert.deepEqual(new Set(await held()), new Set([200]));
  agent.destroy();
  await waitFor("there is room again", async () => (await service.call("GET", "/healthz")).status === 200);
});

test("with few file descriptors, further connections are refused and the service survives", async (t) => {
  const program = join(temporaryFolder(t), "few-descriptors");
  writeFileSync(program, `#!/bin/sh\nulimit -n 400\nexec ${join(repository, "bin", "jobrunner")}\n`, { mode: 0o755 });
  const service = await startService(t, { program });
  assert.match(service.log, /"configured":8000,"allowed":125[^\n]*JOBRUNNER_MAX_CONNECTIONS"/);
  for (let round = 0; round < 3; round += 1) {
    const sockets = Array.from({ length: 600 }, () => new Connection(connect(service.port, "127.0.0.1")));
    await waitFor("all but 125 are closed", () => sockets.filter(({ isClosed }) => isClosed).length >= 475);
    assert.ok(sockets.some(({ text }) => text.startsWith("HTTP/1.1 503 ")));
    for (const { socket } of sockets) socket.destroy();
    await waitFor("it answers again", async () => (await statusOf({ port: service.port })) === 200);
  }
  assert.equal((await service.run({ CommandLine: "echo still here" })).output.toString(), "still here\n");
});

test("a connection without a request is closed after the idle time", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_IDLE_TIMEOUT_SECONDS: "1" } });
  assert.match(await exchange(service, `${get}\r\n`), /^HTTP\/1\.1 200 /);
});

test("a request to change the protocol is treated like others: refused from a foreign page, otherwise answered", async (t) => {
  const service = await startService(t);
  const upgrade = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const foreign = await service.call("GET", "/healthz", { headers: { ...upgrade, Origin: "https://elsewhere.example" } });
  assert.deepEqual([foreign.status, /"foreign-origin"/.test(foreign.text)], [403, true]);
  assert.equal((await service.call("GET", "/healthz", { headers: upgrade })).status, 200);
});

/** The service's answer, read until it closes the connection. */
async function exchange({ port }: Service, bytes: string): Promise<string> {
  const client = new Connection(connect(port, "127.0.0.1"));
  client.socket.write(bytes);
  await waitFor("the service closes the connection", () => client.isClosed);
  return client.text;
}

function statusOverSocket(socketPath: string): Promise<number> {
  return statusOf({ socketPath });
}

/** The status of a health check; 0 if the connection broke. */
function statusOf(where: { port?: number; socketPath?: string; agent?: Agent }): Promise<number> {
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", path: "/healthz", agent: false, ...where });
    sent.once("response", (response) => response.resume().once("end", () => resolve(response.statusCode ?? 0)));
    sent.once("error", () => resolve(0));
    sent.end();
  });
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-listener-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
