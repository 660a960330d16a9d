import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { JobSpec } from "../src/job/spec.ts";
import { anything, type Harmless, nearly, word } from "./helper/arbitrary.ts";
import { assertProblem } from "./helper/problems.ts";
import { startService } from "./helper/service.ts";
import { bearer, createToken } from "./helper/tokens.ts";
import { isTorture } from "./helper/torture.ts";

type Request = { method: string; path: string; body?: string; headers: Record<string, string> };

const shown = fc.constantFrom("true", "exit 3", "echo out; echo err >&2", "sleep 0.01", "env");
const harmless: Harmless = {
  CommandLine: fc.oneof({ weight: 6, arbitrary: shown }, fc.constantFrom("", null, 7, [])),
  Args: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(["true"], ["echo", "a b"], ["/no/such"]) }, fc.constantFrom([], "", [1], null)),
  Shell: fc.constantFrom("sh", "bash", "/no/such", "", 1),
  Entrypoint: fc.constantFrom(["true"], [], 1),
  StopTimeoutSeconds: fc.oneof(fc.constantFrom(0, 0.1), anything),
  DrainTimeoutSeconds: fc.oneof(fc.constantFrom(0, 0.1), anything),
};

const parameter = fc.tuple(
  fc.constantFrom(
    "state",
    "label",
    "name",
    "since",
    "until",
    "limit",
    "cursor",
    "offset",
    "tail",
    "stream",
    "step",
    "timestamps",
    "timeout",
    "force",
    "zzz",
  ),
  fc.oneof(word, fc.integer().map(String), fc.constantFrom("true", "false", "Failed", "2026-01-01T00:00:00Z")),
);
const routes = fc.constantFrom(
  "/",
  "/jobs",
  "/events/x",
  "/healthz",
  "/ID",
  "/ID/attach",
  "/ID/wait",
  "/jobs/ID",
  "/x",
  "/OTHER",
  "/..%2f",
  "/%00",
);
const headers = fc.dictionary(
  fc.constantFrom(
    "Accept",
    "Range",
    "Last-Event-ID",
    "Idempotency-Key",
    "X-Forwarded-For",
    "Via",
    "Content-Type",
    "Origin",
    "Sec-Fetch-Site",
    "Expect",
  ),
  fc.oneof(
    fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
    fc.constantFrom("bytes=0-1", "application/x-ndjson", "text/html", "same-origin", "100-continue"),
  ),
  { maxKeys: 3 },
);

test(
  "requests generated from the schemas never cause a 5xx and never harm the service, with any identity",
  { timeout: isTorture ? 3_600_000 : 300_000 },
  async (t) => {
    const service = await startService(t, { environment: { JOBRUNNER_MAX_FAILURES_PER_MINUTE: "1000000" } });
    const { job } = await service.run({ CommandLine: "echo out" });
    const tokens = await Promise.all((["read", "submit", "admin"] as const).map((role) => createToken(service, role, role)));
    const secret = tokens.map((token) => token.slice(-43));
    const credential = fc.oneof(
      fc.constant({}),
      fc.constantFrom(...tokens.map(bearer)),
      fc.string({ maxLength: 60 }).map((text) => ({ Authorization: `Bearer ${text.replaceAll(/[^ -~]/g, "?")}` })),
    );
    const submit = fc.record({
      method: fc.constant("POST"),
      path: fc.constant("/"),
      body: nearly(JobSpec, harmless).map((body) => JSON.stringify(body)),
      headers,
    });
    const other = fc
      .tuple(
        fc.constantFrom("GET", "DELETE", "POST", "PUT", "HEAD", "PATCH", "OPTIONS"),
        routes,
        fc.array(parameter, { maxLength: 3 }),
        headers,
      )
      .map(([method, route, query, more]): Request => {
        const id = method === "DELETE" ? "no-such" : job.ID; // the job must still exist at the end
        const fields = [
          ...query.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`),
          ...(route.endsWith("attach") ? ["follow=false"] : []),
        ];
        return {
          method,
          path: `${route.replace("ID", id).replace("OTHER", "0".repeat(36))}?${fields.join("&")}`,
          headers: more,
          ...(method === "POST" ? { body: '{"CommandLine":"true"}' } : {}),
        };
      });
    const property = fc.asyncProperty(fc.oneof(submit, other), credential, async ({ method, path, body, headers: given }, who) => {
      const answer = await service.call(method, path, { ...(body === undefined ? {} : { body }), headers: { ...given, ...who } });
      assert.ok(answer.status < 500, `${method} ${path} ${body}: ${answer.status} ${answer.text}`);
      const isPage = method === "GET" && given["Accept"] === "text/html";
      if (answer.status >= 400 && method !== "HEAD") assertProblem(answer, answer.status, { isPage });
    });
    await fc.assert(property, { numRuns: isTorture ? 20_000 : 1000 });
    assert.equal((await service.call("GET", "/healthz")).status, 200);
    assert.equal((await service.output(job.ID)).toString(), "out\n");
    const audit = readFileSync(join(service.stateDir, "audit.log"), "utf8");
    assert.ok(!secret.some((text) => service.log.includes(text) || audit.includes(text)), "no token is shown");
  },
);
