import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Type } from "typebox";
import { headerName } from "../src/api/headers.ts";
import type { Route } from "../src/api/route-table.ts";
import { openApi } from "./helper/api.ts";
import type { Answer } from "./helper/http.ts";
import { type Service, startService } from "./helper/service.ts";
import { type Violation, violationsOf, wrapped } from "./helper/violations.ts";

/** Everything that a route's schemas declare is enforced, and every accepted request fits them. */

type Part = "params" | "querystring" | "headers" | "body";
const parts = ["params", "querystring", "headers", "body"] as const satisfies Part[];

/** For each rule that JSON Schema cannot express: a value that breaks it, and the expected refusal. */
const refined: Record<string, { value: unknown; refusal: RegExp }[]> = {
  "params.id": [{ value: "nope", refusal: /"code":"unknown-job"/ }],
  "params.path": [
    { value: "a/%2e%2e/b", refusal: /"code":"outside-workspace"/ },
    { value: "a%00b", refusal: /"field":"path"/ },
  ],
  "querystring.state": [{ value: ["Running,Nope"], refusal: /"field":"\?state"/ }],
  "querystring.since": [{ value: "2026-13-01T00:00:00Z", refusal: /"field":"\?since"/ }],
  "querystring.until": [{ value: "tomorrow", refusal: /"field":"\?until"/ }],
  querystring: [
    { value: { offset: 5, end: 4 }, refusal: /"field":"\?end"/ },
    { value: { tail: 1, end: 4 }, refusal: /"field":"\?end"/ },
  ],
  body: [{ value: { CommandLine: "a", Commands: [{ CommandLine: "a" }] }, refusal: /"field":"CommandLine"/ }],
};

test("every constraint that a route declares for its path, query, headers and body is enforced", async (t) => {
  const { api } = await openApi(t);
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "true" });
  let count = 0;
  for (const route of api.routes.all.filter(({ method, schema }) => method !== "HEAD" && schema !== null)) {
    for (const part of parts) {
      const schema = route.schema?.[part];
      if (schema === undefined) continue;
      const isText = part !== "body";
      for (const violation of violationsOf(schema)) {
        if ((isText && !canBeText(violation, schema)) || (part === "params" && violation.constraint === "required")) continue;
        const answer = await send(service, route, { part, value: wrapped(violation.path, violation.value), id: job.ID });
        const what = `${route.method} ${route.url}: ${part} ${violation.path.join(".")} breaks ${violation.constraint}`;
        assert.equal(answer.status, 400, `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
        assert.ok(fieldsOf(answer).includes(fieldOf(part, violation)), `${what}: ${answer.text.slice(0, 300)}`);
        count += 1;
      }
    }
  }
  assert.ok(count > 150, `${count} constraints were found`);
});

test("every rule that is attached to a schema is enforced on every route with the schema", async (t) => {
  const { api } = await openApi(t);
  const service = await startService(t);
  const { job } = await service.run({ CommandLine: "true" });
  const seen = new Set<string>();
  for (const route of api.routes.all.filter(({ method }) => method !== "HEAD")) {
    for (const part of parts) {
      for (const [name, path] of refinedIn(route.schema?.[part], part)) {
        seen.add(name);
        const cases = refined[name];
        assert.ok(cases !== undefined, `${route.method} ${route.url}: no value is known that breaks the rule of ${name}`);
        for (const { value, refusal } of cases) {
          const { text } = await send(service, route, { part, value: wrapped(path, value), id: job.ID });
          assert.match(text, refusal, `${route.method} ${route.url}: ${name}`);
        }
      }
    }
  }
  assert.deepEqual([...seen].toSorted(), Object.keys(refined).toSorted());
});

/** The schemas with a rule of their own: of a part, and of its fields. */
function* refinedIn(schema: unknown, part: Part): Generator<[name: string, path: string[]]> {
  if (!Type.IsObject(schema)) return;
  if (Type.IsRefine(schema)) yield [part, []];
  for (const [field, property] of Object.entries(schema.properties)) if (Type.IsRefine(property)) yield [`${part}.${field}`, [field]];
}

type Sending = { part: Part; value: unknown; id: string };

/** A request of the route that is valid except for one part, which is the value. */
async function send(service: Service, { method, url }: Route, { part, value, id }: Sending): Promise<Answer> {
  const given = new Map(Object.entries(typeof value === "object" && value !== null ? value : {}));
  const params = part === "params" ? given : new Map();
  const path = url.replace(":id", String(params.get("id") ?? id)).replace("*", String(params.get("path") ?? "file"));
  const query = new URLSearchParams();
  for (const [name, text] of part === "querystring" ? given : []) for (const one of [text].flat()) query.append(name, String(one));
  const headers = part === "headers" ? Object.fromEntries([...given].map(([name, text]) => [name, String(text)])) : {};
  const body =
    method !== "POST"
      ? {}
      : { body: JSON.stringify(part === "body" ? value : url.endsWith("/signal") ? { Signal: "SIGUSR1" } : { CommandLine: "true" }) };
  return await service.call(method, `${path}?${query.toString()}`, { headers, ...body });
}

/** Values in a URL or header are text: text cannot have a wrong type, and one parameter is a list of one. */
function canBeText({ path, value, constraint }: Violation, schema: unknown): boolean {
  if (path.length === 0) return false;
  const property = Type.IsObject(schema) ? schema.properties[String(path[0])] : undefined;
  return constraint !== "type" || (value === "x" && !Type.IsArray(property)) || value === "maybe";
}

function fieldsOf({ text }: Answer): string[] {
  const { errors = [] }: { errors?: { field: string }[] } = JSON.parse(text);
  return errors.map(({ field }) => field);
}

function fieldOf(part: Part, { path }: Violation): string {
  if (part === "body" && path.length === 0) return "the body";
  const name = path.map((one, index) => (typeof one === "number" ? `[${one}]` : `${index === 0 ? "" : "."}${one}`)).join("");
  const fields: Record<Part, (name: string) => string> = {
    params: (one) => (one === "id" ? "ID" : one),
    querystring: (one) => `?${one}`,
    headers: headerName,
    body: (one) => one,
  };
  return fields[part](name);
}
