import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { sendChunks, type SendResult } from "../src/output/send.ts";
import { openFilesOf } from "./helper/processes.ts";
import { waitFor } from "./helper/wait.ts";
import { WrittenJob } from "./helper/written-job.ts";

const mebi = 2 ** 20;

test("a reader that takes nothing is dropped after the time, while others get everything", async (t) => {
  const job = new WrittenJob(t).start().write({ data: Buffer.alloc(32 * mebi, "x") });
  const server = await serve(t, job, 400);
  server.stalledClient();
  const startMs = performance.now();
  const bytes = readAll(server);
  await waitFor("the drop", () => server.results.length === 1);
  assert.deepEqual(server.results, ["stalled"]);
  assert.ok(performance.now() - startMs >= 400);
  job.write({ data: "end" }).end();
  assert.equal(await bytes, 32 * mebi + 3);
});

test("two hundred stalled readers cost little memory, and the job's other readers get everything", async (t) => {
  const job = new WrittenJob(t).start().write({ data: Buffer.alloc(64 * mebi, "x") }).end();
  const server = await serve(t, job, 60_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let client = 0; client < 200; client++) server.stalledClient();
  await waitFor("all are stalled", () => server.responses.filter(({ writableLength }) => writableLength > 0).length === 200, 60);
  const used = process.memoryUsage().arrayBuffers - before;
  assert.ok(used < 64 * mebi, `${used / mebi} MiB`);
  assert.equal(await readAll(server), 64 * mebi);
  server.disconnectAll();
  await waitFor("all are let go", () => server.results.length === 201);
  assert.equal(job.watchers.files.size, 0);
  assert.deepEqual(openFilesOf(process.pid).filter((file) => file.startsWith(job.directory)), []);
});

test("a reader that is slow but goes on is not dropped", async (t) => {
  const job = new WrittenJob(t).start().write({ data: Buffer.alloc(24 * mebi, "x") }).end();
  const server = await serve(t, job, 1500);
  const command = ["-sS", "--limit-rate", "6M", "-o", "/dev/null", "-w", "%{size_download}", `http://127.0.0.1:${server.port}`];
  const curl = spawn("curl", command, { stdio: ["ignore", "pipe", "inherit"] });
  assert.equal(String(Buffer.concat(await Array.fromAsync(curl.stdout))), String(24 * mebi));
  assert.deepEqual(server.results, ["complete"]);
});

test("the reader of a quiet job is not dropped", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "quiet" });
  const server = await serve(t, job, 100);
  const startMs = performance.now();
  const bytes = readAll(server);
  await waitFor("much more than the time", () => performance.now() - startMs > 500);
  job.write({ data: "!" }).end();
  assert.equal(await bytes, 6);
});

test("a reader that hangs up is let go, whether it waited or was being sent to", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "x" });
  const server = await serve(t, job, 60_000);
  const client = server.stalledClient();
  await waitFor("it waits", () => job.watchers.files.size === 1);
  client.destroy();
  await waitFor("it is let go", () => server.results.length === 1);
  job.write({ data: Buffer.alloc(32 * mebi) });
  const other = server.stalledClient();
  await waitFor("it is stalled", () => server.responses[1] !== undefined && server.responses[1].writableLength > 0);
  other.destroy();
  await waitFor("it is let go", () => server.results.length === 2);
  assert.deepEqual(server.results, ["gone", "gone"]);
  assert.equal(job.watchers.files.size, 0);
});

test("what cannot be read breaks the connection: the client must not take a part for the whole", async (t) => {
  const server = createServer((_, response) => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from("part");
      throw new Error("disk");
    };
    sendChunks(response, failing, { stallTimeoutMs: 1000 }).catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  await assert.rejects(async () => (await fetch(`http://127.0.0.1:${portOf(server.address())}`)).text());
});

type TestServer = {
  port: number;
  results: SendResult[];
  responses: ServerResponse[];
  stalledClient: () => Socket;
  disconnectAll: () => void;
};

async function serve(t: TestContext, job: WrittenJob, stallTimeoutMs: number): Promise<TestServer> {
  const results: SendResult[] = [];
  const responses: ServerResponse[] = [];
  const clients: Socket[] = [];
  const answer = async (_: IncomingMessage, response: ServerResponse): Promise<void> => {
    responses.push(response);
    const result = await sendChunks(response, (signal) => job.attach({}, signal), { stallTimeoutMs });
    if (result === "complete") response.end();
    results.push(result);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 2000, resolve));
  const port = portOf(server.address());
  const disconnectAll = (): void => clients.forEach((client) => client.destroy());
  t.after(() => {
    disconnectAll();
    server.close();
  });
  const stalledClient = (): Socket => {
    const client = connect(port, "127.0.0.1").pause();
    client.on("error", () => undefined).write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    clients.push(client);
    return client;
  };
  return { port, results, responses, stalledClient, disconnectAll };
}

async function readAll({ port }: TestServer): Promise<number> {
  let bytes = 0;
  const response = await fetch(`http://127.0.0.1:${port}`);
  for await (const chunk of response.body ?? []) bytes += chunk.length;
  return bytes;
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}
