import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ApiError, Client, type Piece, type Retry, Unreachable } from "../src/client/index.ts";
import { cli, startCli, startProgram } from "./helper/cli.ts";
import { type Mood, MoodyProxy } from "./helper/moody-proxy.ts";
import { freePort } from "./helper/ports.ts";
import { Proxy } from "./helper/proxy.ts";
import { needsProgram, startNginx } from "./helper/reverse-proxies.ts";
import { type Service, startService } from "./helper/service.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";
import { createToken } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

test(
  "behind an nginx that delays each answer by a second, long-running commands work and print no messages",
  needsProgram("nginx", "nginx-light"),
  async (t) => {
    const service = await startService(t);
    const port = await freePort();
    await startNginx(
      t,
      port,
      `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${service.port}; proxy_read_timeout 1s; } }`,
    );
    const url = `http://127.0.0.1:${port}`;
    const options = { environment: { JOBRUNNER_TOKEN: await createToken(service, "behind", "admin") } };
    const running = startCli(t, url, ["run", "--name", "run", "-c", "echo first; sleep 3; echo last; exit 7"], options);
    const id = await service.submit({
      CommandLine: "trap 'sleep 2.5; echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
    });
    const others = ["attach", "logs", "wait"].map((command) =>
      startCli(t, url, [command, ...(command === "logs" ? ["-f"] : []), id], options),
    );
    await waitFor("it is ready", async () => (await service.output(id, "?follow=false")).includes("ready"));
    assert.deepEqual(await cli(t, url, ["kill", id], options), { code: 0, signal: null, stdout: `${id}\n`, stderr: "" });
    assert.equal((await service.get(id)).State, "Killed");
    assert.deepEqual(await running.ended(), { code: 7, signal: null, stdout: "first\nlast\n", stderr: "" });
    const [attach, logs, wait] = await Promise.all(others.map((other) => other.ended()));
    assert.deepEqual([attach?.stdout, logs?.stdout], Array(2).fill((await service.output(id, "?stream=stdout")).toString()));
    assert.match(wait?.stdout ?? "", /Killed/);
    for (const ended of [attach, logs, wait]) assert.doesNotMatch(ended?.stderr ?? "", /answer|reached/);
    assert.deepEqual(await cli(t, url, ["rm", "--force", id], options), { code: 0, signal: null, stdout: `${id}\n`, stderr: "" });
  },
);

const moods: [name: string, mood: Mood][] = [
  ...[429, 502, 503, 504].map((status): [string, Mood] => [String(status), { kind: "answer", status }]),
  ["a reset", { kind: "reset" }],
  ["a lost answer", { kind: "cut" }],
  ["silence", { kind: "silence" }],
];

for (const [name, mood] of moods) {
  test(`every call that lasts goes on after ${name}, and what it does is done once`, async (t) => {
    const service = await startService(t);
    const proxy = await new MoodyProxy(() => service.port).start(t);
    const client = new Client({ url: proxy.url, silenceSeconds: 0.5 });
    const moody = <Result>(call: () => Promise<Result>): Promise<Result> => {
      proxy.moods = [mood, mood];
      return call();
    };
    const id = await moody(() =>
      client.submit({ CommandLine: "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done", Name: "once" }),
    );
    assert.equal((await service.client().page({ name: "once" })).Jobs.length, 1);
    const pieces: Piece[] = [];
    const attached = moody(async () => {
      for await (const piece of client.attach(id)) pieces.push(piece);
    });
    await waitFor("it is attached", () => pieces.length > 0);
    const waiting = moody(() => client.wait(id));
    await waitFor("it is asked for", () => proxy.moods.length === 0);
    const files = client.files(id);
    const content = "some text\n".repeat(1000);
    await moody(() => files.write("a file", new Blob([content])));
    const found = await moody(() => files.open("a file"));
    assert.ok(found.kind === "file");
    assert.equal(await new Response(found.bytes).text(), content);
    await moody(async () => assert.equal((await files.list("").next()).value?.Name, "a file"));
    await moody(() => client.kill(id));
    assert.equal((await waiting).State, "Killed");
    await attached;
    assert.match(textOf(pieces), /^ready\n(.*\n)?cleaned\n/);
    await moody(() => client.remove(id));
    const other = await service.submit({ CommandLine: "trap '' TERM; while :; do sleep 0.01; done" });
    await moody(() => client.kill(other, { isForced: true }));
    assert.equal((await service.get(other)).State, "Killed");
    await moody(async () => assert.equal((await client.events().next()).value?.kind, "open"));
  });
}

