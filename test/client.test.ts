import { strict as assert } from "node:assert";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { makeFetch } from "../src/cli/http-fetch.ts";
import { AmbiguousPrefix, ApiError, Client, NoSuchJob, NotFinishedInTime, type Piece, Unreachable } from "../src/client/index.ts";
import { freePort } from "./helper/ports.ts";
import { type Service, startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { createToken, fromElsewhere } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

test("a job is submitted, followed, waited for, read and removed", async (t) => {
  const client = clientOf(await sharedService(t));
  const id = await client.submit({ CommandLine: "echo out; echo err >&2; exit 3", Name: "one" });
  const pieces = await gather(client.attach(id));
  assert.deepEqual(
    pieces.map((piece) => (piece.kind === "output" ? [piece.offsetBytes, piece.stream, piece.step, textOf([piece])] : piece.kind)),
    [[0, "stdout", 1, "out\n"], [4, "stderr", 1, "err\n"], "outcome"],
  );
  const job = await client.wait(id);
  assert.deepEqual([job.ID, job.State, job.ExitCode, job.Spec.Name], [id, "Failed", 3, "one"]);
  assert.deepEqual((await client.job(id)).Steps, job.Steps);
  await client.remove(id);
  await assert.rejects(client.job(id), (error) => error instanceof ApiError && error.status === 404 && error.code === "unknown-job");
});

test("bytes of any kind arrive unchanged, and only the requested ones", async (t) => {
  const service = await sharedService(t);
  const client = clientOf(service);
  const id = await client.submit({
    Commands: [
      { CommandLine: "head -c 300000 /dev/urandom; head -c 100000 /dev/urandom >&2" },
      { CommandLine: "printf 'gr\\303\\274n\\n%.0s' $(seq 2000)" },
    ],
  });
  const pieces = await gather(client.attach(id));
  const whole = await service.output(id);
  assert.ok(bytesOf(pieces).equals(whole));
  for (const piece of pieces)
    if (piece.kind === "output") assert.ok(whole.subarray(piece.offsetBytes, piece.offsetBytes + piece.bytes.length).equals(piece.bytes));
  assert.ok(bytesOf(await gather(client.attach(id, { stream: "stderr" }))).equals(await service.output(id, "?stream=stderr")));
  assert.equal(textOf(await gather(client.attach(id, { step: 2, tailLines: 2 }))), "grün\ngrün\n");
  assert.ok(bytesOf(await gather(client.attach(id, { offsetBytes: 123_456 }))).equals(whole.subarray(123_456)));
});

test("the current output ends without an outcome while the job continues", async (t) => {
  const client = clientOf(await sharedService(t));
  const id = await client.submit({ CommandLine: "echo so far; sleep 1000" });
  await waitFor(
    "it has written",
    async () => (await client.job(id)).OutputBytes !== 0 && textOf(await gather(client.attach(id, { isFollowing: false }))) === "so far\n",
  );
  await client.kill(id, { isForced: true });
  const [last] = (await gather(client.attach(id, { isFollowing: false }))).slice(-1);
  assert.ok(last?.kind === "outcome" && last.job.State === "Killed");
});

test("leaving the loop, or a signal, closes the connection", async (t) => {
  const service = await sharedService(t);
  const client = clientOf(service);
  const id = await client.submit({ CommandLine: "echo first; sleep 1000" });
  for await (const piece of client.attach(id)) if (piece.kind === "output") break;
  const leaving = new AbortController();
  const left = (async () => {
    for await (const piece of client.attach(id, { signal: leaving.signal }))
      if (piece.kind === "output") leaving.abort(new Error("enough"));
  })();
  await assert.rejects(left, /enough/);
  await waitFor("nobody reads any more", async () => /^jobrunner_readers 0$/m.test((await service.call("GET", "/metrics")).text));
  await assert.rejects(client.wait(id, { signal: AbortSignal.abort(new Error("no more")) }), /no more/);
});

for (const [name, fetch] of [
  ["the platform's fetch", undefined],
  ["the command line's", makeFetch({ socketPath: null, tls: { ca: undefined, cert: undefined, key: undefined } })],
] as const) {
  test(`a signal ends a stream also after garbage was collected: ${name}`, async (t) => {
    const service = await sharedService(t);
    const client = new Client({ url: service.url, ...(fetch === undefined ? {} : { fetch }) });
    const id = await client.submit({ CommandLine: "echo one; exec sleep 1000" });
    const [leaving, isThere] = [new AbortController(), { attached: false, listening: false }];
    const attached = (async () => {
      for await (const piece of client.attach(id, { signal: leaving.signal })) isThere.attached ||= piece.kind === "output";
    })();
    const listening = (async () => {
      for await (const event of client.events({ signal: leaving.signal })) isThere.listening ||= event.kind === "open";
    })();
    const waiting = client.wait(id, { signal: leaving.signal });
    await waitFor("both are open", () => isThere.attached && isThere.listening);
    const collectGarbage = garbageCollector();
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
    }
    const ended = Promise.all([attached, listening, waiting].map(async (ending) => await assert.rejects(ending, /enough/)));
    leaving.abort(new Error("enough"));
    await ended;
    await client.kill(id, { isForced: true });
  });
}

