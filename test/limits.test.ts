import { strict as assert } from "node:assert";
import { connect } from "node:net";
import { test } from "node:test";
import type { Answer, Reader } from "./helper/http.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Limits of requests. Connections and timeouts are in listener.test.ts, requests per second in identity.test.ts. */

test("a body up to the limit is accepted, and a larger one is refused with the name of the limit", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_BODY_BYTES: "2000" } });
  const body = (bytes: number): string => JSON.stringify({ CommandLine: `: ${"x".repeat(bytes - 20)}` });
  assert.equal(body(2000).length, 2000);
  assert.equal((await service.call("POST", "/", { body: body(2000) })).status, 200);
  for (const bytes of [2001, 5_000_000]) {
    const refused = await service.call("POST", "/", { body: body(bytes) });
    assert.equal(refused.status, 413);
    assert.match(refused.text, /no more than 2 kB \(JOBRUNNER_MAX_BODY_BYTES\)/);
  }
});

test("the readers of one job and of all jobs are limited; a refused client may try again", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS_PER_JOB: "3", JOBRUNNER_MAX_READERS: "5" } });
  const [one, two] = [
    await service.submit({ CommandLine: "echo one; sleep 1000" }),
    await service.submit({ CommandLine: "echo two; sleep 1000" }),
  ];
  const readers: Reader[] = [];
  for (const id of [one, one, one, two]) readers.push(await service.attach(id));
  const refused = async (path: string, sentence: RegExp): Promise<void> => {
    const answer: Answer = await service.call("GET", path);
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.headers["retry-after"], "10");
    assert.match(answer.text, sentence);
  };
  await refused(`/${one}/attach`, /3 readers follow this job, which is the maximum/);
  readers.push(await service.open("GET", "/events"));
  assert.equal(readers.at(-1)?.status, 200);
  for (const path of [`/${two}/attach`, "/events"]) await refused(path, /there are 5 readers, which is the maximum/);
  assert.equal((await service.call("GET", `/${two}`)).status, 200, "all else goes on");
  for (const reader of readers) reader.close();
  await waitFor("there is room again", async () => {
    const reader = await service.attach(one);
    reader.close();
    return reader.status === 200;
  });
});

test("a client that waits for a job counts as a reader, also many on one connection", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS_PER_JOB: "10" } });
  const id = await service.submit({ CommandLine: "sleep 1000" });
  const socket = connect(service.port, "127.0.0.1");
  socket.write(`GET /${id}/wait HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(50));
  await waitFor("they wait", async () => (await service.call("GET", `/${id}/wait`)).status === 503);
  assert.ok((await service.call("GET", "/metrics")).text.includes("jobrunner_readers 10\n"));
  socket.destroy();
  await waitFor("they are gone", async () => (await service.call("GET", "/metrics")).text.includes("jobrunner_readers 0\n"));
});

test("a body of a million invalid values is refused without examining each", async (t) => {
  const service = await startService(t);
  for (const body of [`{"Commands":[${"{},".repeat(1_000_000)}{}]}`, `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`]) {
    const startMs = performance.now();
    const answer = await service.call("POST", "/", { body });
    const tookMs = performance.now() - startMs;
    assert.equal(answer.status, 400);
    assert.match(answer.text, /the error names the field only if there are at most 20000 values/);
    t.diagnostic(`answered in ${tookMs.toFixed(0)} ms`);
  }
});

test("a list or map with one entry too many is refused by its name", async (t) => {
  const service = await startService(t);
  const names = Array.from({ length: 10_001 }, (_, index) => `NAME_${index}`);
  const tooMany: [field: string, spec: object][] = [
    ["Environment", { CommandLine: "true", Environment: Object.fromEntries(names.map((name) => [name, ""])) }],
    ["Secrets", { CommandLine: "true", Secrets: Object.fromEntries(names.slice(0, 1001).map((name) => [name, "x"])) }],
    ["Labels", { CommandLine: "true", Labels: Object.fromEntries(names.slice(0, 65).map((name) => [name, "x"])) }],
    ["Commands[0].Args", { Commands: [{ Args: names }] }],
  ];
  for (const [field, spec] of tooMany) {
    const answer = await service.call("POST", "/", { body: JSON.stringify(spec) });
    assert.equal(answer.status, 400);
    assert.ok(answer.text.includes(`${field} must have no more than`), answer.text.slice(0, 500));
  }
});

test("readers that connect and disconnect leave no slot occupied", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS: "4" } });
  const { job } = await service.run({ CommandLine: "echo out" });
  for (let round = 0; round < 20; round += 1) {
    const reader = service.open("GET", "/events");
    const [whole, head, range] = await Promise.all([
      service.call("GET", `/${job.ID}/attach`),
      service.call("HEAD", `/${job.ID}/attach`),
      service.call("GET", `/${job.ID}/attach`, { headers: { Range: "bytes=0-1" } }),
    ]);
    assert.deepEqual([whole.status, head.status, range.status], [200, 200, 206]);
    (await reader).close();
    await waitFor("the events' reader is gone", async () => {
      const answer = await service.call("HEAD", "/events");
      return answer.status === 200;
    });
  }
});
