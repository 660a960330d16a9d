import { strict as assert } from "node:assert";
import { test, type TestContext } from "node:test";
import fastify from "fastify";
import { addAccess } from "../src/api/access.ts";
import type { App } from "../src/api/context.ts";
import type { OperationName } from "../src/operations/access.ts";
import { openApi } from "./helper/api.ts";
import type { Answer } from "./helper/http.ts";
import { startService, type Service } from "./helper/service.ts";
import { bearer, createExpiredToken, createToken, fromElsewhere, type Headers, jobrunner } from "./helper/tokens.ts";

/** Who may call each route; a route that is missing here has not been considered. */
const expected: Record<string, "public" | "see" | "run" | "admin"> = {
  "GET /": "see",
  "POST /": "run",
  "POST /:id/signal": "run",
  "GET /:id": "see",
  "DELETE /:id": "run",
  "GET /:id/wait": "see",
  "GET /:id/attach": "see",
  "GET /:id/search": "see",
  "GET /:id/style": "see",
  "GET /:id/files/*": "run",
  "PUT /:id/files/*": "run",
  "DELETE /:id/files/*": "run",
  "GET /jobs": "see",
  "DELETE /jobs/:id": "run",
  "GET /events": "see",
  "GET /healthz": "public",
  "GET /metrics": "see",
  "GET /box": "see",
  "GET /box/findings": "admin",
  "GET /openapi.json": "public",
  "GET /docs": "public",
  "GET /docs/*": "public",
  "GET /ui": "public",
  "GET /ui/*": "public",
};

test("every route refuses unidentified clients and clients whose role is too small", async (t) => {
  const routes = await routesOf(t);
  assert.deepEqual(routes.filter((route) => !route.startsWith("HEAD ")).toSorted(), Object.keys(expected).toSorted());
  const service = await startService(t, { environment: { JOBRUNNER_MAX_FAILURES_PER_MINUTE: "1000" } });
  const foreign = await service.submit({ CommandLine: "sleep 1000" });
  const [read, submit, revoked] = await Promise.all([
    createToken(service, "r", "read"),
    createToken(service, "s", "submit"),
    createToken(service, "x", "admin"),
  ]);
  await jobrunner(service, ["token", "revoke", "x"]);
  const refused: Record<string, Headers> = {
    none: fromElsewhere,
    wrong: bearer(`jr_${"0".repeat(16)}_${"A".repeat(43)}`),
    expired: bearer(createExpiredToken(service, "admin")),
    revoked: bearer(revoked),
  };
  for (const route of routes) {
    const access = expected[route.replace("HEAD ", "GET ")];
    const [method = "", pattern = ""] = route.split(" ");
    const path = pattern.replace(":id", foreign).replace("/ui/*", "/ui/index.html").replace("*", "static/swagger-ui.css");
    const ask = (headers: Headers): Promise<number> => statusOf(service, method, path, headers);
    for (const [what, headers] of Object.entries(refused)) {
      const status = await ask(headers);
      assert.ok(access === "public" ? status < 400 : status === 401, `${route} with ${what}: ${status}`);
    }
    if (access === "run" || access === "admin") assert.equal(await ask(bearer(read)), 403, `${route} by read`);
    if (access === "admin") assert.equal(await ask(bearer(submit)), 403, `${route} by submit`);
    if (pattern.includes(":id")) assert.equal(await ask(bearer(submit)), 404, `${route} of another's job`);
  }
  assert.equal((await service.get(foreign)).State, "Running", "nothing of all this was done");
  assert.equal((await service.call("GET", "/nothing/here", { headers: fromElsewhere })).status, 401);
});

test("a submit token has full access to its own jobs, and none to the jobs of others", async (t) => {
  const service = await startService(t);
  const [mine, theirs] = [bearer(await createToken(service, "mine", "submit")), bearer(await createToken(service, "theirs", "submit"))];
  const ours = await service.submit({ CommandLine: "echo owner's; sleep 1000" });
  const events = await service.open("GET", "/events", mine);
  await events.until("changes of state");
  const [own, foreign] = [
    await service.submit({ CommandLine: "echo mine; sleep 1000" }, mine),
    await service.submit({ CommandLine: "echo theirs" }, theirs),
  ];
  const lists = async (headers: Headers): Promise<string[]> => jobsIn(await service.call("GET", "/jobs", { headers }));
  await service.wait(foreign);
  assert.deepEqual(await lists(mine), [own]);
  assert.deepEqual(await lists(theirs), [foreign]);
  assert.deepEqual((await lists({})).toSorted(), [ours, own, foreign].toSorted());
  assert.equal((await service.call("GET", "/", { headers: mine })).text, `{"IDs":["${own}"]}`);
  for (const id of [foreign, ours]) {
    for (const path of [`/${id}`, `/${id}/wait`, `/${id}/attach`])
      assert.equal((await service.call("GET", path, { headers: mine })).status, 404, path);
    for (const path of [`/${id}`, `/jobs/${id}`]) assert.equal((await service.call("DELETE", path, { headers: mine })).status, 404, path);
  }
  assert.equal((await service.get(own)).SubmittedBy, "token:mine");
  assert.equal((await service.call("DELETE", `/${own}`, { headers: mine })).status, 200);
  await events.until('"State":"Killed"');
  const told = events.received().toString();
  assert.ok(told.includes(own) && !told.includes(foreign) && !told.includes(ours), told);
  assert.equal((await service.call("GET", `/${own}/attach`, { headers: mine })).text, "mine\n");
  await service.crash();
  await service.start();
  assert.deepEqual(await lists(mine), [own], "also after a restart");
  assert.equal((await service.call("DELETE", `/jobs/${own}`, { headers: mine })).status, 200);
  assert.deepEqual(await lists(mine), []);
});