test("a command that asks once fails at once with an error, while long-running commands retry", async (t) => {
  const service = await startService(t);
  const proxy = await new MoodyProxy(() => service.port).start(t);
  const client = new Client({ url: proxy.url });
  const hasty = new Client({ url: proxy.url, silenceSeconds: 0.3 });
  for (const call of [
    (to: Client) => to.running(),
    (to: Client) => to.job("x"),
    (to: Client) => to.page(),
    (to: Client) => to.box(),
    (to: Client) => to.health(),
  ]) {
    proxy.moods = [{ kind: "answer", status: 503 }];
    await assert.rejects(call(client), (error) => error instanceof ApiError && error.status === 503);
    proxy.moods = [{ kind: "silence" }];
    await assert.rejects(
      call(hasty),
      (error) => error instanceof Unreachable && error.message === `no answer from ${proxy.url}: nothing came for 0.3 s`,
    );
  }
  proxy.moodOf = () => ({ kind: "answer", status: 502 });
  const { code, stderr } = await cli(t, proxy.url, ["ps"]);
  assert.deepEqual(
    [code, stderr],
    [
      1,
      `jobrunner: what answers at ${proxy.url} is not a jobrunner: 502 Bad Gateway\nA proxy is there that does not reach the service: ` +
        `is it running?\n`,
    ],
  );
});

test("after a refused and retried removal, a missing job is still an error", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_REQUESTS_PER_SECOND: "3" } });
  const refusals = new Set<unknown>();
  const client = new Client({ url: service.url, onRetry: ({ cause }) => refusals.add(cause instanceof ApiError ? cause.code : cause) });
  const isUnknown = (error: unknown): boolean => error instanceof ApiError && error.code === "unknown-job";
  await waitFor("one is refused for a moment", async () => {
    await assert.rejects(client.remove("01900000-0000-7000-8000-000000000000"), isUnknown);
    return refusals.size > 0;
  });
  assert.deepEqual(refusals, new Set(["too-many-requests"]));
  await waitFor("others may ask again", async () => (await service.call("GET", "/")).status === 200);
});

test("Retry-After is obeyed, in seconds or as a time", async (t) => {
  const service = await startService(t);
  const proxy = await new MoodyProxy(() => service.port).start(t);
  const retries: Retry[] = [];
  const client = new Client({ url: proxy.url, onRetry: (retry) => retries.push(retry) });
  for (const value of ["2", () => new Date(Date.now() + 3000).toUTCString()]) {
    proxy.moods = [{ kind: "answer", status: 429, headers: { "Retry-After": typeof value === "string" ? value : value() } }];
    await client.submit({ CommandLine: "true" });
  }
  assert.equal(retries.length, 2);
  for (const { delayMs } of retries) assert.ok(delayMs > 1000 && delayMs <= 3000, String(delayMs));
});

test("an error after the submission reports the job's ID, and that the job continues", async (t) => {
  const service = await startService(t);
  const proxy = await new MoodyProxy(() => service.port).start(t);
  for (const status of [401, 404, 500]) {
    proxy.moodOf = ({ method }) => (method === "POST" ? null : { kind: "answer", status });
    const { code, stdout, stderr } = await cli(t, proxy.url, ["run", "--", "sleep", "1000"]);
    const [id = ""] = await service.activeIds();
    assert.deepEqual([code, stdout], [125, ""]);
    assert.ok(
      stderr.endsWith(`\nThe job ${id} continues: 'jobrunner attach ${id}' shows it again, 'jobrunner kill ${id}' ends it.\n`),
      stderr,
    );
    await service.kill(id);
  }
});

test("run reports and survives a service that is down or silent, and repeats nothing that it has started", async (t) => {
  const service = await startService(t);
  const proxy = await new MoodyProxy(() => service.port).start(t);
  proxy.moodOf = ({ method }) => (method === "POST" ? { kind: "cut" } : null);
  const running = startCli(t, proxy.url, ["run", "-c", "echo begun; until [ -e go ]; do sleep 0.01; done; exit 3"]);
  await running.until("this goes on when");
  await service.crash();
  proxy.moodOf = null;
  await service.start();
  await running.until("the service answers again");
  await running.until("begun");
  const [id = "", ...more] = await service.activeIds();
  assert.deepEqual(more, []);
  writeFileSync(join(service.workspaceOf(id), "go"), "");
  assert.equal((await running.ended()).code, 3);
});