/** Node.js reads it at its start; a new context gets it also later. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  assert.ok(typeof collect === "function");
  return () => void Reflect.apply(collect, undefined, []);
}

test("a wait reports its timeout, and a kill ends it", async (t) => {
  const client = clientOf(await sharedService(t));
  const id = await client.submit({ CommandLine: "sleep 1000" });
  await assert.rejects(client.wait(id, { timeoutSeconds: 0.1 }), NotFinishedInTime);
  const waiting = client.wait(id);
  await client.kill(id);
  assert.equal((await waiting).State, "Killed");
});

test("lists arrive page by page, and a job is found by the beginning of its ID", async (t) => {
  const client = clientOf(await startService(t));
  const ids: string[] = [];
  for (let index = 0; index < 7; index += 1) ids.unshift(await client.submit({ CommandLine: "true", Labels: { a: String(index % 2) } }));
  await Promise.all(ids.map((id) => client.wait(id)));
  assert.deepEqual(
    (await gather(client.jobs({ limit: 3 }))).map(({ ID }) => ID),
    ids,
  );
  assert.equal((await gather(client.jobs({ label: ["a=1"], state: ["Succeeded", "Failed"], limit: 1 }))).length, 3);
  const [newest = "", second = ""] = ids;
  assert.equal(await client.find(newest), newest);
  assert.equal(await client.find(newest.slice(0, 30)), newest);
  await assert.rejects(
    client.find(newest.slice(0, 3)),
    (error) => error instanceof AmbiguousPrefix && error.ids.includes(second) && error.ids.length === 7,
  );
  await assert.rejects(client.find("ffffffff"), NoSuchJob);
  await assert.rejects(client.find("no ID"), NoSuchJob);
});

test("events report that the stream is open, and then every change", async (t) => {
  const client = clientOf(await sharedService(t));
  const seen: string[] = [];
  for await (const event of client.events()) {
    if (event.kind === "open") await client.submit({ CommandLine: "true", Name: "watched" });
    else if (event.kind === "job") seen.push(event.job.State);
    if (seen.at(-1) === "Succeeded") break;
  }
  assert.ok(seen.includes("Running") || seen.includes("Starting"), seen.join());
});

test("files are copied into a workspace and out of it", async (t) => {
  const client = clientOf(await sharedService(t));
  const id = await client.submit({ CommandLine: "until [ -e 'in/a b%' ]; do sleep 0.01; done; cp -r in out" });
  const files = client.files(id);
  await waitFor(
    "the workspace is there",
    async () =>
      await files.open("").then(
        () => true,
        () => false,
      ),
  );
  await files.write("in/a b%", "text", { mode: "600" });
  await client.wait(id);
  assert.deepEqual(
    (await gather(files.list("out"))).map(({ Name, SizeBytes, Mode }) => [Name, SizeBytes, Mode]),
    [["a b%", 4, "600"]],
  );
  const file = await files.open("out/a b%");
  assert.ok(file.kind === "file");
  assert.deepEqual([file.sizeBytes, await new Response(file.bytes).text()], [4, "text"]);
  assert.equal((await files.open("out")).kind, "folder");
  await files.remove("out", { isRecursive: true });
  await assert.rejects(files.open("out"), (error) => error instanceof ApiError && error.code === "unknown-file");
});

test("errors name fields, identities that are refused, and unreachable addresses; never the token", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "reader", "read");
  const [known, unknown] = [remote(service, token), remote(service, `jr_${"0".repeat(16)}_${"A".repeat(43)}`)];
  assert.deepEqual(await known.running(), []);
  await assert.rejects(unknown.running(), (error) => error instanceof ApiError && error.status === 401);
  await assert.rejects(known.submit({ CommandLine: "true" }), (error) => error instanceof ApiError && error.code === "role-too-small");
  const admin = remote(service, await createToken(service, "admin", "admin"));
  await assert.rejects(
    admin.submit({ CommandLine: "true", TimeoutSeconds: -1 }),
    (error) => error instanceof ApiError && error.errors[0]?.field === "TimeoutSeconds",
  );
  assert.equal((await unknown.health()).status, "ok");
  const nowhere = new Client({ url: `http://localhost:${await freePort()}`, token });
  const calls = [
    () => nowhere.running(),
    () => nowhere.submit({ CommandLine: "true" }),
    () => gather(nowhere.attach("x")),
    () => nowhere.wait("x"),
    () => gather(nowhere.events()),
  ];
  for (const call of calls) {
    await assert.rejects(
      call(),
      (error) =>
        error instanceof Unreachable &&
        error.message.includes(nowhere.url) &&
        !JSON.stringify([error.message, String(error.cause)]).includes(token),
    );
  }
});

test("a token or password that a header cannot contain is refused, and not shown", () => {
  for (const options of [
    { token: "jr_hidden\nhunter22" },
    { token: "jr_hidden\0" },
    { token: "jr_hidden hunter22" },
    { token: "jr_hiddén" },
    { url: "http://me:hidden@localhost:8080" },
  ]) {
    assert.throws(
      () => new Client(options),
      (error) => error instanceof TypeError && /token/.test(error.message) && !/hidd/.test(String(error.stack)),
    );
  }
  assert.ok(new Client({ url: "http://localhost/jobs@night/", token: "jr_from_a_file\n" }));
});

function clientOf(service: Service): Client {
  return new Client({ url: service.url });
}

/** The client of another machine: local users are not trusted. */
function remote({ url }: Service, token: string): Client {
  return new Client({
    url,
    token,
    fetch: async (address, init) => await fetch(address, { ...init, headers: { ...init.headers, ...fromElsewhere } }),
  });
}

async function gather<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function bytesOf(pieces: Piece[]): Buffer {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === "output" ? [piece.bytes] : [])));
}

function textOf(pieces: Piece[]): string {
  return bytesOf(pieces).toString();
}
