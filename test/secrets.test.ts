import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { engineTest } from "./helper/engines.ts";
import type { Answer } from "./helper/http.ts";
import { argumentsOf, processesOf } from "./helper/processes.ts";
import { startService, type Service } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const secret = "s3cret-value";

test("a secret is in the job's environment, and visible nowhere else", async (t) => {
  const service = await startService(t);
  const events = await service.open("GET", "/events");
  const { job } = await service.run({
    Secrets: { API_KEY: secret },
    Environment: { SHOWN: "value" },
    Commands: [
      { CommandLine: 'printf %s "$API_KEY" | md5sum; echo "key: $API_KEY" | tee -a leaked; echo "$API_KEY" >&2' },
      { CommandLine: 'echo "$API_KEY"; exit 3' },
    ],
  });
  const raw = await service.call("GET", `/${job.ID}/attach`);
  const sum = createHash("md5").update(secret).digest("hex");
  assert.equal(raw.text, `${sum}  -\nkey: ***\n***\n***\n`);
  assert.deepEqual(job.Spec.Secrets, { API_KEY: null });
  await events.until('"State":"Failed"');
  const answers = await Promise.all(everyView(service, job.ID));
  for (const { text } of [...answers, { text: events.received().toString() }, { text: service.log }])
    assert.ok(!text.includes(secret), text);
  assert.equal(
    readFileSync(join(service.workspaceOf(job.ID), "leaked"), "utf8"),
    `key: ${secret}\n`,
    "what a job writes to files is its own matter",
  );
});

test("when a job is finished, its secrets are on no disk of the service", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    Secrets: { API_KEY: secret, PEM: "first line\nsecond line" },
    CommandLine: "echo $API_KEY; until [ -e go ]; do sleep 0.02; done",
  });
  await service.submit({
    CommandLine: `until [ -e ${service.workspaceOf(id)} ]; do sleep 0.02; done; touch ${service.workspaceOf(id)}/go`,
  });
  await service.wait(id);
  assert.ok(!existsSync(join(service.stateDir, "jobs", id, "plan")));
  const waiting = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  await waiting.submit({ CommandLine: "sleep 1000" });
  const killed = await waiting.submit({ Secrets: { API_KEY: secret }, CommandLine: "true" });
  const draft = join(waiting.stateDir, "jobs", killed, "plan.new");
  mkdirSync(join(draft, ".."));
  writeFileSync(draft, secret); // as on a disk that became full
  await waiting.kill(killed);
  assert.ok(!existsSync(draft));
  await service.stop(); // closing empties the database's journal
  for (const file of globSync("**/*", { cwd: service.stateDir, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = readFileSync(join(file.parentPath, file.name));
    for (const text of [secret, "first line", "second line"]) assert.ok(!bytes.includes(text), file.name);
  }
});

test("every format of output, every range and every offset is masked alike", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ Secrets: { A: secret }, CommandLine: 'for i in 1 2 3; do echo "$i $A,"; echo "err $A" >&2; done' });
  const whole = await service.output(job.ID);
  assert.equal(job.OutputBytes, whole.length);
  const lines = whole.toString().split("\n").toSorted();
  assert.deepEqual(lines, ["", "1 ***,", "2 ***,", "3 ***,", "err ***", "err ***", "err ***"]);
  for (let offset = 0; offset <= whole.length; offset += 1) {
    assert.ok((await service.output(job.ID, `?offset=${offset}`)).equals(whole.subarray(offset)));
  }
  const range = await service.call("GET", `/${job.ID}/attach`, { headers: { Range: "bytes=2-4" } });
  assert.equal(range.text, whole.subarray(2, 5).toString());
  const pieces = await service.call("GET", `/${job.ID}/attach`, { headers: { Accept: "application/x-ndjson" } });
  const data = pieces.text
    .trim()
    .split("\n")
    .slice(0, -1)
    .map((line): { Data: string } => JSON.parse(line))
    .map(({ Data }) => Data);
  assert.equal(data.join(""), whole.toString());
});

test("a secret is masked also if it is split, overlaps or begins another", async (t) => {
  const service = await startService(t);
  const pem = "-----BEGIN-----\nabcdefgh\nxyz\n-----END-----";
  const { output } = await service.run({
    Secrets: { SHORT: "pass", LONG: "password", OVER: "wordsmith", PEM: pem, ODD: "a.*[b" },
    Commands: [
      { CommandLine: "for c in p a s s; do printf $c; sleep 0.05; done; echo; echo passwor passwordsmith pass" },
      { CommandLine: 'echo "$PEM"; echo "$PEM" | sed "s/^/> /"; printf "%s\\r\\n" "abcdefgh" xyz; echo "$ODD a..*[b"' },
      { CommandLine: "printf passwor" },
      { CommandLine: "echo d" },
    ],
  });
  assert.equal(output.toString(), "***\n***wor *** ***\n***\n> ***\n> ***\n> xyz\n> ***\n***\r\nxyz\r\n*** a..*[b\n***word\n");
});

