import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { JobView } from "../src/job/job.ts";
import { open } from "./helper/http.ts";
import { type Service, startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

test("the original's four calls work as plain curl sends them", async (t) => {
  const service = await startService(t);
  const body = '{"CommandLine":"echo $GREETED; exec sleep 1000","Environment":{"GREETED":"world"}}';
  for (const type of ["application/x-www-form-urlencoded", "application/json", "application/json; charset=utf-8", "nonsense", ""]) {
    const answer = await service.call("POST", "/", { body, headers: type === "" ? {} : { "Content-Type": type } });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /^\{"ID":"[0-9a-f-]{36}"\}$/);
    const { ID }: { ID: string } = JSON.parse(answer.text);
    assert.equal(answer.headers.location, `/${ID}`);
    assert.deepEqual(await service.activeIds(), [ID]);
    const reader = await service.attach(ID);
    assert.equal(reader.headers["transfer-encoding"], "chunked");
    await reader.until("world\n");
    assert.equal((await service.call("DELETE", `/${ID}`)).status, 200);
    await reader.ended;
    assert.equal(reader.received().toString(), "world\n");
    assert.deepEqual(await service.activeIds(), []);
  }
});

test("wait answers when the job is finished, or with 408 in time", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit({ CommandLine: "exec sleep 1000" });
  const late = await service.call("GET", `/${id}/wait?timeout=0.05`);
  assert.equal(late.status, 408, late.text);
  const waiting = service.wait(id);
  await service.kill(id);
  assert.equal((await waiting).State, "Killed");
  assert.equal((await service.call("GET", `/${id}/wait?timeout=0`)).status, 200);
});

test("jobs are listed newest first, by state, label, name and time, page by page", async (t) => {
  const service = await startService(t);
  const ids: string[] = [];
  for (let index = 0; index < 12; index++) {
    ids.push(
      await service.submit({ CommandLine: `exit ${index % 2}`, Name: `n${index % 3}`, Labels: { team: String(index % 4), all: "" } }),
    );
    if (index === 5) await Promise.all(ids.map((id) => service.wait(id)));
  }
  await Promise.all(ids.map((id) => service.wait(id)));
  const running = await service.submit({ CommandLine: "exec sleep 1000", Labels: { team: "0" } });
  const all = [...ids, running].toReversed();
  assert.deepEqual(await list(service, ""), all);
  assert.deepEqual(await pages(service, "limit=5"), all);
  assert.deepEqual(
    await pages(service, "limit=2&state=Failed"),
    all.filter((id) => id !== running && ids.indexOf(id) % 2 === 1),
  );
  for (const states of ["Running,Starting", "running", "STARTING,rUNNING"]) {
    assert.deepEqual(await list(service, `state=${states}`), [running], states);
  }
  assert.deepEqual(await pages(service, "limit=1&label=team%3D0"), [running, ids[8], ids[4], ids[0]]);
  assert.deepEqual(await list(service, "label=all&label=team%3D1&state=Failed&limit=2"), [ids[9], ids[5]]);
  assert.deepEqual(await list(service, "label=team%3D0&state=Succeeded&name=n2"), [ids[8]]);
  const { SubmittedAt } = await service.get(ids[6] ?? "");
  assert.deepEqual(await list(service, `since=${SubmittedAt}`), all.slice(0, 7));
  assert.deepEqual(await list(service, `until=${SubmittedAt}`), all.slice(7));
  assert.deepEqual(await list(service, "name=none"), []);
});

test("a text is found in names, IDs and labels of running and finished jobs, in any case; % and _ are ordinary characters", async (t) => {
  const service = await startService(t);
  const { job: over } = await service.run({ Name: "Nightly_build 100%", Labels: { team: "Data" }, CommandLine: "true" });
  const { job: other } = await service.run({ Labels: { team: "web" }, CommandLine: "true" });
  const running = await service.submit({ Name: "nightly run", CommandLine: "exec sleep 1000" });
  const texts: [string, string[]][] = [
    ["nightly", [running, over.ID]],
    ["NIGHTLY", [running, over.ID]],
    ["y_b", [over.ID]],
    ["0%", [over.ID]],
    ["%", [over.ID]],
    ["team=d", [over.ID]],
    ["team=", [other.ID, over.ID]],
    [other.ID.slice(20), [other.ID]],
    [running.slice(20).toUpperCase(), [running]],
    ["\\", []],
    ["none", []],
  ];
  for (const [text, ids] of texts) assert.deepEqual(await list(service, `text=${encodeURIComponent(text)}`), ids, text);
  assert.deepEqual(await pages(service, "text=n&limit=1"), [running, over.ID]);
  assert.deepEqual(await list(service, "text=nightly&state=Succeeded&label=team%3DData"), [over.ID]);
  assert.equal((await service.call("GET", "/jobs?text=")).status, 400);
  await service.kill(running);
});

