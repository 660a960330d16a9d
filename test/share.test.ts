import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import type { Reader } from "./helper/http.ts";
import { Neighbour } from "./helper/neighbour.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

/** What one identity can take: never all, and others are served beside it as if it were not there. */

test("one token has so many readers, of whatever kind, and leaves the others' to them", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS: "40", JOBRUNNER_MAX_READERS_PER_IDENTITY: "30" } });
  const [greedy, other] = [bearer(await createToken(service, "greedy", "submit")), bearer(await createToken(service, "other", "submit"))];
  const id = await service.submit({ CommandLine: "echo out; sleep 1000" }, greedy);
  const neighbour = await Neighbour.moveIn(t, service);
  const readers: Reader[] = [];
  const paths = [`/${id}/attach`, "/events"];
  for (let count = 0; count < 20; count += 1) readers.push(await service.open("GET", paths[count % 2] ?? "", greedy)); // half of 40: a lower bound than 30
  for (const path of [...paths, `/${id}/wait`]) {
    const refused = await service.call("GET", path, { headers: greedy });
    assert.equal(refused.status, 503);
    assert.match(refused.text, /20 readers of token:greedy are being served, .*JOBRUNNER_MAX_READERS_PER_IDENTITY/);
  }
  for (let count = 0; count < 10; count += 1) readers.push(await service.open("GET", "/events", other));
  assert.deepEqual(new Set(readers.map(({ status }) => status)), new Set([200]));
  await neighbour.wasNotDisturbed();
  for (const reader of readers) reader.close();
});

test("readers of events that take nothing cost little memory, hold up nobody, and are cut off", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_READER_TIMEOUT_SECONDS: "2" } });
  const greedy = bearer(await createToken(service, "greedy", "submit"));
  const sockets = Array.from({ length: stalledReaders }, () => connect(service.port, "127.0.0.1").on("error", () => undefined));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${greedy["Authorization"]}\r\n\r\n`);
  const readers = async (): Promise<number> => Number(/^jobrunner_readers (\d+)$/m.exec((await service.call("GET", "/metrics")).text)?.[1]);
  await waitFor("all read", async () => (await readers()) === stalledReaders);
  for (const socket of sockets) socket.pause();
  const before = residentMebibytes(service);
  const neighbour = await Neighbour.moveIn(t, service);
  const Labels = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, "é".repeat(200)]));
  const ids = await Promise.all(Array.from({ length: 20 }, () => service.submit({ CommandLine: "true", Labels }, greedy)));
  for (const id of ids) await service.wait(id);
  const grown = residentMebibytes(service) - before;
  await waitFor("those who take nothing are gone", async () => (await readers()) === 0);
  await neighbour.wasNotDisturbed();
  t.diagnostic(`${stalledReaders} readers: the service grew by ${grown.toFixed(0)} MiB`);
  assert.ok(grown < 200, `the service grew by ${grown.toFixed(0)} MiB`); // each of the events for each of the readers would be 700
  assert.match((await service.call("GET", "/metrics")).text, new RegExp(`jobrunner_readers_dropped_total{reason="stalled"} ${stalledReaders}`));
});

test("a page of jobs ends early where they are large, and no job is left out", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "2" } });
  const greedy = bearer(await createToken(service, "greedy", "submit"));
  const Commands = Array.from({ length: 1000 }, () => ({ Name: "n".repeat(200), CommandLine: "exit 1", RunOn: "failure" as const })); // none of them runs
  const ids = await Promise.all(Array.from({ length: 12 }, () => service.submit({ Commands: [...Commands.slice(1), { CommandLine: "true" }] }, greedy)));
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

const stalledReaders = 500;

function residentMebibytes({ pid }: Service): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}
