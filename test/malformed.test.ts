import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect as connectSecurely } from "node:tls";
import { Connection } from "./helper/connection.ts";
import { startSecure } from "./helper/https.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Malformed input on connections that have been used before. */

const host = "\r\nHost: localhost\r\n";
const well = `GET /healthz HTTP/1.1${host}\r\n`;
const malformed: [what: string, bytes: string, status: number][] = [
  ["20 kB of headers", `GET /healthz HTTP/1.1${host}X: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["a megabyte of headers", `GET /healthz HTTP/1.1${host}X: ${"x".repeat(1_000_000)}\r\n\r\n`, 431],
  ["no HTTP", "NONSENSE\r\n\r\n", 400],
  ["a control character in a header", `GET /healthz HTTP/1.1${host}X: a\u0001b\r\n\r\n`, 400],
  ["two lengths", `POST / HTTP/1.1${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`, 400],
  ["a chunk without a length", `POST / HTTP/1.1${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["CONNECT", "CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n", 405],
];

test("malformed input gets the same answer on a kept connection as on a new one, over TCP, TLS and a unix socket", async (t) => {
  const folder = temporaryFolder(t);
  const { port } = await startService(t, { environment: { JOBRUNNER_SOCKET: join(folder, "api.sock") } });
  const { url, authority } = await startSecure(t);
  const secure = { ca: authority.certificate, host: "127.0.0.1", port: Number(new URL(url).port), servername: "localhost" };
  const ways: [string, () => Socket][] = [
    ["TCP", () => connect(port, "127.0.0.1")],
    ["TLS", () => connectSecurely(secure)],
    ["unix", () => connect(join(folder, "api.sock"))],
  ];
  for (const [way, open] of ways) {
    for (const [what, bytes, status] of malformed) {
      const [first, kept, pipelined] = [new Connection(open()), new Connection(open()), new Connection(open())];
      first.socket.write(bytes);
      kept.socket.write(well);
      await waitFor("the first is answered", () => kept.statuses().length === 1);
      kept.socket.write(bytes);
      pipelined.socket.write(`${well}${well}${bytes}`);
      const clients = [first, kept, pipelined];
      await waitFor(`${what} over ${way} is answered and the connection closed`, () => clients.every(({ isClosed }) => isClosed), 20).catch(
        () => undefined,
      );
      assert.deepEqual(
        clients.map((client) => [client.isClosed, client.statuses()]),
        [
          [true, [status]],
          [true, [200, status]],
          [true, [200, 200, status]],
        ],
        `${what} over ${way}`,
      );
      for (const client of clients) assertEndsWithProblem(client.text, status);
    }
  }
});

test("malformed input after a request is answered after the request's answer, which stays complete", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_REQUEST_TIMEOUT_SECONDS: "1" } });
  for (const [what, bytes, status] of [
    ...malformed,
    ["a body that does not come", `POST / HTTP/1.1${host}Content-Length: 10\r\n\r\n{`, 408] as const,
  ]) {
    const id = await service.submit({ CommandLine: "echo first; until [ -e go ]; do sleep 0.05; done; echo last" });
    const client = new Connection(connect(service.port, "127.0.0.1"));
    client.socket.write(`GET /${id}/attach HTTP/1.1${host}\r\n`);
    await waitFor("the first line is there", () => client.text.includes("first\n"));
    client.socket.write(bytes);
    if (status === 408) await waitFor("the body is late", async () => (await lateBody(service.port)) === 408);
    writeFileSync(join(service.workspaceOf(id), "go"), "");
    await waitFor(`${what} is answered`, () => client.isClosed);
    assert.match(client.text, /^HTTP\/1\.1 200 [^]*first\n[^]*last\n[^]*Jobrunner-State: Succeeded\r\n[^]*HTTP\/1\.1 4/i, what);
    assertEndsWithProblem(client.text, status);
  }
});

test("headers that do not arrive on a kept connection are answered with 408", async (t) => {
  const { port } = await startService(t, { environment: { JOBRUNNER_HEADERS_TIMEOUT_SECONDS: "1" } });
  const client = new Connection(connect(port, "127.0.0.1"));
  client.socket.write(`${well}GET /healthz HT`);
  await waitFor("it is closed", () => client.isClosed);
  assert.deepEqual(client.statuses(), [200, 408]);
});

test("a request that was answered before its body became malformed gets no second answer", async (t) => {
  const { port } = await startService(t);
  const client = new Connection(connect(port, "127.0.0.1"));
  client.socket.write(`POST / HTTP/1.1${host}Origin: https://elsewhere.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`);
  await waitFor("it is answered", () => client.statuses().length === 1);
  client.socket.write("zz\r\n");
  await waitFor("it is closed", () => client.isClosed);
  assert.deepEqual(client.statuses(), [403]);
});

/** The status of the answer to a request whose body does not arrive. */
async function lateBody(port: number): Promise<number | undefined> {
  const client = new Connection(connect(port, "127.0.0.1"));
  client.socket.write(`POST / HTTP/1.1${host}Content-Length: 10\r\n\r\n{`);
  await waitFor("it is closed", () => client.isClosed);
  return client.statuses()[0];
}

function assertEndsWithProblem(text: string, status: number): void {
  const [answer = ""] = text.split(/(?=HTTP\/1\.1 \d)/).slice(-1);
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  assert.match(head, /^Content-Type: application\/problem\+json; charset=utf-8\r?$/m);
  assert.match(head, /^Connection: close\r?$/m);
  assert.equal(Number(/^Content-Length: (\d+)/m.exec(head)?.[1]), Buffer.byteLength(body));
  assert.equal(JSON.parse(body).status, status);
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-malformed-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
