import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startService, type Service } from "./helper/service.ts";
import { bearer, createExpiredToken, createToken, fromElsewhere, jobrunner } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

const other = 54_321; // a user without an account
const isRoot = process.getuid?.() === 0;
const asOther = { skip: isRoot ? false : "only root can act as another user" };

test("the service's own user and root need no token on loopback", async (t) => {
  const service = await startService(t);
  assert.equal((await service.call("GET", "/jobs")).status, 200);
  const { job } = await service.run({ CommandLine: "true" });
  assert.match(String(job.SubmittedBy), /^local:\w+/);
});

test("another user of the machine gets 401 without a token, and access with one", asOther, async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "neighbour", "admin");
  const addresses = service.log.includes("[::1]") ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"];
  for (const address of addresses) {
    const refused = await curlAs(other, ["-s", "-w", "%{http_code}", "-d", '{"CommandLine": "id"}', `${address}:${service.port}`]);
    assert.match(refused, /as another user than you: send Authorization: Bearer TOKEN.*401$/);
  }
  assert.match(await curlAs(other, ["-s", "-H", `Authorization: Bearer ${token}`, service.url]), /^\{"IDs":\[\]\}$/);
  const { Jobs }: { Jobs: object[] } = JSON.parse((await service.call("GET", "/jobs")).text);
  assert.deepEqual(Jobs, []);
});

test("a client that disconnects before its user is looked up is not identified as root", asOther, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_FAILURES_PER_MINUTE: "1000" } });
  const body = '{"CommandLine": "id"}';
  const request = `POST / HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: ${body.length}\\r\\n\\r\\n${body.replaceAll('"', '\\"')}`;
  const hangUp = `for i in {1..60}; do exec 3<>/dev/tcp/127.0.0.1/${service.port}; printf "${request}" >&3; exec 3>&-; done`;
  await run("setpriv", [`--reuid=${other}`, `--regid=${other}`, "--clear-groups", "bash", "-c", hangUp]);
  const lastOnes = await curlAs(other, ["-s", "-o", "/dev/null", "-w", "%{http_code}", service.url]); // the others are looked up by now
  assert.equal(lastOnes, "401");
  const { Jobs }: { Jobs: object[] } = JSON.parse((await service.call("GET", "/jobs")).text);
  assert.deepEqual(Jobs, []);
});

test("a request that a proxy forwarded needs a token", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "behind the proxy", "read");
  for (const name of [
    "Forwarded",
    "X-Forwarded",
    "Client-IP",
    "X-Azure-ClientIP",
    "X-ProxyUser-Ip",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
  ]) {
    const answer = await service.call("GET", "/", { headers: { [name]: "for=127.0.0.1" } });
    assert.equal(answer.status, 401, name);
    assert.match(answer.text, new RegExp(`header ${name.toLowerCase()} says that a proxy`));
    assert.equal(answer.headers["www-authenticate"], 'Bearer realm="jobrunner"');
    assert.equal((await service.call("GET", "/", { headers: { [name]: "for=127.0.0.1", ...bearer(token) } })).status, 200);
  }
});

test("JOBRUNNER_LOCAL_TRUST=false refuses every request without a token", async (t) => {
  const service = await startService(t);
  const first = readFileSync(join(service.stateDir, "token"), "utf8").trim();
  await service.stop();
  await service.start({ JOBRUNNER_LOCAL_TRUST: "false" });
  assert.equal((await service.call("GET", "/")).status, 401);
  assert.equal((await service.call("GET", "/", { headers: bearer(first) })).status, 200);
  await service.stop();
});

