import { strict as assert } from "node:assert";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JobSpec } from "../src/job/spec.ts";
import { open, type Reader } from "./helper/http.ts";
import { type Service, startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** A submission that is answered with the output of its job, or with the finished job. */

async function post({ url }: Service, query: string, spec: JobSpec, headers: Record<string, string> = {}): Promise<Reader> {
  return await open(url, "POST", `/${query}`, { body: JSON.stringify(spec), headers });
}

const idOf = ({ headers }: Reader): string => String(headers["jobrunner-job-id"]);

test("POST /?attach=true answers with all output, live: the ID before the first byte, the outcome after the last", async (t) => {
  const service = await sharedService(t);
  const answer = await post(service, "?attach=true", {
    CommandLine: "printf one; until [ -e go ]; do sleep 0.01; done; printf two; exit 3",
  });
  assert.deepEqual([answer.status, answer.headers["content-type"]], [200, "text/plain; charset=utf-8"]);
  assert.equal(answer.headers.location, `/${idOf(answer)}`);
  await answer.until("one");
  writeFileSync(join(service.workspaceOf(idOf(answer)), "go"), "");
  await answer.ended;
  assert.equal(answer.received().toString(), "onetwo");
  assert.deepEqual({ ...answer.trailers() }, { "jobrunner-state": "Failed", "jobrunner-reason": "ExitCode", "jobrunner-exit-code": "3" });
  assert.equal((await service.output(idOf(answer))).toString(), "onetwo");
});

test("Accept selects the format, and a streamed format is enough without attach=true", async (t) => {
  const service = await sharedService(t);
  const spec = { CommandLine: "echo hello" };
  for (const query of ["?attach=true", ""]) {
    const lines = await post(service, query, spec, { Accept: "application/x-ndjson" });
    await lines.ended;
    const [first, last] = lines
      .received()
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual([first.Offset, first.Data, last.Outcome.State, last.Outcome.ID], [0, "hello\n", "Succeeded", idOf(lines)]);
    const events = await post(service, query, spec, { Accept: "text/event-stream" });
    await events.ended;
    assert.match(events.received().toString(), /"Data":"hello\\n"[^]*"Outcome":/);
  }
  for (const [query, Accept] of [
    ["", "*/*"],
    ["", "text/plain"],
    ["", "application/json, text/event-stream"],
    ["?attach=false", "text/event-stream"],
  ] as const) {
    const answer = await post(service, query, spec, { Accept });
    await answer.ended;
    assert.deepEqual(Object.keys(JSON.parse(answer.received().toString())), ["ID"], Accept);
  }
});

test("where the connection breaks the job goes on, and an attach continues at the byte", async (t) => {
  const service = await sharedService(t);
  const answer = await post(service, "?attach=true", { CommandLine: "echo one; until [ -e go ]; do sleep 0.01; done; echo two" });
  await answer.until("one\n");
  answer.close();
  const rest = await service.attach(idOf(answer), "?offset=4");
  writeFileSync(join(service.workspaceOf(idOf(answer)), "go"), "");
  await rest.ended;
  assert.equal(rest.received().toString(), "two\n");
  assert.equal((await service.get(idOf(answer))).State, "Succeeded");
});

for (const query of ["?attach=true&kill-on-disconnect=true", "?wait=1000&kill-on-disconnect=true"]) {
  test(`with kill-on-disconnect a broken connection kills the job: ${query}`, async (t) => {
    const service = await sharedService(t);
    const marker = join(service.stateDir, `started-${t.name.length}-${query.length}`);
    const abort = new AbortController();
    const body = JSON.stringify({ CommandLine: `touch ${marker}; sleep 1000` });
    const sent = fetch(`${service.url}/${query}`, { method: "POST", body, signal: abort.signal });
    sent.catch(() => undefined);
    await waitFor("the job runs", () => existsSync(marker));
    const [id = ""] = await service.activeIds();
    abort.abort();
    const { State, Reason } = await service.wait(id);
    assert.deepEqual([State, Reason], ["Killed", "Requested"]);
  });
}

test("a job whose answer is complete is not killed when its client leaves", async (t) => {
  const service = await sharedService(t);
  const answer = await post(service, "?wait=0&kill-on-disconnect=true", { CommandLine: "until [ -e go ]; do sleep 0.01; done" });
  await answer.ended;
  answer.close();
  const { ID, State }: { ID: string; State: string } = JSON.parse(answer.received().toString());
  assert.match(State, /Starting|Running/);
  const wait = service.wait(ID);
  await waitFor("it runs", async () => (await service.get(ID)).State === "Running");
  writeFileSync(join(service.workspaceOf(ID), "go"), "");
  assert.equal((await wait).State, "Succeeded");
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`a service that ends by ${signal} kills no job, also with kill-on-disconnect`, async (t) => {
    const service = await startService(t);
    const spec = { CommandLine: "echo one; until [ -e go ]; do sleep 0.01; done; echo two" };
    const answer = await post(service, "?attach=true&kill-on-disconnect=true", spec);
    await answer.until("one");
    await service.stop(signal);
    await assert.rejects(answer.ended);
    writeFileSync(join(service.workspaceOf(idOf(answer)), "go"), "");
    await service.start();
    assert.equal((await service.wait(idOf(answer))).State, "Succeeded");
    assert.equal((await service.output(idOf(answer))).toString(), "one\ntwo\n");
  });
}

test("POST /?wait=S answers with the whole job when it is finished, or as it is after S seconds", async (t) => {
  const service = await sharedService(t);
  const finished = await post(service, "?wait=100", { CommandLine: "echo hello; exit 4", Name: "short" });
  await finished.ended;
  const job = JSON.parse(finished.received().toString());
  assert.deepEqual([job.ID, job.Name, job.State, job.ExitCode, job.OutputBytes], [idOf(finished), "short", "Failed", 4, 6]);
  assert.deepEqual(job, await service.get(job.ID));
  const unfinished = await post(service, "?wait=0.2", { CommandLine: "sleep 1000" });
  await unfinished.ended;
  const running = JSON.parse(unfinished.received().toString());
  assert.deepEqual([unfinished.status, running.State, running.EndedAt], [200, "Running", null]);
  await service.kill(running.ID);
});

test("a repeated Idempotency-Key attaches to the job that it made, from byte 0, and waits for it", async (t) => {
  const service = await sharedService(t);
  const spec = { CommandLine: "echo $RANDOM$RANDOM$RANDOM" };
  const key = { "Idempotency-Key": "once" };
  const first = await post(service, "?attach=true", spec, key);
  await first.ended;
  for (const query of ["?attach=true", "?wait=10"]) {
    const again = await post(service, query, spec, key);
    await again.ended;
    assert.equal(idOf(again), idOf(first));
    if (query === "?attach=true") assert.deepEqual(again.received(), first.received());
  }
  const other = await post(service, "?attach=true", { CommandLine: "echo other" }, key);
  await other.ended;
  assert.deepEqual([other.status, other.headers["content-type"]], [422, "application/problem+json; charset=utf-8"]);
});

for (const [query, headers, status, field] of [
  ["?attach=true&wait=1", {}, 400, "?wait"],
  ["?kill-on-disconnect=true", {}, 400, "?kill-on-disconnect"],
  ["?attach=maybe", {}, 400, "?attach"],
  ["?wait=-1", {}, 400, "?wait"],
  ["?wait=soon", {}, 400, "?wait"],
  ["?attach=true", { Accept: "image/png" }, 406, "not-acceptable"],
] as const) {
  test(`what is wrong with ${query} is named, and no job is made`, async (t) => {
    const service = await sharedService(t);
    const { Jobs: before } = JSON.parse((await service.call("GET", "/jobs")).text);
    const answer = await post(service, query, { CommandLine: "true" }, headers);
    await answer.ended;
    assert.equal(answer.status, status);
    assert.ok(answer.received().includes(field), answer.received().toString());
    const { Jobs: afterwards } = JSON.parse((await service.call("GET", "/jobs")).text);
    assert.equal(afterwards.length, before.length);
  });
}

test("a reader for which there is no room is refused before its job exists", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_READERS: "1" } });
  const first = await post(service, "?attach=true", { CommandLine: "echo one; sleep 1000" });
  await first.until("one");
  for (const query of ["?attach=true", "?wait=1"]) {
    const second = await post(service, query, { CommandLine: "true" });
    await second.ended;
    assert.deepEqual([second.status, second.headers["retry-after"]], [503, "10"]);
  }
  assert.deepEqual(await service.activeIds(), [idOf(first)]);
  assert.equal((await service.call("POST", "/", { body: '{"CommandLine":"true"}' })).status, 200);
});
