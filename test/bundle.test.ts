import { strict as assert } from "node:assert";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "./helper/package.ts";
import { argumentsOf } from "./helper/processes.ts";
import { repository, startService } from "./helper/service.ts";
import { cannotBe, findUser, startAs } from "./helper/users.ts";
import { waitFor } from "./helper/wait.ts";

/** The program that runs is a bundle of src/. These tests check what must survive the bundling. */

test("a stack in the log has the lines of the source", async (t) => {
  const stateDir = temporary(t);
  mkdirSync(join(stateDir, "audit.log")); // nothing can be written to it
  const service = await startService(t, { stateDir });
  await service.run({ CommandLine: "true" });
  const line = service.log.split("\n").find((text) => text.includes("the audit log could not be written")) ?? "";
  const { err }: { err: { stack: string } } = JSON.parse(line);
  assertOfSource(err.stack, { place: "src/audit/audit-log.ts", function: "AuditLog" });
});

test("the stack of an unexpected error that ends the service has them too", async (t) => {
  const service = await startService(t);
  await service.stop();
  const folder = temporary(t);
  const planted = join(folder, "planted.cjs");
  writeFileSync(
    planted,
    `
    const { log } = console;
    console.log = (text) => {
      const error = new Error("planted");
      process.once("SIGUSR2", () => { throw error; });
      log(text); // the line says that the signal can be sent
    };`,
  );
  await service.start({ NODE_OPTIONS: `--require=${planted}` });
  process.kill(service.pid, "SIGUSR2");
  assert.equal(await service.gone(), 1);
  assert.match(service.log, /^jobrunner: ends because of an unexpected error: Error: planted$/m);
  assertOfSource(service.log, { place: "src/serve.ts", function: "serve" });
});

test("the licences of all bundled packages are beside the bundle", () => {
  const program = packagesIn(globSync("dist/*.map", { cwd: repository }).flatMap((map) => sourcesOf(map)));
  assert.ok(program.has("fastify") && program.has("pino") && program.has("commander"));
  assertLicences("dist/THIRD-PARTY-LICENSES.txt", program);
  assertLicences("dist/client/THIRD-PARTY-LICENSES.txt", new Set(["eventsource-parser"]));
  const page = readFileSync(join(repository, "build", "web", "THIRD-PARTY-LICENSES.md"), "utf8");
  for (const name of ["preact", "@preact/signals", "@preact/signals-core", "ansi-sequence-parser", "eventsource-parser"])
    assert.ok(page.includes(`\n## ${name} - `), name);
});

const nobody = findUser("nobody");
test(
  "the compile cache is written while the service runs, also for a user who cannot write beside the program",
  { skip: cannotBe(nobody, "nobody") },
  async (t) => {
    assert.ok(nobody !== null);
    const service = await startAs(t, nobody, {});
    await waitFor("it is kept", () => globSync(".cache/jobrunner/*/*", { cwd: join(service.stateDir, "..") }).length > 3);
    await service.crash(); // the cache was written before the service ended
  },
);

test("a checkout runs from its source with JOBRUNNER_SOURCE=1", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_SOURCE: "1" } });
  assert.ok(argumentsOf(service.pid).includes(join(repository, "src", "main.ts")));
  const { output } = await service.run({ CommandLine: "echo from the source" });
  assert.equal(output.toString(), "from the source\n");
});

test("make rebuilds the bundle when a source file is newer, and only then", async () => {
  const isUpToDate = async (...args: string[]): Promise<boolean> =>
    (await run("make", ["--question", ...args, "dist/main.cjs"], { cwd: repository })).code === 0;
  assert.ok(await isUpToDate());
  for (const file of ["src/serve.ts", "src/cli/commands/ps.ts", "tools/bundle/make.ts", "package.json"])
    assert.ok(!(await isUpToDate(`--what-if=${file}`)), file);
});

/** Each frame of the program has an existing line, and one of them has this function and file. */
function assertOfSource(stack: string, expected: { place: string; function: string }): void {
  assert.doesNotMatch(stack, /\/dist\/[^ ]+\.cjs:/);
  const frames = [...stack.matchAll(/ at (?:async |new )?(\S*) ?\(?(src\/[^:)]+):(\d+):(\d+)\)?/g)];
  for (const [, , file = "", line, column] of frames) {
    const text = readFileSync(join(repository, file), "utf8").split("\n")[Number(line) - 1];
    assert.ok(text !== undefined && text.length >= Number(column), `${file}:${line}:${column}`);
  }
  assert.ok(
    frames.some(([, name, file]) => file === expected.place && name?.split(".")[0] === expected.function),
    stack,
  );
}

function assertLicences(path: string, packages: Set<string>): void {
  const text = readFileSync(join(repository, path), "utf8");
  for (const name of packages) {
    const { version }: { version: string } = JSON.parse(readFileSync(join(repository, "node_modules", name, "package.json"), "utf8"));
    const [, licence = ""] = text.split(`\n${name.replace(/^.*\/node_modules\//, "")} ${version}: `);
    assert.match(licence, /^[\w.-]+\n\n.*(copyright|licen[cs]e)/is, name);
  }
}

function sourcesOf(map: string): string[] {
  const { sources }: { sources: string[] } = JSON.parse(readFileSync(join(repository, map), "utf8"));
  return sources;
}

/** The paths below node_modules. */
function packagesIn(sources: string[]): Set<string> {
  return new Set(
    sources.flatMap(
      (source) =>
        /^\.\.\/node_modules\/(.*\/node_modules\/)?((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[0].replace(/^\.\.\/node_modules\/|\/$/g, "") ??
        [],
    ),
  );
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-bundle-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
