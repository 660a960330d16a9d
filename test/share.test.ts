import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import { AmbiguousPrefix } from "../src/client/index.ts";
import { cli } from "./helper/cli.ts";
import type { Reader } from "./helper/http.ts";
import { Neighbour } from "./helper/neighbour.ts";
import { oldestIds, recordJobs } from "./helper/recorded-jobs.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

/** How much one identity can use: never everything, and others are served as if it did not exist. */

test("the number of readers of one token is limited, of any kind, and other tokens keep theirs", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS: "40", JOBRUNNER_MAX_READERS_PER_IDENTITY: "30" } });
  const [greedy, other] = [bearer(await createToken(service, "greedy", "submit")), bearer(await createToken(service, "other", "submit"))];
  const id = await service.submit({ CommandLine: "echo out; sleep 1000" }, greedy);
  const neighbour = await Neighbour.moveIn(t, service);
  const readers: Reader[] = [];
  const paths = [`/${id}/attach`, "/events"];
  // half of 40, which is lower than 30
  for (let count = 0; count < 20; count += 1) readers.push(await service.open("GET", paths[count % 2] ?? "", greedy));
  for (const path of [...paths, `/${id}/wait`]) {
    const refused = await service.call("GET", path, { headers: greedy });
    assert.equal(refused.status, 503);
    assert.match(refused.text, /token:greedy has 20 readers, .*JOBRUNNER_MAX_READERS_PER_IDENTITY/);
  }
  for (let count = 0; count < 10; count += 1) readers.push(await service.open("GET", "/events", other));
  assert.deepEqual(new Set(readers.map(({ status }) => status)), new Set([200]));
  await neighbour.wasNotDisturbed();
  for (const reader of readers) reader.close();
});

test("stalled readers of events use little memory, delay no other client, and are disconnected", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_READER_TIMEOUT_SECONDS: "2" } });
  const greedy = bearer(await createToken(service, "greedy", "submit"));
  readNothing(t, service, [{ path: "/events", headers: greedy }]);
  await waitFor("all read", async () => (await metric(service, "readers")) === stalledReaders);
  const before = residentMebibytes(service);
  const neighbour = await Neighbour.moveIn(t, service);
  const Labels = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, "é".repeat(200)]));
  const ids = await Promise.all(Array.from({ length: 20 }, () => service.submit({ CommandLine: "true", Labels }, greedy)));
  for (const id of ids) await service.wait(id);
  const grown = residentMebibytes(service) - before;
  await waitFor("those who take nothing are gone", async () => (await metric(service, "readers")) === 0);
  await neighbour.wasNotDisturbed();
  t.diagnostic(`${stalledReaders} readers: the service grew by ${grown.toFixed(0)} MiB`);
  assert.ok(grown < 200, `the service grew by ${grown.toFixed(0)} MiB`); // a copy of the events for each reader would be 700
  assert.equal(await metric(service, 'readers_dropped_total{reason="stalled"}'), stalledReaders);
});

test("stalled readers of output use little memory, in every format", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_READER_TIMEOUT_SECONDS: "2" } });
  const greedy = bearer(await createToken(service, "greedy", "submit"));
  const ids: string[] = [];
  for (const character of ["\\001", "\\n"])
    ids.push(await service.submit({ CommandLine: `head -c 4M /dev/zero | tr '\\0' '${character}'` }, greedy));
  for (const id of ids) await service.wait(id);
  const neighbour = await Neighbour.moveIn(t, service);
  const before = residentMebibytes(service, "VmHWM");
  const [controls = "", newlines = ""] = ids;
  const [lines, events] = [
    { ...greedy, Accept: "application/x-ndjson" },
    { ...greedy, Accept: "text/event-stream" },
  ];
  readNothing(t, service, [
    { path: `/${controls}/attach`, headers: lines },
    { path: `/${newlines}/attach`, headers: lines },
    { path: `/${controls}/attach`, headers: events },
    { path: `/${newlines}/attach?timestamps=true`, headers: greedy },
  ]);
  await waitFor(
    "those who take nothing were cut off",
    async () => (await metric(service, 'readers_dropped_total{reason="stalled"}')) === stalledReaders,
  );
  const grown = residentMebibytes(service, "VmHWM") - before;
  t.diagnostic(`${stalledReaders} readers: the service grew by ${grown.toFixed(0)} MiB`);
  await neighbour.wasNotDisturbed();
  assert.ok(grown < 200, `the service grew by ${grown.toFixed(0)} MiB`); // an encoded block for each reader would be more than 1,000
});

