import { strict as assert } from "node:assert";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cli } from "./helper/cli.ts";
import { recordJobs } from "./helper/recorded-jobs.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** What a start loads and does, and what is loaded on first use. */

/**
 * Writes into a file when each module is loaded, at SIGUSR2 which modules the program has kept, and at the end of the process which parts
 * of Node.js were loaded.
 */
const tracer = `
  const { appendFileSync } = require("node:fs");
  const tell = (line) => appendFileSync(process.env.TRACE_TO, line + "\\n");
  require("node:module").registerHooks({ load: (url, context, next) => (tell("loads " + url), next(url, context)) });
  process.on("SIGUSR2", () => tell(Object.keys(require.cache).map((path) => "loads " + path).join("\\n")));
  process.on("exit", () => tell(process.moduleLoadList.join("\\n")));`;

/** Of parts of the bundle, and of packages where it runs from the source. */
const whenAskedFor =
  /\/(openapi|page|static|dist|doctor|measures|program|commander|pino-pretty)-[\w-]+\.cjs$|\/src\/(cli\/program|doctor\/|api\/page|api\/openapi|metrics\/measures)|\/node_modules\/(@fastify\/(swagger|static|ajv-compiler|fast-json-stringify-compiler)|ajv|commander|pino-pretty|prom-client|yaml)\//m;

for (const [what, environment] of [
  ["bundle", {}],
  ["source", { JOBRUNNER_SOURCE: "1" }],
] as const) {
  test(`a start loads nothing that is for requests that may never come: ${what}`, async (t) => {
    const trace = tracing();
    const service = await startService(t, { environment: { ...environment, ...trace.environment } });
    t.after(trace.remove); // after the service, which still tells
    assert.match(trace.text(), /\/serve(-[\w-]+\.cjs|\.ts)$/m);
    assert.doesNotMatch(trace.text(), whenAskedFor);
    // What keeps the metrics comes by itself, after the first requests.
    await waitFor("what keeps the metrics is loaded", () => {
      process.kill(service.pid, "SIGUSR2");
      return /\/measures(-[\w-]+\.cjs|\.ts)$/m.test(trace.text());
    });
  });
}

test("a client command loads no code of the service and no fetch of Node.js", async (t) => {
  const { url } = await startService(t);
  for (const args of [["ps"], ["run", "--", "true"]]) {
    const trace = tracing();
    t.after(trace.remove);
    assert.equal((await cli(t, url, args, { environment: trace.environment })).code, 0);
    assert.match(trace.text(), /^NativeModule http$/m);
    assert.doesNotMatch(
      trace.text(),
      /undici|NativeModule (internal\/webstreams|internal\/crypto\/webcrypto|https|sqlite|worker_threads)|\/(serve|doctor|open|script)-[\w-]+\.cjs/m,
      args.join(" "),
    );
  }
});

/** What is loaded when it is first asked for, by what asks for it, and what its answer must have in it. */
const parts: [path: string, found: RegExp][] = [
  ["/openapi.json", /"openapi":"3\.1\.1"/],
  ["/docs/", /swagger/i],
  ["/ui/", /<html/],
  ["/metrics", /jobrunner_jobs_submitted_total/],
  ["/box/findings", /"Findings"/],
];

test("parts that are loaded on first use work for many concurrent first requests", async (t) => {
  const service = await startService(t);
  await Promise.all(parts.flatMap((part) => Array.from({ length: 5 }, async () => await assertServed(service, part))));
});

test("a service whose files were replaced by another version continues, also with parts that were not loaded yet", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "jobrunner-upgraded-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ["bin", "dist", "build", "package.json"]) cpSync(join(repository, name), join(root, name), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  const service = await startService(t, { program: join(root, "bin", "jobrunner") });
  const dist = join(root, "dist");
  for (const name of readdirSync(dist).filter((name) => /\.(cjs|map)$/.test(name))) rmSync(join(dist, name));
  writeFileSync(join(dist, "main.cjs"), 'throw new Error("of another version");');
  rmSync(join(root, "build", "web"), { recursive: true });
  mkdirSync(join(root, "build", "web"));
  writeFileSync(join(root, "build", "web", "index.html"), "<html>of another version");
  for (const part of parts) await assertServed(service, part);
  const { output } = await service.run({ CommandLine: "echo runs" });
  assert.equal(output.toString(), "runs\n");
  cpSync(join(repository, "dist"), dist, { recursive: true }); // with which the test ends
});

test("a start reads as much of a database with 100,000 finished jobs as of one without jobs", async (t) => {
  const readBy = ({ pid }: Service): number => Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1]);
  const service = await startService(t);
  await service.run({ CommandLine: "true" });
  await service.stop();
  await service.start(); // nothing is made any more, nor compiled
  const before = readBy(service);
  await recordJobs(service, { count: 100_000, every: 1000 });
  assert.ok(readBy(service) - before < 500_000, `${before} bytes were read with one job, ${readBy(service)} with 100,000`);
});

async function assertServed(service: Service, [path, found]: [string, RegExp]): Promise<void> {
  const { status, text } = await service.call("GET", path);
  assert.equal(status, 200, `${path}: ${text}`);
  assert.match(text, found, path);
}

function tracing(): { environment: Record<string, string>; text: () => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-loading-"));
  const [program, lines] = [join(folder, "trace.cjs"), join(folder, "lines")];
  writeFileSync(program, tracer);
  writeFileSync(lines, "");
  return {
    environment: { NODE_OPTIONS: `--require=${program}`, TRACE_TO: lines },
    text: () => readFileSync(lines, "utf8"),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