test("the first start creates a token: it prints the path, never the value, and stores only the hash", async (t) => {
  const service = await startService(t);
  const path = join(service.stateDir, "token");
  assert.ok(service.log.includes(path));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const token = readFileSync(path, "utf8").trim();
  assert.match(token, /^jr_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  await service.call("GET", "/", { headers: bearer(token) });
  await service.stop();
  await service.start();
  assert.equal(service.log.split(path).length, 2, "said once, at the first start");
  const secret = token.slice(-43);
  const others = readdirSync(service.stateDir, { withFileTypes: true }).filter((file) => file.isFile() && file.name !== "token");
  assert.ok(
    others.some(({ name }) => name === "jobrunner.db"),
    "the database is among the files",
  );
  for (const file of others) {
    assert.ok(!readFileSync(join(service.stateDir, file.name)).includes(secret), file.name);
  }
  assert.ok(!service.log.includes(secret));
});

test("a wrong, malformed, expired or revoked token is refused, also where no token is needed", async (t) => {
  const service = await startService(t);
  const right = await createToken(service, "right", "admin");
  const revoked = await createToken(service, "gone", "admin");
  assert.equal((await jobrunner(service, ["token", "revoke", "gone"])).code, 0);
  const wrong = right.slice(0, -4) + (right.endsWith("AAAA") ? "BBBB" : "AAAA");
  const credentials = [wrong, right.slice(0, -1), `${right}x`, "", "jr", right.toUpperCase(), "\u00e9".repeat(40), "x".repeat(5000)].map(
    (text) => `Bearer ${text}`,
  );
  for (const Authorization of [...credentials, right, `Basic ${right}`, `Bearer ${right} ${right}`]) {
    const answer = await service.call("GET", "/", { headers: { Authorization: Buffer.from(Authorization).toString("latin1") } });
    assert.equal(answer.status, 401, Authorization);
  }
  for (const [token, word] of [
    [createExpiredToken(service, "admin"), "expired"],
    [revoked, "revoked"],
  ] as const) {
    const answer = await service.call("GET", "/", { headers: bearer(token) });
    assert.equal(answer.status, 401);
    assert.ok(answer.text.includes(word), answer.text);
  }
  assert.equal((await service.call("GET", "/", { headers: bearer(right) })).status, 200);
});

test("a revoked token's readers are disconnected, and its jobs continue", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "short-lived", "submit");
  const id = await service.submit({ CommandLine: "echo there; until [ -e go ]; do sleep 0.02; done" }, bearer(token));
  const readers = [await service.attach(id, "", bearer(token)), await events(service, token)];
  await readers[0]?.until("there");
  assert.equal((await jobrunner(service, ["token", "revoke", "short-lived"])).code, 0);
  for (const reader of readers) await assert.rejects(reader.ended);
  assert.deepEqual(await service.activeIds(), [id]);
  await service.submit({ CommandLine: `touch ${service.workspaceOf(id)}/go` });
  assert.equal((await service.wait(id)).State, "Succeeded");
});

test("a token that is revoked while its request arrives or waits gets no answer but a refusal", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "going", "submit");
  const id = await service.submit({ CommandLine: "sleep 1000" }, bearer(token));
  const waiting = service.call("GET", `/${id}/wait`, { headers: bearer(token) });
  const body = '{"CommandLine": "true"}';
  const slow = connect(service.port, "127.0.0.1");
  const answer: Buffer[] = [];
  slow.on("data", (chunk) => answer.push(chunk));
  slow.write(
    `POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, -5)}`,
  );
  await waitFor("both have come", async () => (await service.call("GET", "/metrics")).text.includes("jobrunner_readers 1\n"));
  assert.equal((await jobrunner(service, ["token", "revoke", "going"])).code, 0);
  await assert.rejects(waiting);
  slow.write(body.slice(-5));
  await waitFor("it is answered", () => answer.length > 0);
  assert.match(Buffer.concat(answer).toString(), /^HTTP\/1\.1 401 /);
  slow.destroy();
  const { Jobs }: { Jobs: object[] } = JSON.parse((await service.call("GET", "/jobs")).text);
  assert.equal(Jobs.length, 1);
});

test("two processes that create a token of the same name at once create one", async (t) => {
  const service = await startService(t);
  const ended = await Promise.all(Array.from({ length: 4 }, () => jobrunner(service, ["token", "create", "same"])));
  assert.deepEqual(ended.map(({ code }) => String(code)).toSorted(), ["0", "2", "2", "2"]);
});