test("a queued job keeps its secrets over a crash of the service, and runs with them", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" } });
  const first = await service.submit({ CommandLine: "until [ -e go ]; do sleep 0.02; done" });
  const second = await service.submit({ Secrets: { A: secret }, CommandLine: 'printf %s "$A" | wc -c; echo $A' });
  await service.crash();
  await service.start();
  assert.deepEqual((await service.get(second)).Spec, { Secrets: { A: null }, CommandLine: 'printf %s "$A" | wc -c; echo $A' });
  await waitFor("the first runs", () => existsSync(service.workspaceOf(first)));
  await service.kill(first);
  await service.wait(second);
  assert.equal((await service.output(second)).toString(), `${secret.length}\n***\n`);
});

test("no process of the service has a secret among its arguments, and no core dump of the job contains one", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    Secrets: { A: secret },
    CommandLine: "grep 'core file' /proc/self/limits; echo up; until [ -e go ]; do sleep 0.02; done",
  });
  const reader = await service.attach(id);
  await reader.until("up");
  assert.match(reader.received().toString(), /^Max core file size +1 +1 /);
  for (const pid of processesOf(service.stateDir)) assert.ok(!argumentsOf(pid).join(" ").includes(secret));
  await service.kill(id);
});

test("errors about secrets do not contain them", async (t) => {
  const service = await startService(t);
  const cases: [object, string][] = [
    [{ Secrets: { JOBRUNNER_STEP: secret } }, "Secrets.JOBRUNNER_STEP"],
    [{ Secrets: { A: secret }, Environment: { A: "b" } }, "Secrets.A"],
    [{ Secrets: { "A=B": secret } }, "Secrets.A=B"],
    [{ Secrets: { A: "" } }, "Secrets.A"],
    [{ Secrets: { A: `${secret}\u0000` } }, "Secrets.A"],
    [{ Secrets: { A: [secret] } }, "Secrets.A"],
    [{ Secrets: secret }, "Secrets"],
    [{ Secrets: { A: secret + "x".repeat(200_000) } }, "Secrets.A"],
    [{ Secrets: { A: secret + "x".repeat(130_000), B: "y".repeat(130_000), C: "z".repeat(3000) } }, "Secrets"],
  ];
  for (const [fields, field] of cases) {
    const { status, text } = await service.call("POST", "/", { body: JSON.stringify({ CommandLine: "true", ...fields }) });
    assert.equal(status, 400, field);
    const { errors }: { errors: { field: string }[] } = JSON.parse(text);
    assert.equal(errors[0]?.field, field);
    assert.ok(!text.includes(secret), text);
  }
  assert.ok(!service.log.includes(secret));
});

engineTest(
  "a container gets secrets in its environment, masked in its output and absent from its client's arguments",
  async (t, engine) => {
    const service = await startService(t, { environment: engine.environment });
    const lines = "two\nlines";
    const id = await service.submit({
      Secrets: { A: secret, LINES: lines },
      Commands: [
        {
          Image: "busybox",
          CommandLine: 'echo "$A"; echo "$LINES"; printf %s "$LINES" | wc -c; touch up; until [ -e go ]; do sleep 0.1; done',
        },
      ],
    });
    await waitFor("the container runs", () => existsSync(join(service.workspaceOf(id), "up")), 30);
    for (const pid of processesOf(service.stateDir)) assert.ok(!argumentsOf(pid).join(" ").includes(secret));
    await service.submit({ CommandLine: `touch ${service.workspaceOf(id)}/go` });
    const job = await service.wait(id);
    assert.equal(job.State, "Succeeded", String(job.Message));
    assert.equal((await service.output(id)).toString(), `***\n***\n${lines.length}\n`);
    assert.deepEqual(globSync("container-*.env", { cwd: join(service.stateDir, "jobs", id) }), []);
  },
);

function everyView(service: Service, id: string): Promise<Answer>[] {
  const get = (path: string, Accept = "*/*"): Promise<Answer> => service.call("GET", path, { headers: { Accept } });
  const attach = `/${id}/attach`;
  return [
    ...["", "?stream=stderr", "?step=2", "?tail=2", "?timestamps=true"].map((query) => get(attach + query)),
    ...["application/x-ndjson", "text/event-stream"].map((type) => get(attach, type)),
    ...["/jobs", `/${id}`, `/${id}/wait`].map((path) => get(path)),
  ];
}