test("pages of a submit token's jobs contain no other identity's jobs", async (t) => {
  const service = await startService(t);
  const mine = bearer(await createToken(service, "mine", "submit"));
  const own: string[] = [];
  for (let count = 0; count < 7; count += 1) {
    await service.run({ CommandLine: "true", Name: "x", Labels: { a: "b" } });
    own.push(await service.submit({ CommandLine: "true", Name: "x", Labels: { a: "b" } }, mine));
    await service.wait(own.at(-1) ?? "");
  }
  for (const filter of ["", "&name=x", "&label=a=b", "&state=Succeeded", "&name=x&label=a&state=Succeeded,Failed"]) {
    const found: string[] = [];
    for (let cursor = ""; ;) {
      const answer = await service.call("GET", `/jobs?limit=2${filter}${cursor}`, { headers: mine });
      found.push(...jobsIn(answer));
      const { NextCursor }: { NextCursor: string | null } = JSON.parse(answer.text);
      if (NextCursor === null) break;
      cursor = `&cursor=${NextCursor}`;
    }
    assert.deepEqual(found, own.toReversed(), filter);
  }
});

test("a read token sees every job and its output, but no value of its environment", async (t) => {
  const service = await startService(t);
  const reader = bearer(await createToken(service, "reader", "read"));
  const { job } = await service.run({
    Environment: { A: "s3cret" },
    Commands: [{ CommandLine: "echo shown", Environment: { B: "s3cret" } }],
  });
  for (const path of [`/${job.ID}`, `/${job.ID}/wait`]) {
    const { text } = await service.call("GET", path, { headers: reader });
    assert.ok(!text.includes("s3cret"), text);
    const { Spec }: { Spec: object } = JSON.parse(text);
    assert.deepEqual(Spec, { Environment: { A: null }, Commands: [{ CommandLine: "echo shown", Environment: { B: null } }] });
  }
  assert.equal((await service.call("GET", `/${job.ID}/attach`, { headers: reader })).text, "shown\n");
  assert.ok((await service.call("GET", `/${job.ID}`)).text.includes("s3cret"));
});

test("an Idempotency-Key belongs to its identity", async (t) => {
  const service = await startService(t);
  const [one, two] = [bearer(await createToken(service, "one", "submit")), bearer(await createToken(service, "two", "submit"))];
  const key = { "Idempotency-Key": "nightly" };
  const first = await service.submit({ CommandLine: "echo 1" }, { ...one, ...key });
  const second = await service.submit({ CommandLine: "echo 2" }, { ...two, ...key });
  assert.notEqual(first, second);
  assert.equal(await service.submit({ CommandLine: "echo 1" }, { ...one, ...key }), first);
});

test("a route must name its operation, and the path of an operation on a job must have its ID where access is checked", async (t) => {
  const app: App = fastify({ exposeHeadRoutes: false });
  const { context } = await openApi(t);
  await addAccess(app, context);
  const handler = async (): Promise<string> => "";
  const addRoute = (url: string, operation: OperationName): void => void app.get(url, { config: { operation } }, handler);
  assert.throws(() => app.get("/a", handler), /GET \/a does not name its operation/);
  assert.throws(() => addRoute("/b/:job", "get"), /GET \/b\/:job: a path has the parameter :id/);
  assert.throws(() => addRoute("/c/:id", "list"), /GET \/c\/:id: a path has the parameter :id/);
  addRoute("/d/:id", "get");
});

/** `METHOD /path` of all routes, from the router itself. */
async function routesOf(t: TestContext): Promise<string[]> {
  const { api } = await openApi(t);
  return api.routes.all.map(({ method, url }) => `${method} ${url}`);
}

/** The status of a streamed answer, without waiting for its end. */
async function statusOf(service: Service, method: string, path: string, headers: Headers): Promise<number> {
  const reader = await service.open(method, path, headers);
  reader.close();
  return reader.status;
}

function jobsIn(answer: Answer): string[] {
  const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse(answer.text);
  return Jobs.map(({ ID }) => ID);
}