test("a job with several matches of a text is listed once, and no page omits a job", async (t) => {
  const service = await sharedService(t);
  const labels = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`part-${index}`, "part"]));
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.unshift((await service.run({ Name: "part", Labels: labels, CommandLine: "true" })).job.ID);
  for (const limit of [1, 2, 3]) assert.deepEqual(await pages(service, `text=part&limit=${limit}`), ids, `${limit} at once`);
});

test("a finished job can be removed with all its files, a running one cannot", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "mkdir -m 0 locked; echo x > file; chmod 0 file", Labels: { a: "b" } });
  const directory = join(service.stateDir, "jobs", job.ID);
  assert.ok(existsSync(directory));
  assert.equal((await service.call("DELETE", `/jobs/${job.ID}`)).status, 200);
  assert.ok(!existsSync(directory));
  for (const path of [`/${job.ID}`, `/${job.ID}/attach`, `/${job.ID}/wait`]) assert.equal((await service.call("GET", path)).status, 404);
  assert.equal((await service.call("DELETE", `/jobs/${job.ID}`)).status, 404);
  assert.deepEqual(await list(service, "label=a"), []);
  const running = await service.submit({ CommandLine: "exec sleep 1000" });
  assert.equal((await service.call("DELETE", `/jobs/${running}`)).status, 409);
});

test("events report every change of state as it happens", async (t) => {
  const service = await sharedService(t);
  const events = await open(service.url, "GET", "/events", { headers: { Accept: "text/event-stream" } });
  assert.match(events.headers["content-type"] ?? "", /^text\/event-stream/);
  const id = await service.submit({ CommandLine: "trap 'exit 3' TERM; echo ready; while :; do sleep 0.02; done" });
  await (await service.attach(id)).until("ready");
  await service.kill(id);
  await events.until('"State":"Killed"');
  const jobs = [
    ...events
      .received()
      .toString()
      .matchAll(/^data: (.*)$/gm),
  ].map(([, json = ""]): JobView => JSON.parse(json));
  const states = jobs.filter(({ ID }) => ID === id).map(({ State }) => State);
  assert.deepEqual(
    states,
    ["Starting", "Running", "Stopping", "Killed"].filter((state) => states.some((seen) => seen === state)),
    "in this order",
  );
  assert.deepEqual([states[0], states.at(-1)], ["Starting", "Killed"]);
  events.close();
});

test("the same idempotency key and body return the same job, also after a crash; another body is refused", async (t) => {
  const service = await startService(t);
  const submit = (body: string, key = "k-1") => service.call("POST", "/", { body, headers: { "Idempotency-Key": key } });
  const answers = await Promise.all(Array.from({ length: 20 }, () => submit('{"CommandLine":"true","Name":"a"}')));
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.equal((await submit('{ "Name": "a", "CommandLine": "true" }')).text, answers[0]?.text, "the order of fields does not matter");
  assert.equal((await submit('{"CommandLine":"false"}')).status, 422);
  assert.notEqual((await submit('{"CommandLine":"true"}', "k-2")).text, answers[0]?.text);
  await service.crash();
  await service.start();
  assert.equal((await submit('{"CommandLine":"true","Name":"a"}')).text, answers[0]?.text);
  assert.equal((await list(service, "")).length, 2);
});

