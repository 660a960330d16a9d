import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Reader } from "./helper/http.ts";
import { needsProgram, proxyHost, type ReverseProxy, startOurHaproxy, startOurNginx, startPlainNginx } from "./helper/reverse-proxies.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken, type Headers } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

const [needsNginx, needsHaproxy] = [needsProgram("nginx", "nginx-light"), needsProgram("haproxy", "haproxy")];

type Behind = { service: Service; proxy: ReverseProxy; token: Headers };
type Start = (t: TestContext, servicePort: number) => Promise<ReverseProxy>;

const all: [string, Start, { skip: string | false }][] = [
  ["nginx as everybody first writes it", startPlainNginx, needsNginx],
  ["nginx with our file", startOurNginx, needsNginx],
  ["HAProxy with our file", startOurHaproxy, needsHaproxy],
];
const ours = all.slice(1);

for (const [name, start, needs] of all) {
  test(`behind ${name}, output and events arrive while the job runs, and completely`, needs, async (t) => {
    const { service, proxy, token } = await startBehind(t, start);
    const id = await service.submit({ CommandLine: "echo first; until [ -e go ]; do sleep 0.05; done; echo last" });
    const attach = (Accept: string): Promise<Reader> => proxy.open("GET", `/${id}/attach`, { headers: { ...token, Accept } });
    const readers = await Promise.all(["text/plain", "application/x-ndjson", "text/event-stream"].map(attach));
    await Promise.all(readers.map((reader) => reader.until("first")));
    const changes = await proxy.open("GET", "/events", { headers: token });
    await changes.until(": changes");
    const { job } = await service.run({ CommandLine: "true" });
    await changes.until(`"ID":"${job.ID}"`);
    assert.equal((await service.get(id)).State, "Running");
    writeFileSync(join(service.workspaceOf(id), "go"), "");
    await Promise.all(readers.map(({ ended }) => ended));
    const [raw, ...others] = readers.map((reader) => reader.received().toString());
    assert.equal(raw, "first\nlast\n");
    for (const other of others) assert.match(other, /last[^]*\{"Outcome":\{.*"State":"Succeeded"/);
    changes.close();
  });
}

for (const [name, start, needs] of ours) {
  test(`behind ${name}, a client with a token and the proxy's name submits jobs and transfers large files`, needs, async (t) => {
    const { service, proxy, token } = await startBehind(t, start);
    assert.equal((await proxy.call("GET", "/jobs")).status, 401);
    assert.equal((await proxy.call("GET", "/jobs", { headers: { ...token, Host: "elsewhere.example" } })).status, 421);
    assert.equal(
      (await proxy.call("GET", "/jobs", { headers: { ...token, Host: `${proxyHost}:8443`, Origin: `https://${proxyHost}:8443` } })).status,
      200,
    );
    const { ID } = JSON.parse((await proxy.call("POST", "/", { body: '{"CommandLine": "true"}', headers: token })).text);
    assert.equal((await service.wait(ID)).State, "Succeeded");
    const bytes = Buffer.alloc(3_000_000, "content\n");
    const path = `/${ID}/files/large%20file`;
    assert.equal((await proxy.call("PUT", path, { body: bytes, headers: token })).status, 200);
    assert.ok((await proxy.call("GET", path, { headers: token })).body.equals(bytes));
  });

  test(`behind ${name}, malformed requests on a connection that the proxy keeps get the service's answer`, needs, async (t) => {
    const { service, proxy, token } = await startBehind(t, start, { JOBRUNNER_MAX_HEADER_BYTES: "4096" });
    const { job } = await service.run({ CommandLine: "true" });
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await proxy.call("GET", `/${job.ID}`, { headers: token })).status, 200);
      const { status, text } = await proxy.call("GET", `/${job.ID}`, { headers: { ...token, "X-Long": "x".repeat(5000) } });
      assert.equal(status, 431, text);
      assert.match(text, /JOBRUNNER_MAX_HEADER_BYTES/);
    }
  });

  test(
    `behind ${name}, incomplete raw output is a broken connection, and a client that left is released at the job's next output`,
    needs,
    async (t) => {
      const { service, proxy, token } = await startBehind(t, start);
      const id = await service.submit({ CommandLine: "echo first; while sleep 0.1; do echo more; done" });
      const [cut, gone] = await Promise.all([1, 2].map(() => proxy.open("GET", `/${id}/attach`, { headers: token })));
      await Promise.all([cut?.until("first"), gone?.until("first")]);
      gone?.close();
      await waitFor("one reader is left", async () => /^jobrunner_readers 1$/m.test((await service.call("GET", "/metrics")).text));
      await service.crash();
      await assert.rejects(async () => await cut?.ended);
      await service.start();
    },
  );
}

async function startBehind(t: TestContext, start: Start, environment: Record<string, string> = {}): Promise<Behind> {
  const service = await startService(t, { environment: { JOBRUNNER_ALLOWED_HOSTS: proxyHost, ...environment } });
  const [token, proxy] = [bearer(await createToken(service, "client", "admin")), await start(t, service.port)];
  return { service, token, proxy };
}
