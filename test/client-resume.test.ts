import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { type AttachOptions, Client, type Fetch, NotFinishedInTime, type Piece, Unreachable } from "../src/client/index.ts";
import { Proxy } from "./helper/proxy.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

test("wherever a connection breaks, every byte arrives once and in order, and then the outcome", { timeout: 120_000 }, async (t) => {
  const service = await startService(t);
  const { job } = await service.run({
    Commands: [
      { CommandLine: 'for i in $(seq 300); do echo "zeile $i ü"; echo "err $i" >&2; done' },
      { CommandLine: "head -c 20000 /dev/urandom; printf 'last'" },
    ],
  });
  const whole = await service.output(job.ID);
  const proxy = await new Proxy(() => service.port).start(t);
  const client = new Client({ url: proxy.url, fetch: onOneConnection });
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 1500 })), { minLength: 1, maxLength: 4 });
  const options = fc.constantFrom<{ options: AttachOptions; query: string }>(
    { options: {}, query: "" },
    { options: { stream: "stderr" }, query: "?stream=stderr" },
    { options: { step: 2 }, query: "?step=2" },
    { options: { tailLines: 50 }, query: "?tail=50" },
    { options: { offsetBytes: 1001 }, query: "?offset=1001" },
  );
  const property = fc.asyncProperty(cuts, options, async (lengths, option) => {
    proxy.cuts = [...lengths];
    const pieces: Piece[] = [];
    for await (const piece of client.attach(job.ID, option.options)) pieces.push(piece);
    const expected = await service.output(job.ID, option.query);
    assert.ok(bytesOf(pieces).equals(expected));
    assert.deepEqual(pieces.filter(({ kind }) => kind === "outcome").length, 1);
    assert.equal(pieces.at(-1)?.kind, "outcome");
    for (const piece of pieces)
      if (piece.kind === "output") assert.ok(whole.subarray(piece.offsetBytes, piece.offsetBytes + piece.bytes.length).equals(piece.bytes));
  });
  await fc.assert(property, { numRuns: 40 });
});

test("when a service is killed and started again, followers, waiters and watchers miss nothing", { timeout: 120_000 }, async (t) => {
  const service = await startService(t);
  const retries: number[] = [];
  const client = new Client({ url: service.url, onRetry: ({ attempt }) => retries.push(attempt) });
  const id = await client.submit({ CommandLine: "for i in $(seq 200); do echo line $i; sleep 0.02; done; exit 4" });
  const waiting = client.wait(id);
  let opened = 0;
  const watching = (async () => {
    for await (const event of client.events()) {
      if (event.kind === "open") opened += 1;
      if (event.kind === "job" && event.job.ID === id && event.job.State === "Failed") return;
    }
  })();
  const pieces: Piece[] = [];
  let lines = 0;
  for await (const piece of client.attach(id)) {
    pieces.push(piece);
    if (piece.kind !== "output") continue;
    lines += 1;
    if (lines !== 20 && lines !== 80) continue;
    await service.crash();
    await service.start();
  }
  assert.equal(bytesOf(pieces).toString(), Array.from({ length: 200 }, (_, index) => `line ${index + 1}\n`).join(""));
  assert.equal((await waiting).ExitCode, 4);
  await watching;
  assert.ok(opened >= 2 && retries.length > 0, `${opened} ${retries.join()}`);
});

test("tail is counted once: output that is written while the service is away is not cut", async (t) => {
  const service = await startService(t);
  const folder = folderOf(t);
  const id = await service.submit({
    Commands: [
      { CommandLine: `echo 1; echo 2; echo 3; until [ -e ${folder}/go ]; do sleep 0.01; done; echo 4; echo 5` },
      { CommandLine: `echo 6; touch ${folder}/gone` },
    ],
  });
  await waitFor("it has written", async () => (await service.output(id, "?follow=false")).includes("3\n"));
  const follow = async (options: AttachOptions, connected: () => void): Promise<string> => {
    const client = new Client({ url: service.url, fetch: async (...request) => await onOneConnection(...request).finally(connected) });
    const pieces: Piece[] = [];
    for await (const piece of client.attach(id, options)) pieces.push(piece);
    assert.equal(pieces.at(-1)?.kind, "outcome");
    return bytesOf(pieces).toString();
  };
  let connections = 0;
  const wanted: AttachOptions[] = [
    { tailLines: 0 },
    { tailLines: 2 },
    { tailLines: 1, step: 1 },
    { tailLines: 5, step: 2 },
    { tailLines: 9, offsetBytes: 2 },
  ];
  const following = Promise.all(wanted.map((options) => follow(options, () => (connections += 1))));
  await waitFor("all follow", () => connections === 2 * wanted.length);
  await service.crash();
  writeFileSync(join(folder, "go"), "");
  await waitFor("it has gone on", () => existsSync(join(folder, "gone")));
  await service.start();
  assert.deepEqual(await following, ["4\n5\n6\n", "2\n3\n4\n5\n6\n", "3\n4\n5\n", "6\n", "2\n3\n4\n5\n6\n"]);
  assert.equal(await follow({ tailLines: 0 }, () => undefined), "");
  assert.equal(await follow({ tailLines: 0, isFollowing: false }, () => undefined), "");
});