test("attach gives ranges of finished jobs", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "printf 0123456789" });
  const range = async (value: string) => service.call("GET", `/${job.ID}/attach`, { headers: { Range: value } });
  const cases: [string, number, string, string?][] = [
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["bytes=8-99999999999999999999", 206, "89", "bytes 8-9/10"],
    ["bytes=-100", 206, "0123456789", "bytes 0-9/10"],
    ["Bytes=0-1", 206, "01", "bytes 0-1/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=0-1,3-4", 200, "0123456789"],
    ["lines=1-2", 200, "0123456789"],
    ["bytes=5-2", 200, "0123456789"],
    ["bytes=-", 200, "0123456789"],
    ["bytes=0x1-5", 200, "0123456789"],
  ];
  for (const [value, status, body, contentRange] of cases) {
    const answer = await range(value);
    assert.deepEqual([answer.status, answer.headers["content-range"]], [status, contentRange], value);
    if (status !== 416) assert.equal(answer.text, body, value);
  }
});

test("attach sends the format with the highest quality in Accept; the service decides between equals and ignores parameters", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "echo one" });
  const [raw, ndjson, events] = ["text/plain; charset=utf-8", "application/x-ndjson", "text/event-stream"];
  const cases: [string, string | null][] = [
    ["*/*", raw],
    ["text/event-stream, text/plain", raw],
    ["text/event-stream, */*", raw],
    ["text/event-stream, */*;q=0.9", events],
    ["application/x-ndjson; charset=utf-8", ndjson],
    ["TEXT/EVENT-STREAM;q=1", events],
    ["text/*;q=0.5, application/x-ndjson;q=0.4", raw],
    ["text/plain;q=0, */*", ndjson],
    ["text/plain;q=0.3, text/event-stream;q=0.31", events],
    ["text/plain;q=0", null],
    ["image/png", null],
    ["", null],
  ];
  for (const [accept, type] of cases) {
    const { status, headers } = await service.call("GET", `/${job.ID}/attach`, { headers: { Accept: accept } });
    assert.deepEqual(
      [status, headers["content-type"]],
      type === null ? [406, "application/problem+json; charset=utf-8"] : [200, type],
      accept,
    );
  }
  const root = async (accept: string) => (await service.call("GET", "/", { headers: { Accept: accept } })).status;
  assert.deepEqual([await root("text/html, application/json"), await root("text/html, */*;q=0.8"), await root("*/*")], [200, 303, 200]);
});

test("attach by offset, tail, stream, step and time; as NDJSON and as events that resume", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({
    Commands: [{ CommandLine: "echo one; echo err >&2" }, { CommandLine: "env printf 'two\\nh\\303\\251\\377'; exit 1" }],
  });
  const get = async (query: string) => (await service.output(job.ID, query)).toString("latin1");
  assert.equal(await get("?offset=4"), "err\ntwo\nh\xc3\xa9\xff");
  assert.equal(await get("?offset=99"), "");
  assert.equal(await get("?tail=2"), "two\nh\xc3\xa9\xff");
  assert.equal(await get("?tail=0"), "");
  assert.equal(await get("?stream=stderr"), "err\n");
  assert.equal(await get("?step=2&tail=1"), "h\xc3\xa9\xff");
  assert.equal(await get("?step=1&stream=stdout&follow=false"), "one\n");
  assert.match(await get("?timestamps=true&step=1"), /^2\d{3}-\d\d-\d\dT[\d:.]+Z one\n2\d{3}-\d\d-\d\dT[\d:.]+Z err\n$/);
  const whole = await service.call("GET", `/${job.ID}/attach`);
  assert.deepEqual(
    [whole.headers["content-type"], whole.headers["x-content-type-options"], whole.headers["cache-control"]],
    ["text/plain; charset=utf-8", "nosniff", "no-store, no-transform"],
  );
  assert.deepEqual({ ...whole.trailers }, { "jobrunner-state": "Failed", "jobrunner-reason": "ExitCode", "jobrunner-exit-code": "1" });
  const lines = await asLines(service, job.ID);
  assert.deepEqual(
    lines.map(({ Offset, Step, Stream, Data, Encoding }) => [Offset, Step, Stream, Data, Encoding]),
    [
      [0, 1, "stdout", "one\n", undefined],
      [4, 1, "stderr", "err\n", undefined],
      [8, 2, "stdout", Buffer.from("two\nh\xc3\xa9\xff", "latin1").toString("base64"), "base64"],
      [undefined, undefined, undefined, undefined, undefined],
    ],
  );
  assert.equal(lines.at(-1)?.Outcome?.State, "Failed");
  const events = await service.call("GET", `/${job.ID}/attach`, { headers: { Accept: "text/event-stream" } });
  const ids = [...events.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id);
  assert.deepEqual(ids, ["4", "8", "16"]);
  const resumed = await service.call("GET", `/${job.ID}/attach?offset=0`, {
    headers: { Accept: "text/event-stream", "Last-Event-ID": "4" },
  });
  assert.equal(resumed.text, events.text.slice(events.text.indexOf("id: 8")));
});