test("tokens are created, listed with their last use, and revoked by name or ID", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "ci", "submit");
  const listed = async (): Promise<Record<string, unknown>> => {
    const all: Record<string, unknown>[] = JSON.parse((await jobrunner(service, ["token", "list", "--json"])).stdout);
    return all.find(({ Name }) => Name === "ci") ?? {};
  };
  const before = await listed();
  assert.deepEqual([before["Role"], before["State"], before["LastUsedAt"]], ["submit", "valid", null]);
  await service.call("GET", "/", { headers: bearer(token) });
  await waitFor("its use is recorded", async () => (await listed())["LastUsedAt"] !== null);
  assert.match((await jobrunner(service, ["token", "list"])).stdout, /^NAME +ROLE +STATE +ID +CREATED +EXPIRES +LAST USED\n/);
  assert.match((await jobrunner(service, ["token", "create", "ci"])).stderr, /^jobrunner: there is a token ci already/);
  assert.equal((await jobrunner(service, ["token", "revoke", String(before["ID"])])).code, 0);
  assert.equal((await listed())["State"], "revoked");
  const unknown = await jobrunner(service, ["token", "revoke", "nobody"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^jobrunner: there is no token "nobody"/);
  for (const args of [
    ["create"],
    ["create", "-x"],
    ["create", "a", "--role", "root"],
    ["create", "a", "--expires", "soon"],
    ["create", "a\nb"],
    ["made"],
  ]) {
    const { code, stderr } = await jobrunner(service, ["token", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});

test("a request with two Authorization headers is refused, and a token in a path is not logged", async (t) => {
  const service = await startService(t);
  const token = await createToken(service, "right", "admin");
  const both = await service.call("GET", "/", { headers: { Authorization: [`Bearer ${token}`, "Bearer wrong"] } });
  assert.equal(both.status, 401);
  await service.call("GET", `/${token}`, { headers: fromElsewhere });
  assert.ok(!readFileSync(join(service.stateDir, "audit.log"), "utf8").includes(token.slice(-20)));
});

test("failed attempts are limited per address; a valid token still works", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_FAILURES_PER_MINUTE: "3" } });
  const token = await createToken(service, "right", "read");
  const attempt = (): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> =>
    service.call("GET", "/", { headers: bearer("jr_wrong") });
  for (let failures = 0; failures < 3; failures += 1) assert.equal((await attempt()).status, 401);
  const limited = await attempt();
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers["retry-after"]) >= 1);
  assert.equal((await service.call("GET", "/", { headers: bearer(token) })).status, 200);
  assert.equal(
    (await service.call("POST", "/", { headers: bearer(token), body: '{"CommandLine": "true"}' })).status,
    429,
    "what its role may not do is a failure too",
  );
  const refusals = readFileSync(join(service.stateDir, "audit.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes('"refused"'));
  assert.equal(refusals.length, 3);
});

test("requests per second are limited separately for each identity", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_REQUESTS_PER_SECOND: "20" } });
  const [busy, quiet] = [await createToken(service, "busy", "read"), await createToken(service, "quiet", "read")];
  const answers = await Promise.all(Array.from({ length: 100 }, () => service.call("GET", "/", { headers: bearer(busy) })));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 20, `${refused.length} of 100 were refused`);
  assert.equal(refused[0]?.headers["retry-after"], "1");
  assert.match(refused[0]?.text ?? "", /JOBRUNNER_MAX_REQUESTS_PER_SECOND/);
  assert.equal((await service.call("GET", "/", { headers: bearer(quiet) })).status, 200);
  await waitFor("it may ask again", async () => (await service.call("GET", "/", { headers: bearer(busy) })).status === 200);
});

test("everybody can read whether the service is well, and nothing else", async (t) => {
  const service = await startService(t);
  assert.equal((await service.call("GET", "/healthz", { headers: fromElsewhere })).text, '{"status":"ok"}');
  assert.match((await service.call("GET", "/healthz")).text, /"version".*"database"/);
});

function events(service: Service, token: string): ReturnType<Service["attach"]> {
  return service.open("GET", "/events", bearer(token));
}

async function curlAs(uid: number, args: string[]): Promise<string> {
  return await run("setpriv", [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "curl", ...args]);
}

function run(program: string, args: string[]): Promise<string> {
  return new Promise((resolve) => execFile(program, args, (_error, stdout) => resolve(stdout)));
}
