import { strict as assert } from "node:assert";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { canMount, Mounts } from "./helper/mounts.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken, fromElsewhere, jobrunner } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

type Line = Record<string, unknown>;

function linesOf(service: Service, name = "audit.log"): Line[] {
  const lines = readFileSync(join(service.stateDir, name), "utf8").split("\n");
  assert.equal(lines.pop(), "", "every line is whole");
  return lines.map((line): Line => JSON.parse(line));
}

test("the audit log records who submitted, killed, deleted, created and revoked what, from where", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "ci", "submit");
  const id = await service.submit({ CommandLine: "sleep 1000" }, bearer(token));
  await service.call("DELETE", `/${id}?force=true`);
  await service.call("DELETE", `/jobs/${id}`, { headers: bearer(token) });
  await jobrunner(service, ["token", "revoke", "ci"]);
  await service.call("GET", `/${id}?a=b`, { headers: bearer(token) });
  await service.stop();
  const [user] = String(linesOf(service)[1]?.["By"]).split(":").slice(1);
  const events = linesOf(service).map(({ Time, Token, ...line }) => {
    assert.match(String(Time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    return Token === undefined ? line : { ...line, Token: typeof Token === "string" ? Token.length : Token };
  });
  const from = { From: "127.0.0.1" };
  const owner = { By: `command line:${user}`, Role: null, From: `uid ${process.getuid?.()}` };
  const ci = { By: "token:ci", Role: "submit", ...from };
  assert.deepEqual(events, [
    { Event: "start", By: "service", Role: null, From: "service" },
    { Event: "token create", ...owner, Token: 16, Name: "ci", TokenRole: "submit", ExpiresAt: null },
    { Event: "submit", ...ci, Job: id },
    { Event: "kill", By: `local:${user}`, Role: "admin", ...from, Job: id, Force: true },
    { Event: "delete", ...ci, Job: id },
    { Event: "token revoke", ...owner, Token: 16, Name: "ci" },
    {
      Event: "refused",
      By: null,
      Role: null,
      ...from,
      Code: "not-identified",
      Method: "GET",
      Path: `/${id}`,
      Reason: "the token was revoked",
    },
    { Event: "stop", By: "service", Role: null, From: "service" },
  ]);
  assert.equal(statSync(join(service.stateDir, "audit.log")).mode & 0o777, 0o600);
});

test("a removal that fails midway is in the audit log, with its progress", { skip: canMount }, async (t) => {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "mkdir -p full/mounted && mkdir full/{1..300}" });
  using mounts = new Mounts();
  const point = join(service.workspaceOf(job.ID), "full/mounted");
  mounts.add(point, point);
  const refused = await service.call("DELETE", `/${job.ID}/files/full?recursive=true`);
  assert.equal(refused.status, 409, refused.text);
  const { Event, Path, Failed, RemovedCount } = linesOf(service).at(-1) ?? {};
  assert.deepEqual([Event, Path, Failed, RemovedCount], ["file removed", "full", "not-all-removed", 300]);
});

test("operations that fail midway are in the audit log; operations that are refused before are not", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_FILE_BYTES: "2000" } });
  const id = await service.submit({ CommandLine: "sleep 1000" });
  assert.equal((await service.call("PUT", `/${id}/files/new/large`, { body: "x".repeat(5000) })).status, 413);
  assert.equal((await service.call("DELETE", `/${id}/files/nothing`)).status, 404);
  const cutOff = connect(service.port, "127.0.0.1");
  cutOff.write(`PUT /${id}/files/new/cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nxyz`);
  await waitFor("its folder is there", async () => (await service.call("GET", `/${id}/files/new/`)).status === 200);
  cutOff.destroy();
  await waitFor("four lines are there", () => linesOf(service).length >= 4);
  const [large, cut] = linesOf(service).slice(2);
  assert.deepEqual([large?.["Event"], large?.["Path"], large?.["Failed"]], ["file written", "new/large", "body-too-large"]);
  assert.deepEqual([cut?.["Event"], cut?.["Path"], cut?.["Failed"]], ["file written", "new/cut", "bad-request"]);
});

test("the audit log contains no bodies, secrets, variables or tokens", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "a", "read");
  await service.run({ CommandLine: "echo s3cret-1", Environment: { A: "s3cret-2" }, Secrets: { B: "s3cret-3" }, Name: "s3cret-4" });
  await service.call("POST", "/", { body: '{"CommandLine": "s3cret-5"}', headers: bearer(token) });
  await service.call("POST", "/?s3cret-6", { body: '{"s3cret-7"', headers: { ...fromElsewhere, Authorization: "Bearer s3cret-8" } });
  const text = readFileSync(join(service.stateDir, "audit.log"), "utf8");
  assert.equal(text.split('"refused"').length, 3);
  assert.ok(!text.includes("s3cret") && !text.includes(token), text);
});

test("the audit log is rotated, every file contains whole lines, and the number of files is limited", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_AUDIT_MAX_BYTES: "4096", JOBRUNNER_AUDIT_FILES: "3" } });
  const ids: string[] = [];
  for (let count = 0; count < 120; count += 1) ids.push((await service.run({ CommandLine: "true" })).job.ID);
  const files = readdirSync(service.stateDir)
    .filter((name) => name.startsWith("audit.log"))
    .toSorted();
  assert.deepEqual(files, ["audit.log", "audit.log.1", "audit.log.2"]);
  for (const name of files) assert.ok(statSync(join(service.stateDir, name)).size <= 4096);
  const kept = files
    .toReversed()
    .flatMap((name) => linesOf(service, name))
    .map(({ Job }) => Job);
  assert.ok(kept.length > 50, String(kept.length));
  assert.deepEqual(kept, ids.slice(-kept.length));
});