test("a submission whose answer is lost creates one job, and returns its ID", async (t) => {
  const service = await startService(t);
  const proxy = await new Proxy(() => service.port).start(t);
  proxy.cuts = [1]; // the job exists when this byte is sent
  const id = await new Client({ url: proxy.url }).submit({ CommandLine: "true", Name: "once" });
  await waitFor("it is finished", async () => (await service.get(id)).State === "Succeeded");
  const jobs: string[] = [];
  for await (const { ID } of new Client({ url: service.url }).jobs({ name: "once" })) jobs.push(ID);
  assert.deepEqual([jobs, proxy.connections], [[id], 2]);
});

test("a kill whose connection breaks resolves when no process of the job is left", async (t) => {
  const service = await startService(t);
  const proxy = await new Proxy(() => service.port).start(t);
  const client = new Client({ url: proxy.url });
  const id = await client.submit({ CommandLine: "trap 'sleep 0.3; echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done" });
  await waitFor("it is ready", async () => (await service.output(id, "?follow=false")).includes("ready"));
  const killed = client.kill(id);
  await waitFor("the kill has come", async () => (await service.get(id)).State === "Stopping");
  proxy.breakAll();
  await killed;
  assert.equal((await service.get(id)).State, "Killed");
  assert.match((await service.output(id)).toString(), /^ready\n.*cleaned\n$/s);
});

test("a wait ends at its timeout also while the service is away", async (t) => {
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "sleep 1000" });
  let requests = 0;
  const client = new Client({ url: service.url, fetch: async (...request) => ((requests += 1), await onOneConnection(...request)) });
  const waiting = client.wait(id, { timeoutSeconds: 1 });
  await waitFor("its first answer has come", () => requests === 2);
  await service.crash();
  await assert.rejects(waiting, NotFinishedInTime);
  await service.start();
  await service.kill(id);
});

test("gaps are not repeated when the connection breaks after them", async () => {
  const at = { Time: null, Step: 1, Stream: "stdout" };
  const gap = (LostBytes: number): object => ({ ...at, Offset: 3, LostBytes });
  const [first, second] = [
    [{ ...at, Offset: 0, Data: "abc" }, gap(5), gap(7)],
    [gap(5), gap(7), gap(7), { ...at, Offset: 3, Data: "d" }, { Outcome: {} }],
  ];
  const answers = [first, second].map((lines) => events(lines.map((line) => `data: ${JSON.stringify(line)}\n\n`).join("")));
  const pieces: Piece[] = [];
  for await (const piece of new Client({ fetch: async () => answers.shift() ?? Promise.reject(new Error("no more")) }).attach("x"))
    pieces.push(piece);
  assert.deepEqual(
    pieces.map((piece) => (piece.kind === "lost" ? piece.lostBytes : piece.kind)),
    ["output", 5, 7, 7, "output", "outcome"],
  );
});

test("a service that accepts a connection and stays silent is asked again, until the client's timeout", async () => {
  const calls: ((client: Client) => Promise<unknown>)[] = [
    (client) => client.attach("x").next(),
    (client) => client.events().next(),
    (client) => client.submit({}),
    (client) => client.wait("x"),
    (client) => client.kill("x"),
    (client) => client.kill("x", { isForced: true }),
    (client) => client.remove("x"),
    (client) => client.files("x").open("y"),
  ];
  await Promise.all(
    calls.map(async (call) => {
      let retries = 0;
      const client = new Client({ fetch: silent, silenceSeconds: 0.02, retrySeconds: 1, onRetry: () => (retries += 1) });
      await assert.rejects(call(client), (error) => error instanceof Unreachable && error.message.includes("nothing came for 0.0"));
      assert.ok(retries > 1, String(call));
    }),
  );
});

test("a wait asks again if its answer is late", async (t) => {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  t.mock.method(AbortSignal, "timeout", (ms: number) => timeout(Math.ceil(ms / 1000)));
  const problem = { status: 408, code: "not-finished-in-time", title: "", detail: "" };
  const answers: Fetch[] = [async () => Response.json(problem, { status: 408 }), silent, async () => Response.json({ ID: "x" })];
  const causes: unknown[] = [];
  const client = new Client({
    fetch: async (...request) => (await answers.shift()?.(...request)) ?? Response.error(),
    onRetry: ({ cause }) => causes.push(cause),
  });
  assert.equal((await client.wait("x")).ID, "x");
  assert.ok(causes.length === 1 && causes[0] instanceof Unreachable);
});

test("a server that is not jobrunner is reported as such, and the client stops asking", async () => {
  const client = new Client({ fetch: async () => new Response("<!doctype html>", { headers: { "Content-Type": "text/html" } }) });
  for (const call of [() => client.attach("x").next(), () => client.events().next(), () => client.running()])
    await assert.rejects(call(), /is not a jobrunner/);
});

const silent: Fetch = async (_url, { signal }) => {
  signal?.throwIfAborted();
  return await new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
};

function events(text: string): Response {
  return new Response(text, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } });
}

/** Connections are not kept alive, so each call has one of its own that can break. */
const onOneConnection: Fetch = async (url, init) => await fetch(url, { ...init, headers: { ...init.headers, Connection: "close" } });

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function bytesOf(pieces: Piece[]): Buffer {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === "output" ? [piece.bytes] : [])));
}