test("HEAD has the headers and no body, and an HTTP/1.0 client gets everything without chunks and trailers", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "echo out" });
  for (const path of [`/${job.ID}/attach`, `/${job.ID}`, "/events", "/jobs", "/"]) {
    const head = await service.call("HEAD", path);
    assert.deepEqual([head.status, head.text], [200, ""], path);
  }
  const old = await promisify(execFile)("curl", ["-sS", "--http1.0", `${service.url}/${job.ID}/attach`]);
  assert.equal(old.stdout, "out\n");
});

test("output is kept byte for byte: NUL, invalid UTF-8, and a line of 10 MB", async (t) => {
  const service = await sharedService(t);
  const binary = await service.run({ CommandLine: "printf 'a\\0b\\377\\376\\n'" });
  assert.deepEqual([...binary.output], [97, 0, 98, 255, 254, 10]);
  const long = await service.run({ CommandLine: "head -c 10000000 /dev/zero | tr '\\0' x; echo" });
  assert.equal(long.output.length, 10_000_001);
  assert.equal((await service.output(long.job.ID, "?tail=1")).length, 10_000_001);
});

test("a reader that stalls is disconnected, delays no other reader, and resumes by offset", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_READER_TIMEOUT_SECONDS: "1" } });
  const id = await service.submit({ CommandLine: "head -c 50000000 /dev/urandom; echo end" });
  const stalled = await service.attach(id);
  stalled.stall();
  const whole = await service.output(id);
  assert.equal(whole.length, 50_000_004);
  await waitFor("the reader is disconnected", () => service.log.includes("and was disconnected"));
  stalled.resume();
  await assert.rejects(stalled.ended);
  const got = stalled.received();
  assert.ok(got.length < whole.length);
  assert.ok(Buffer.concat([got, await service.output(id, `?offset=${got.length}`)]).equals(whole));
});

test("hundreds of readers of a live job all receive every byte", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit({
    CommandLine: "until [ -e go ]; do sleep 0.02; done; for i in {1..200}; do echo $i; done; head -c 300000 /dev/urandom",
  });
  const readers = await Promise.all(Array.from({ length: 300 }, () => service.attach(id)));
  assert.deepEqual([...new Set(readers.map(({ status }) => status))], [200]);
  await service.submit({ CommandLine: `touch ${service.stateDir}/jobs/${id}/work/go` });
  await Promise.all(readers.map(({ ended }) => ended));
  const whole = await service.output(id);
  assert.ok(readers.every((reader) => reader.received().equals(whole)));
});

test("the service reports its state", async (t) => {
  const service = await sharedService(t);
  const answer = await service.call("GET", "/healthz");
  assert.equal(answer.status, 200);
  assert.match(answer.text, /"status":"ok".*"database":"ok","launcher":"ok"/);
});

async function list(service: Service, query: string): Promise<string[]> {
  return (await page(service, query)).Jobs.map(({ ID }) => ID);
}

async function pages(service: Service, query: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const { Jobs, NextCursor } = await page(service, cursor === "" ? query : `${query}&cursor=${cursor}`);
    ids.push(...Jobs.map(({ ID }) => ID));
    cursor = NextCursor;
  }
  return ids;
}

type Page = { Jobs: { ID: string }[]; NextCursor: string | null };

async function page(service: Service, query: string): Promise<Page> {
  const answer = await service.call("GET", `/jobs?${query}`);
  assert.equal(answer.status, 200, answer.text);
  const result: Page = JSON.parse(answer.text);
  return result;
}

type Line = { Offset?: number; Step?: number; Stream?: string; Data?: string; Encoding?: string; Outcome?: { State: string } };

async function asLines(service: Service, id: string): Promise<Line[]> {
  const { text } = await service.call("GET", `/${id}/attach`, { headers: { Accept: "application/x-ndjson" } });
  return text
    .trim()
    .split("\n")
    .map((line): Line => JSON.parse(line));
}
