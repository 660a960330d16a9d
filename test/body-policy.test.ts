import { strict as assert } from "node:assert";
import { connect } from "node:net";
import { test } from "node:test";
import type { FastifyRequest } from "fastify";
import type { Routes } from "../src/api/context.ts";
import { openApi, serveApi } from "./helper/api.ts";
import { Connection } from "./helper/connection.ts";
import { waitFor } from "./helper/wait.ts";

/** Routes that only take a body, each with another policy. */
const routes: Routes = (app) => {
  const count = async ({ raw }: FastifyRequest): Promise<object> => {
    let bytes = 0;
    for await (const chunk of raw) bytes += Buffer.from(chunk).length;
    return { bytes };
  };
  app.post("/live", { config: { operation: "submit", body: "live" } }, count);
  app.post("/streamed", { config: { operation: "submit", body: "streamed" } }, count);
  app.post("/buffered", { config: { operation: "submit", body: "buffered" } }, async ({ body }) => ({
    bytes: Buffer.from(String(body)).length,
  }));
  app.delete("/none", { config: { operation: "submit" } }, async () => ({}));
};

test("a live body may take longer than the request timeout; every other body must arrive in time", async (t) => {
  const opened = await openApi(t, { JOBRUNNER_REQUEST_TIMEOUT_SECONDS: "1" }, [routes]);
  const { port } = await serveApi(t, opened);
  const begin = (line: string, fields = ""): Connection => {
    const connection = new Connection(connect(port, "127.0.0.1"));
    t.after(() => connection.socket.destroy());
    connection.socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n${fields}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    return connection;
  };
  const live = begin("POST /live");
  const late = [
    begin("POST /streamed"),
    begin("POST /buffered"),
    begin("DELETE /none"),
    begin("GET /nothing"),
    begin("POST /live%zz"),
    begin("POST /live", "Origin: https://elsewhere.example\r\n"),
  ];
  await waitFor("all others are closed", () => late.every(({ isClosed }) => isClosed));
  assert.deepEqual(
    late.map((connection) => connection.statuses()),
    [[408], [408], [408], [404], [400], [403]],
  );
  assert.deepEqual([live.isClosed, live.text], [false, ""]);
  live.socket.write("3\r\ndef\r\n0\r\n\r\n");
  await waitFor("it is answered", () => live.text.endsWith('{"bytes":6}'));
  assert.deepEqual(live.statuses(), [200]);
});

test("a route whose requests have bodies must declare how it takes them", async (t) => {
  const silent: Routes = (app) => void app.post("/silent", { config: { operation: "submit" } }, async () => ({}));
  await assert.rejects(openApi(t, {}, [silent]), /POST \/silent does not say how it takes a body/);
});
