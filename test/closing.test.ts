import { strict as assert } from "node:assert";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectSecurely } from "node:tls";
import { expectBody } from "../src/api/arrival.ts";
import { readRest } from "../src/api/closing.ts";
import { startSecure } from "./helper/https.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Clients that read the answer only after they have sent the whole body, although the answer arrives earlier. */

const bodyBytes = 20_000_000; // more than the buffers of both sides together
const close = "\r\nConnection: close";
const foreign = "\r\nOrigin: https://elsewhere.example"; // refused before the body is looked at

test("a client that sends an unwanted body completely receives the refusal, and its connection is kept or closed", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_FILE_BYTES: "100000" } });
  const { job } = await service.run({ CommandLine: "true" });
  const answerTo = (line: string, fields: string, next = "", length = bodyBytes): Promise<string> =>
    sendAll(connect(service.port, "127.0.0.1"), `${line}\r\nHost: localhost${fields}`, next, length);
  const [readInPart, notRead] = [`PUT /${job.ID}/files/file`, `PUT /${job.ID}/files/../file`];
  for (const [line, status] of [
    [readInPart, 413],
    [notRead, 403],
    ["POST /", 413],
    ["POST /nothing", 413],
  ] as const) {
    assert.match(await answerTo(`${line} HTTP/1.1`, close), new RegExp(`^HTTP/1.1 ${status} `), line);
    assert.match(await answerTo(`${line} HTTP/1.0`, ""), new RegExp(`^HTTP/1.1 ${status} `), line);
  }
  for (const line of [readInPart, notRead]) {
    const next = `GET /healthz HTTP/1.1\r\nHost: localhost${close}\r\n\r\n`;
    for (const length of [101_000, 150_000, bodyBytes])
      assert.match(await answerTo(`${line} HTTP/1.1`, "", next, length), /^HTTP\/1.1 4[^]*HTTP\/1.1 200 /, `${line} ${length}`);
  }
  assert.match(await answerTo("POST / HTTP/1.1", `${close}${foreign}`), /^HTTP\/1.1 403 /);
});

test("the same holds over TLS and on a unix socket", async (t) => {
  const { url, authority } = await startSecure(t);
  const secure = connectSecurely({
    ca: authority.certificate,
    host: "127.0.0.1",
    port: Number(new URL(url).port),
    servername: "localhost",
  });
  assert.match(await sendAll(secure, `POST / HTTP/1.1\r\nHost: localhost${close}${foreign}`), /^HTTP\/1.1 403 /);
  const socketPath = join(authority.folder, "api.sock");
  await startService(t, { environment: { JOBRUNNER_SOCKET: socketPath } });
  assert.match(await sendAll(connect(socketPath), `POST / HTTP/1.1\r\nHost: localhost${close}${foreign}`), /^HTTP\/1.1 403 /);
});

test("an interrupted upload leaves nothing in the workspace and is not an error of the service", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "true" });
  const socket = connect(service.port, "127.0.0.1");
  socket.write(`PUT /${job.ID}/files/file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc`);
  const drafts = (): string[] => readdirSync(join(service.stateDir, "jobs", job.ID)).filter((name) => name.startsWith("draft-"));
  await waitFor("the file is being written", () => drafts().length === 1);
  socket.destroy();
  await waitFor("nothing is left", () => drafts().length === 0);
  assert.deepEqual(readdirSync(service.workspaceOf(job.ID)), []);
  assert.ok(!service.log.includes("a request failed"), service.log);
});

test("the service keeps nothing of clients that leave after their answer, also of hundreds of pipelined requests", async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): unknown => warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const server = createServer((request, response) => {
    readRest(request, response);
    expectBody(request, 1000, () => assert.fail("nobody is late"));
    setImmediate(() => response.end("no")); // so that a whole pipeline waits at the same time
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = timers();
  for (const [head, count] of [
    [`POST / HTTP/1.1\r\nHost: localhost${close}`, 1],
    ["POST / HTTP/1.1\r\nHost: localhost", 1],
    ["POST / HTTP/1.1\r\nHost: localhost", 300],
  ] as const) {
    const socket = connect({ port: address.port, host: "127.0.0.1", allowHalfOpen: true }); // the test decides when it closes
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.write(`${head}\r\nContent-Length: 3\r\n\r\nabc`.repeat(count - 1));
    socket.write(`${head}\r\nContent-Length: 1000\r\n\r\nabc`);
    await waitFor("all are answered", () => text.split("HTTP/1.1 200 OK").length === count + 1);
    assert.ok(timers() > before, "there is a time for the rest");
    socket.destroy();
    await waitFor("no timer is left", () => timers() <= before);
  }
  assert.deepEqual(warnings, []);
});

/** Sends the request, then reads until the service closes the connection. A `next` request is sent on the same one. */
async function sendAll(socket: Socket, head: string, next = "", length = bodyBytes): Promise<string> {
  let text = "";
  let isClosed = false;
  socket.once("close", () => (isClosed = true));
  socket.on("error", () => undefined); // only the answer matters
  socket.write(`${head}\r\nContent-Length: ${length}\r\n\r\n`);
  await new Promise((resolve) => socket.write(Buffer.alloc(length), resolve));
  if (next !== "") socket.write(next);
  socket.on("data", (chunk) => (text += chunk.toString()));
  await waitFor("the service closes the connection", () => isClosed);
  return text;
}
