import { strict as assert } from "node:assert";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect as connectSecurely } from "node:tls";
import { callerOf } from "../src/api/access.ts";
import type { Routes } from "../src/api/context.ts";
import { takeConnection } from "../src/api/upgrades.ts";
import type { Identity } from "../src/identity/identity.ts";
import type { Role } from "../src/identity/roles.ts";
import { makeToken } from "../src/identity/tokens.ts";
import { openApi, serveApi } from "./helper/api.ts";
import { makeAuthority, makeCertificate, needsOpenssl } from "./helper/certificates.ts";
import { Connection } from "./helper/connection.ts";
import { startSecure } from "./helper/https.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Requests for another protocol on the same connection, such as WebSocket. */

const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
const unknownId = "00000000-0000-7000-8000-000000000000";

function send(socket: Socket, line: string, fields: string[], body = ""): Connection {
  socket.write([`${line} HTTP/1.1`, "Host: localhost", ...fields, "", body].join("\r\n"));
  return new Connection(socket);
}

/** A service's routes have no other protocol: as servers may, they ignore that one is asked for. */
async function assertAnsweredAsOthers(open: () => Socket): Promise<void> {
  const body = '{"CommandLine":"true"}';
  const connection = send(open(), "GET /healthz", upgrade);
  await waitFor("it is answered", () => connection.text.endsWith("}"));
  // The connection is still one of HTTP.
  send(connection.socket, "POST /", [...upgrade, "Upgrade: h2c", `Content-Length: ${body.length}`], body);
  await waitFor("the next is answered", () => /"ID":"[^"]+"\}$/.test(connection.text));
  send(connection.socket, `GET /${unknownId}/attach`, upgrade);
  await waitFor("a job that does not exist", () => connection.text.includes('"unknown-job"'));
  send(connection.socket, "GET /healthz", [...upgrade, "Origin: https://elsewhere.example"]);
  await waitFor("a page of another site", () => connection.text.includes('"foreign-origin"'));
  assert.deepEqual(connection.statuses(), [200, 200, 404, 403]);
  assert.equal(connection.isClosed, false);
  connection.socket.destroy();
}

test("a request for another protocol is answered like any other: over TCP and on a unix socket", async (t) => {
  const authority = makeAuthority(t);
  const socketPath = join(authority.folder, "api.sock");
  const service = await startService(t, { environment: { JOBRUNNER_SOCKET: socketPath } });
  await assertAnsweredAsOthers(() => connect(service.port, "127.0.0.1"));
  await assertAnsweredAsOthers(() => connect(socketPath));
});

test("the same holds over TLS", needsOpenssl, async (t) => {
  const { url, authority } = await startSecure(t);
  const port = Number(new URL(url).port);
  await assertAnsweredAsOthers(() => connectSecurely({ ca: authority.certificate, host: "127.0.0.1", port, servername: "localhost" }));
});

/** A route that changes the protocol and echoes what it receives. Its path has a job's ID, so its caller must have access to the job. */
const echo: Routes = (app, { operations }) => {
  app.get("/:id/echo", { config: { operation: "files", upgrade: "echo" } }, async (request, reply) => {
    operations.files(callerOf(request), String(Object(request.params).id));
    const connection = takeConnection(request, reply);
    if (connection === null) return { isUpgrade: false };
    connection.socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    connection.socket.write(connection.head);
    connection.socket.pipe(connection.socket);
  });
};

for (const kind of ["TCP", "a unix socket", "TLS"] as const) {
  test(
    `a route may change the protocol, and only for clients that it would answer: over ${kind}`,
    kind === "TLS" ? needsOpenssl : {},
    async (t) => {
      const { open, tokens, jobId } = await startEcho(t, kind);
      const path = `GET /${jobId}/echo`;
      const [owner, reader, other] = [bearer(tokens.owner), bearer(tokens.reader), bearer(tokens.other)];
      const protocol = ["Connection: Upgrade", "Upgrade: echo"];

      const accepted = send(open(), path, [...protocol, owner], "with the headers, ");
      await waitFor("the protocol is another", () => accepted.text.includes("with the headers"));
      accepted.socket.write("and later");
      await waitFor("both directions work", () => accepted.text.endsWith("with the headers, and later"));
      assert.deepEqual([accepted.statuses(), accepted.isClosed], [[101], false]);
      accepted.socket.end();
      await waitFor("the end is sent back", () => accepted.isClosed);

      const refusals: [string, string[], number, string][] = [
        [path, [owner, "Origin: https://elsewhere.example"], 403, "foreign-origin"],
        [path, [owner, "Host: elsewhere.example"], 400, "bad-request"],
        [path, ["Authorization: Bearer nonsense"], 401, "not-identified"],
        [path, [reader], 403, "role-too-small"],
        [path, [other], 404, "unknown-job"],
        [`GET /${unknownId}/echo`, [owner], 404, "unknown-job"],
      ];
      for (const [line, fields, status, code] of refusals) {
        const refused = send(open(), line, [...protocol, ...fields]);
        await waitFor(`${code}, and the end`, () => refused.isClosed);
        assert.deepEqual(refused.statuses(), [status], refused.text);
        assert.match(refused.text, new RegExp(`application/problem\\+json[^]*"code":"${code}"`));
      }

      const ordinary = [
        send(open(), path, [owner]),
        send(open(), path, [owner, "Connection: Upgrade", "Upgrade: websocket"]),
        send(open(), path, [owner, ...protocol, "Content-Length: 3"], "abc"),
        send(open(), path, [owner, "", path + " HTTP/1.1", "Host: localhost", owner, ...protocol]), // pipelined after another request
      ];
      await waitFor("all are answered", () => ordinary.every(({ text }) => text.endsWith('{"isUpgrade":false}')));
      await waitFor("both of the pipeline", () => ordinary[3]?.statuses().length === 2);
      for (const { socket } of ordinary) socket.destroy();
    },
  );
}

type Echo = { open: () => Socket; jobId: string; tokens: Record<"owner" | "other" | "reader", string> };

async function startEcho(t: TestContext, kind: "TCP" | "a unix socket" | "TLS"): Promise<Echo> {
  const opened = await openApi(t, {}, [echo]);
  const { context, state } = opened;
  const token = (name: string, role: Role): { text: string; identity: Identity } => {
    const { text, stored } = makeToken({ name, role, expiresAtMs: null });
    state.store.tokens.insert(stored);
    return { text, identity: { kind: "token", name, role, owner: `token:${stored.id}`, untilMs: Infinity } };
  };
  const owner = token("owner", "submit");
  const tokens = { owner: owner.text, other: token("other", "submit").text, reader: token("reader", "read").text };
  const jobId = await context.operations.submit({ identity: owner.identity, from: "test" }, { CommandLine: "true" }, null);
  const authority = makeAuthority(t);
  if (kind === "a unix socket") {
    const socketPath = join(authority.folder, "api.sock");
    await serveApi(t, opened, { socketPath });
    return { open: () => connect(socketPath), jobId, tokens };
  }
  if (kind === "TCP") {
    const { port } = await serveApi(t, opened);
    return { open: () => connect(port, "127.0.0.1"), jobId, tokens };
  }
  const { certificatePath, keyPath } = makeCertificate({ commonName: "localhost", authority });
  const { port } = await serveApi(t, opened, { tls: { certificate: certificatePath, key: keyPath, clientCa: null } });
  const options = { ca: authority.certificate, host: "127.0.0.1", port, servername: "localhost" };
  return { open: () => connectSecurely(options), jobId, tokens };
}

function bearer(token: string): string {
  return `Authorization: Bearer ${token}`;
}