test("ps --watch continues when the list is unavailable for a moment, and then shows what changed meanwhile", needsScript, async (t) => {
  const service = await startService(t);
  const proxy = await new MoodyProxy(() => service.port).start(t);
  const running = startProgram(t, onTerminal("stty cols 80 rows 10; exec bin/jobrunner ps --watch"), {
    environment: { JOBRUNNER_URL: proxy.url },
    stdin: null,
  });
  await running.until("LABELS");
  let refusals = 0;
  proxy.moodOf = ({ url }) => {
    if (url?.startsWith("/jobs") !== true) return null;
    refusals += 1;
    return { kind: "answer", status: 502 };
  };
  await service.submit({ Name: "meanwhile", CommandLine: "sleep 1000" });
  await waitFor("the list is asked for again and again", () => refusals > 3);
  proxy.moodOf = null;
  await running.until("meanwhile");
  running.type("\u0003");
  assert.equal((await running.ended()).code, 0);
});

test("a submission without an answer reports the key with which the job can be found", async (t) => {
  const service = await startService(t);
  const proxy = await new MoodyProxy(() => service.port).start(t);
  proxy.moodOf = () => ({ kind: "cut" });
  for (const options of [[], ["--detach"]]) {
    const args = [...options, "-c", `echo ${options.length}; sleep 1000`];
    const running = startCli(t, proxy.url, ["run", ...args]);
    await running.until("this goes on when");
    for (const words of options.length > 0
      ? []
      : ["as soon as it has an ID", "as soon as it has an ID; Ctrl-C for a third time leaves it running\njobrunner: the job"]) {
      running.interrupt();
      await running.until(words);
    }
    running.interrupt();
    const { code, stderr } = await running.ended();
    assert.equal(code, 130);
    const [, key = ""] = /there may be one all the same: with --idempotency-key (\S+) the same command/.exec(stderr) ?? [];
    const [id = ""] = await service.activeIds();
    assert.equal(
      (await cli(t, service.url, ["run", "--detach", "--idempotency-key", key, ...args.slice(options.length)])).stdout,
      `${id}\n`,
    );
    await service.kill(id);
  }
});

test("a command ends at once if nothing listens, both at the beginning and after a first answer", async (t) => {
  const nowhere = await cli(t, `http://127.0.0.1:${await freePort()}`, ["wait", "0"]);
  assert.equal(nowhere.code, 125);
  const service = await startService(t);
  const id = await service.submit({ CommandLine: "sleep 1000" });
  const waiting = startCli(t, service.url, ["wait", id]);
  await waitFor("it waits", async () => /^jobrunner_readers 1$/m.test((await service.call("GET", "/metrics")).text));
  await service.crash();
  await waiting.until("the service does not answer any more; this goes on when it does");
  await service.start();
  await service.kill(id);
  assert.equal((await waiting.ended()).code, 143);
});

test("cp resumes after a broken connection, in both directions, and detects a file that changed meanwhile", async (t) => {
  const service = await startService(t);
  const proxy = await new Proxy(() => service.port).start(t);
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-patience-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const content = randomBytes(3_000_000);
  writeFileSync(join(folder, "in"), content);
  const id = await workspace(service);
  proxy.cuts = [1];
  assert.deepEqual((await cli(t, proxy.url, ["cp", join(folder, "in"), `${id}:there`])).stderr, "");
  assert.ok(readFileSync(join(service.workspaceOf(id), "there")).equals(content));
  proxy.cuts = [1_000_000, 900_000];
  assert.deepEqual((await cli(t, proxy.url, ["cp", `${id}:there`, join(folder, "out")])).stderr, "");
  assert.ok(readFileSync(join(folder, "out")).equals(content));
  const found = await new Client({
    url: proxy.url,
    fetch: async (url, init) => await fetch(url, { ...init, headers: { ...init.headers, Connection: "close" } }),
  })
    .files(id)
    .open("there");
  assert.ok(found.kind === "file");
  writeFileSync(join(service.workspaceOf(id), "there"), "other");
  proxy.breakAll();
  await assert.rejects(new Response(found.bytes).arrayBuffer(), /the file was changed while it was copied|range begins after/);
});

async function workspace(service: Service): Promise<string> {
  const { job } = await service.run({ CommandLine: "true" });
  return job.ID;
}

function textOf(pieces: Piece[]): string {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === "output" ? [piece.bytes] : []))).toString();
}
