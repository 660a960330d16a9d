import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { layOut } from "../docs/openapi.ts";
import { problemCodes, statusOf } from "../src/api/problems.ts";
import { openapiTypes } from "../tools/openapi-types/generate.ts";
import { browserTest, startBrowser } from "./helper/browser.ts";
import { Contract } from "./helper/contract.ts";
import { assertProblem } from "./helper/problems.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { bearer, createToken, fromElsewhere } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

const committed = readFileSync(join(repository, "docs", "openapi.json"), "utf8");

test("docs/openapi.json matches the service, and the client's types match the document: make docs writes both", async (t) => {
  const service = await startService(t);
  const { text, headers } = await service.call("GET", "/openapi.json");
  assert.match(headers["content-type"] ?? "", /^application\/json/);
  assert.equal(layOut(JSON.parse(text)), committed);
  assert.equal(readFileSync(join(repository, "src", "client", "openapi.ts"), "utf8"), await openapiTypes(committed));
});

test("the document is OpenAPI 3.1, describes every problem, and its examples fit", async () => {
  const validator = new Validator();
  const result = await validator.validate(JSON.parse(committed));
  assert.equal(validator.version, "3.1");
  assert.deepEqual([result.valid, result.errors], [true, undefined]);
  const contract = new Contract(JSON.parse(committed));
  assert.deepEqual(contract.problems(), problemCodes.map((code) => `${statusOf(code)} ${code}`).toSorted());
  assert.ok(contract.checkExamples() > problemCodes.length);
});

test("answers for jobs of every kind fit the document", async (t) => {
  const service = await startService(t);
  const contract = new Contract(JSON.parse((await service.call("GET", "/openapi.json")).text));
  const ask = async (method: string, path: string, options: Parameters<Service["call"]>[2] = {}): Promise<void> => {
    contract.check({ method, path }, await service.call(method, path, options));
  };
  const specs = [
    { CommandLine: "printf 'out\\377'; echo err >&2", Name: "a", Labels: { a: "b" }, Environment: { A: "b" }, Secrets: { S: "hunter22" } },
    { Commands: [{ CommandLine: "exit 3", IgnoreError: true }, { Args: ["/no/such"] }, { CommandLine: "true", RunOn: "always" as const }] },
    { CommandLine: "sleep 1000", TimeoutSeconds: 0.1 },
  ];
  const ids = await Promise.all(specs.map(async (spec) => (await service.run(spec)).job.ID));
  const running = await service.submit({ CommandLine: "sleep 1000" });
  const read = bearer(await createToken(service, "r", "read"));
  for (const id of [...ids, running]) {
    await ask("GET", `/${id}`);
    await ask("GET", `/${id}`, { headers: read });
    await ask("GET", `/${id}/attach?follow=false`, { headers: { Accept: "application/x-ndjson" } });
    await ask("GET", `/${id}/attach?follow=false`);
    await ask("GET", `/${id}/wait?timeout=0`);
  }
  await ask("GET", `/${ids[0]}/attach`, { headers: { Range: "bytes=0-1" } });
  await ask("GET", `/${ids[0]}/attach`, { headers: { Range: "bytes=100-" } });
  await ask("GET", `/${ids[0]}/attach`, { headers: { Accept: "image/png" } });
  for (const path of ["/", "/jobs", "/jobs?limit=2", `/jobs?id=${running.slice(0, 8)}`, "/jobs?id=nobody", "/healthz", "/metrics"])
    await ask("GET", path);
  await ask("GET", "/healthz", { headers: fromElsewhere });
  await ask("GET", "/jobs", { headers: fromElsewhere });
  await ask("POST", "/", { body: '{"CommandLine": "true"}' });
  for (const body of ["", "{", "{}", '{"Nope": 1}', '{"Commands": [{"Image": "x"}]}', '{"CommandLine": "true", "User": "nobody"}'])
    await ask("POST", "/", { body });
  await ask("POST", "/", { body: '{"CommandLine": "true"}', headers: read });
  await ask("DELETE", `/jobs/${running}`);
  await ask("DELETE", `/${running}`);
  await ask("DELETE", `/jobs/${running}`);
  await ask("GET", `/${running}`);
});

test("jobs are found by the beginning of their ID", async (t) => {
  const service = await startService(t);
  const ids = await Promise.all([1, 2, 3].map(async () => (await service.run({ CommandLine: "true" })).job.ID));
  const running = await service.submit({ CommandLine: "sleep 1000" });
  const all = [...ids, running];
  const found = async (prefix: string, more = ""): Promise<string[]> => {
    const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse((await service.call("GET", `/jobs?id=${prefix}${more}`)).text);
    return Jobs.map(({ ID }) => ID);
  };
  const prefix = fc.tuple(fc.constantFrom(...all), fc.integer({ min: 1, max: 36 })).map(([id, length]) => id.slice(0, length));
  const property = fc.asyncProperty(prefix, async (text) => {
    assert.deepEqual((await found(text)).toSorted(), all.filter((id) => id.startsWith(text)).toSorted());
  });
  await fc.assert(property, { numRuns: 50 });
  assertProblem(await service.call("GET", "/jobs?id=g"), 400);
  assert.deepEqual(await found(running, "&state=Succeeded"), []);
  assert.deepEqual(await found(running, "&state=Running"), [running]);
});

browserTest("/docs shows the API without other sites, and runs a job", async (t) => {
  const service = await startService(t);
  const browser = await startBrowser(t, { isKeepingPolicies: true });
  const page = await browser.newPage();
  const [foreign, complaints]: [string[], string[]] = [[], []];
  page.on("request", (request) => {
    if (!request.url().startsWith(service.url) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${service.url}/docs`);
  const submit = page.locator(".opblock", { hasText: "Submits a job" });
  await submit.click();
  await submit.locator("textarea").fill('{"CommandLine": "echo from the page", "Name": "page"}');
  await submit.getByRole("button", { name: "Execute" }).click();
  await waitFor("the job is there", async () => (await service.call("GET", "/jobs?name=page")).text.includes('"State":"Succeeded"'));
  assert.deepEqual([foreign, complaints], [[], []]);
});
