import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { Client, type Fetch, type Piece } from "../src/client/index.ts";
import { Proxy } from "./helper/proxy.ts";
import { startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

/** Submissions of the client that are answered with the output, or with the finished job. */

const outputCommand = 'for i in $(seq 300); do echo "zeile $i ü"; echo "err $i" >&2; done; exit 3';

test("wherever the connection of a submission breaks, the job runs once and every byte arrives once", { timeout: 120_000 }, async (t) => {
  const service = await sharedService(t);
  const proxy = await new Proxy(() => service.port).start(t);
  const client = new Client({ url: proxy.url, fetch: onOneConnection });
  const direct = new Client({ url: service.url });
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 900 })), { maxLength: 4 });
  let number = 0;
  const property = fc.asyncProperty(cuts, async (lengths) => {
    const Labels = { run: `cuts-${(number += 1)}` };
    proxy.cuts = [...lengths];
    const ids: string[] = [];
    const pieces: Piece[] = [];
    const onSubmitted = (id: string): void => void ids.push(id);
    for await (const piece of client.submitAndAttach({ CommandLine: outputCommand, Labels }, { onSubmitted })) {
      assert.equal(ids.length, 1, "the ID is known before the first piece");
      pieces.push(piece);
    }
    const jobs: string[] = [];
    for await (const { ID } of direct.jobs({ label: [`run=${Labels.run}`] })) jobs.push(ID);
    assert.deepEqual(jobs, ids);
    assert.ok(bytesOf(pieces).equals(await service.output(ids[0] ?? "")));
    const outcomes = pieces.flatMap((piece) => (piece.kind === "outcome" ? [piece.job.ExitCode] : []));
    assert.deepEqual(outcomes, [3]);
    assert.equal(pieces.at(-1)?.kind, "outcome");
  });
  await fc.assert(property, { numRuns: 20 });
});

test("without a break, a submission with its output is one request", async (t) => {
  const service = await sharedService(t);
  const asked: string[] = [];
  const client = new Client({ url: service.url, fetch: async (url, init) => (asked.push(url), await fetch(url, init)) });
  const pieces: Piece[] = [];
  for await (const piece of client.submitAndAttach({ CommandLine: "echo hello" }, { idempotencyKey: "one-request" })) pieces.push(piece);
  assert.deepEqual([bytesOf(pieces).toString(), pieces.at(-1)?.kind], ["hello\n", "outcome"]);
  assert.equal(asked.length, 1, asked.join());
  assert.equal(await client.submit({ CommandLine: "echo hello" }, { idempotencyKey: "one-request" }), outcomeOf(pieces).ID);
});

test("leaving the loop leaves the job, or kills it if the client wants that", async (t) => {
  const service = await sharedService(t);
  const client = new Client({ url: service.url });
  const submitted = async (isKilledOnDisconnect: boolean): Promise<string> => {
    let id = "";
    const options = { isKilledOnDisconnect, onSubmitted: (own: string): void => void (id = own) };
    for await (const piece of client.submitAndAttach({ CommandLine: "echo ready; sleep 1000" }, options))
      if (piece.kind === "output") break;
    return id;
  };
  assert.equal((await client.wait(await submitted(true), { timeoutSeconds: 30 })).State, "Killed");
  const left = await submitted(false);
  assert.equal((await client.job(left)).State, "Running");
  await client.kill(left, { isForced: true });
});

test("a submission that waits gives the finished job, also across a restart, or the job as it is after the time", async (t) => {
  const service = await startService(t);
  const proxy = await new Proxy(() => service.port).start(t);
  const client = new Client({ url: proxy.url, fetch: onOneConnection });
  const job = await client.submitAndWait({ CommandLine: "exit 4" });
  assert.deepEqual([job.State, job.ExitCode, job.Spec?.CommandLine], ["Failed", 4, "exit 4"]);
  const unfinished = await client.submitAndWait({ CommandLine: "sleep 1000" }, { timeoutSeconds: 0.2 });
  assert.equal(unfinished.State, "Running");
  await client.kill(unfinished.ID, { isForced: true });
  const waiting = client.submitAndWait({ Name: "across", CommandLine: "until [ -e go ]; do sleep 0.01; done; exit 5" });
  const id = await idOfName(client, "across");
  await service.crash();
  await service.start();
  proxy.breakAll();
  await service.run({ WorkingDir: service.workspaceOf(id), CommandLine: "touch go" });
  assert.equal((await waiting).ExitCode, 5);
  const ids: string[] = [];
  for await (const { ID, Name } of client.jobs()) if (Name === "across") ids.push(ID);
  assert.deepEqual(ids, [id], "it was submitted once");
});

test("a submission that is refused is refused at once", async (t) => {
  const client = new Client({ url: (await sharedService(t)).url });
  await assert.rejects(client.submitAndAttach({ CommandLine: "" }).next(), { code: "invalid-request" });
  await assert.rejects(client.submitAndWait({ CommandLine: "" }), { code: "invalid-request" });
});

async function idOfName(client: Client, name: string): Promise<string> {
  for (;;) for await (const { ID, Name, State } of client.jobs()) if (Name === name && State === "Running") return ID;
}

function outcomeOf(pieces: Piece[]): { ID: string } {
  const last = pieces.at(-1);
  assert.ok(last?.kind === "outcome");
  return last.job;
}

/** Without keep-alive, so that each request has a connection of its own. */
const onOneConnection: Fetch = async (url, init) => await fetch(url, { ...init, headers: { ...init.headers, Connection: "close" } });

function bytesOf(pieces: Piece[]): Buffer {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === "output" ? [piece.bytes] : [])));
}