test("a page of large jobs ends early, and no job is omitted", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "2" } });
  const greedy = bearer(await createToken(service, "greedy", "submit"));
  // none of the jobs runs
  const Commands = Array.from({ length: 1000 }, () => ({ Name: "n".repeat(200), CommandLine: "exit 1", RunOn: "failure" as const }));
  const ids = await Promise.all(
    Array.from({ length: 12 }, () => service.submit({ Commands: [...Commands.slice(1), { CommandLine: "true" }] }, greedy)),
  );
  for (const id of ids.slice(0, 10)) await service.wait(id);
  const neighbour = await Neighbour.moveIn(t, service);
  for (const query of ["", "&state=Succeeded,Queued,Running,Starting,Failed"]) {
    const listed: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ""; cursor !== null; pages += 1) {
      const answer = await service.call("GET", `/jobs?limit=1000${query}${cursor === "" ? "" : `&cursor=${cursor}`}`, { headers: greedy });
      assert.ok(answer.body.length < 10 << 20, `${answer.body.length} bytes`);
      const { Jobs, NextCursor }: { Jobs: { ID: string }[]; NextCursor: string | null } = JSON.parse(answer.text);
      listed.push(...Jobs.map(({ ID }) => ID));
      cursor = NextCursor;
    }
    assert.deepEqual(listed.toSorted(), ids.toSorted());
    assert.ok(pages > 1, `${pages} pages`);
  }
  await neighbour.wasNotDisturbed();
});

test(
  "listings that examine many jobs for few matches delay no other client, and find all while jobs are added",
  { timeout: 120_000 },
  async (t) => {
    const service = await startService(t);
    await recordJobs(service, { count: 100_000, every: 9973 });
    const greedy = bearer(await createToken(service, "greedy", "read"));
    const waiting = await service.submit({ CommandLine: "sleep 1000", Name: "odd", Labels: { side: "even", note: "another needle" } });
    const neighbour = await Neighbour.moveIn(t, service);
    const queries = ["text=needle", "name=odd&label=side%3Deven", "state=Succeeded,Running&text=NEEDLE", "text=nowhere"];
    const listings = await Promise.all(
      Array.from({ length: 30 }, (_, index) => listAll(service, queries[index % queries.length] ?? "", greedy)),
    );
    await neighbour.wasNotDisturbed();
    assert.deepEqual(
      listings.map(({ ids }) => ids.length),
      listings.map((_, index) => [2, 6, 2, 0][index % queries.length]),
    );
    assert.ok(listings.every(({ ids }) => ids.length === 0 || ids[0] === waiting));
    assert.ok(
      listings.some(({ emptyPages }) => emptyPages > 0),
      "none of them ended early",
    );
    await assert.rejects(service.client().find(oldestIds), AmbiguousPrefix); // found after all other jobs
    assert.equal(JSON.parse((await cli(t, service.url, ["ps", "--all", "--text", "needle", "--json"])).stdout).length, 2);
  },
);

const stalledReaders = 500;

/** Many readers, the same number of each kind; none of them reads a byte. */
function readNothing(t: TestContext, service: Service, reads: { path: string; headers: Record<string, string> }[]): void {
  const sockets = Array.from({ length: stalledReaders }, () =>
    connect(service.port, "127.0.0.1")
      .on("error", () => undefined)
      .pause(),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const [index, socket] of sockets.entries()) {
    const { path = "", headers = {} } = reads[index % reads.length] ?? {};
    const lines = Object.entries({ Host: "localhost", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }
}

async function metric(service: Service, name: string): Promise<number> {
  const { text } = await service.call("GET", "/metrics");
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`jobrunner_${name} `))
      ?.split(" ")
      .at(-1),
  );
}

/** The memory of the process, or its maximum so far. */
function residentMebibytes({ pid }: Service, which: "VmRSS" | "VmHWM" = "VmRSS"): number {
  return Number(new RegExp(`^${which}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}

/** Reads all pages. `emptyPages`: how many had no jobs and were not the last. */
async function listAll(service: Service, query: string, headers: Record<string, string>): Promise<{ ids: string[]; emptyPages: number }> {
  const ids: string[] = [];
  let emptyPages = 0;
  for (let cursor = ""; ;) {
    const { status, text } = await service.call("GET", `/jobs?${query}${cursor}`, { headers });
    assert.equal(status, 200, text);
    const { Jobs, NextCursor }: { Jobs: { ID: string }[]; NextCursor: string | null } = JSON.parse(text);
    ids.push(...Jobs.map(({ ID }) => ID));
    if (NextCursor === null) return { ids, emptyPages };
    if (Jobs.length === 0) emptyPages += 1;
    cursor = `&cursor=${NextCursor}`;
  }
}
