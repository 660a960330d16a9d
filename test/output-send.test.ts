import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { sendChunks, type SendResult } from "../src/api/streaming/send.ts";
import { KernelSockets } from "../src/sockets/kernel-sockets.ts";
import { repository } from "./helper/service.ts";
import { openFilesOf } from "./helper/processes.ts";
import { waitFor } from "./helper/wait.ts";
import { WrittenJob } from "./helper/written-job.ts";

const mebi = 2 ** 20;

test("a stalled reader is disconnected after the timeout, while others get everything", async (t) => {
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
  const job = new WrittenJob(t)
    .start()
    .write({ data: Buffer.alloc(64 * mebi, "x") })
    .end();
  const server = await serve(t, job, 60_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let client = 0; client < 200; client++) server.stalledClient();
  await waitFor("all are stalled", async () => (await server.waitingBytes()).filter((bytes) => bytes > 0).length === 200, 60);
  const used = process.memoryUsage().arrayBuffers - before;
  assert.ok(used < 64 * mebi, `${used / mebi} MiB`);
  assert.equal(await readAll(server), 64 * mebi);
  server.disconnectAll();
  await waitFor("all are let go", () => server.results.length === 201);
  assert.equal(job.watchers.files.size, 0);
  assert.deepEqual(
    openFilesOf(process.pid).filter((file) => file.startsWith(job.directory)),
    [],
  );
});

test("the kernel holds little for a stalled reader, and more for a reader that reads", async (t) => {
  const job = new WrittenJob(t)
    .start()
    .write({ data: Buffer.alloc(32 * mebi, "x") })
    .end();
  const server = await serve(t, job, 60_000);
  const client = server.stalledClient();
  let most = 0;
  const look = async (): Promise<number> => (most = Math.max(most, (await server.waitingBytes())[0] ?? 0));
  await waitFor("it is stalled", async () => (await look()) > 0 && server.isResting(0));
  assert.ok(most <= 400_000, `${most} bytes`);
  client.on("data", () => undefined).resume();
  await waitFor("it has all", async () => (await look()) >= 0 && server.results.length === 1);
  assert.deepEqual(server.results, ["complete"]);
});

// So fast that it is no matter how much its kernel takes for it before telling of room again: at 6 MiB/s that may last longer than the
// time.
test("a slow reader that makes progress is not disconnected", async (t) => {
  const job = new WrittenJob(t)
    .start()
    .write({ data: Buffer.alloc(96 * mebi, "x") })
    .end();
  const server = await serve(t, job, 1500);
  const command = ["-sS", "--limit-rate", "24M", "-o", "/dev/null", "-w", "%{size_download}", `http://127.0.0.1:${server.port}`];
  const curl = spawn("curl", command, { stdio: ["ignore", "pipe", "inherit"] });
  assert.equal(String(Buffer.concat(await Array.fromAsync(curl.stdout))), String(96 * mebi));
  await waitFor("the end of the answer", () => server.results.length === 1);
  assert.deepEqual(server.results, ["complete"]);
});

test("the reader of a quiet job is not disconnected", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "quiet" });
  const server = await serve(t, job, 100);
  const startMs = performance.now();
  const bytes = readAll(server);
  await waitFor("much more than the time", () => performance.now() - startMs > 500);
  job.write({ data: "!" }).end();
  assert.equal(await bytes, 6);
});

test("a reader that disconnects is released, both while it waits and while it is sent to", async (t) => {
  const job = new WrittenJob(t).start().write({ data: "x" });
  const server = await serve(t, job, 60_000);
  const client = server.stalledClient();
  await waitFor("it waits", () => job.watchers.files.size === 1);
  client.destroy();
  await waitFor("it is let go", () => server.results.length === 1);
  job.write({ data: Buffer.alloc(32 * mebi) });
  const other = server.stalledClient();
  await waitFor("it is stalled", async () => ((await server.waitingBytes())[1] ?? 0) > 0);
  other.destroy();
  await waitFor("it is let go", () => server.results.length === 2);
  assert.deepEqual(server.results, ["gone", "gone"]);
  assert.equal(job.watchers.files.size, 0);
});

test("a read error breaks the connection: the client must not take the part for the whole", async (t) => {
  const server = createServer((_, response) => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from("part");
      throw new Error("disk");
    };
    sendChunks(response, failing, { stallTimeoutMs: 1000, unacknowledged: async () => null }).catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  await assert.rejects(async () => (await fetch(`http://127.0.0.1:${portOf(server.address())}`)).text());
});

type TestServer = {
  port: number;
  results: SendResult[];
  /** How many bytes of each response the kernel holds that the client has not acknowledged. */
  waitingBytes: () => Promise<number[]>;
  /** Whether the kernel got nothing more between the last two checks. */
  isResting: (response: number) => boolean;
  stalledClient: () => Socket;
  disconnectAll: () => void;
};

async function serve(t: TestContext, job: WrittenJob, stallTimeoutMs: number): Promise<TestServer> {
  const results: SendResult[] = [];
  const responses: ServerResponse[] = [];
  const clients: Socket[] = [];
  const sockets = new KernelSockets(join(repository, "build", "jobrunner-supervisor"));
  const unacknowledged = ({ socket }: ServerResponse): Promise<number | null> => sockets.unacknowledgedBytes(socket);
  const answer = async (_: IncomingMessage, response: ServerResponse): Promise<void> => {
    responses.push(response);
    const result = await sendChunks(response, (signal) => job.attach({}, signal), { stallTimeoutMs, unacknowledged });
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
    sockets.close();
  });
  const stalledClient = (): Socket => {
    const client = connect(port, "127.0.0.1").pause();
    client.on("error", () => undefined).write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    clients.push(client);
    return client;
  };
  let looks: number[][] = [[], []];
  const waitingBytes = async (): Promise<number[]> => {
    const bytes = await Promise.all(responses.map(async (response) => (await unacknowledged(response)) ?? 0));
    looks = [looks[1] ?? [], responses.map(({ socket }) => socket?.bytesWritten ?? 0)];
    return bytes;
  };
  const isResting = (response: number): boolean => looks[0]?.[response] === looks[1]?.[response];
  return { port, results, waitingBytes, isResting, stalledClient, disconnectAll };
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
