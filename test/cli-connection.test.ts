import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { makeAuthority, makeCertificate, needsOpenssl } from "./helper/certificates.ts";
import { cli, type CliOptions, type Ended } from "./helper/cli.ts";
import { startSecure } from "./helper/https.ts";
import { freePort } from "./helper/ports.ts";
import { startService } from "./helper/service.ts";
import { createToken } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

test("if nothing answers, a command reports the address and a remedy, with status 125 if it would exit like a job", async (t) => {
  const url = `http://127.0.0.1:${await freePort()}`;
  for (const [args, code] of [
    [["ps"], 1],
    [["kill", "0"], 1],
    [["run", "true"], 125],
    [["attach", "0"], 125],
    [["wait", "0"], 125],
  ] as const) {
    const ended = await cli(t, url, [...args]);
    assert.deepEqual([ended.code, ended.stdout], [code, ""], args.join(" "));
    assert.match(
      ended.stderr,
      new RegExp(
        `^jobrunner: no answer from ${url}: .*ECONNREFUSED.*\nStart one with 'jobrunner', or say where it is: --url, or the variable ` +
          `JOBRUNNER_URL\\.\n$`,
      ),
    );
  }
});

test("without a URL, a command finds a service that was started with the same environment", needsOpenssl, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-find-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, "socket");
  const service = await startService(t, { environment: { JOBRUNNER_SOCKET: socketPath } });
  const { job } = await service.run({ CommandLine: "true" });
  const port = String(service.port);
  const found = async (environment: Record<string, string>): Promise<void> => {
    const { code, stdout, stderr } = await cli(t, "", ["ps", "-a", "-q"], { environment });
    assert.deepEqual([code, stdout, stderr], [0, `${job.ID}\n`, ""], JSON.stringify(environment));
  };
  await found({ JOBRUNNER_PORT: port });
  await found({ JOBRUNNER_PORT: port, JOBRUNNER_HOSTNAME: "127.0.0.1" });
  await found({ JOBRUNNER_PORT: port, JOBRUNNER_HOSTNAME: "0.0.0.0", JOBRUNNER_SOCKET: "/no/such/socket" });
  await found({ JOBRUNNER_SOCKET: socketPath });
  await found({ JOBRUNNER_PORT: "none", JOBRUNNER_SOCKET: socketPath });
  await found({ JOBRUNNER_URL: service.url, JOBRUNNER_PORT: "1" });
  const away = await cli(t, "", ["ps"], { environment: { JOBRUNNER_PORT: "1", JOBRUNNER_TLS_CERT: "x" } });
  assert.match(away.stderr, /^jobrunner: no answer from https:\/\/localhost:1: /);
});

test("options override variables, and may precede the command", async (t) => {
  const { url } = await startService(t);
  const nowhere = "http://127.0.0.1:1";
  assert.equal((await cli(t, nowhere, ["ps", "--url", url])).code, 0);
  assert.equal((await cli(t, nowhere, ["--url", url, "ps"])).code, 0);
  assert.equal((await cli(t, url, ["--url", nowhere, "ps", "--url", url])).code, 0);
  assert.equal((await cli(t, `${url}/`, ["ps"])).code, 0);
});

test("a token comes from the environment or a file, and an invalid one is reported", async (t) => {
  const service = await startService(t);
  const [submit, read] = [await createToken(service, "ci", "submit"), await createToken(service, "watch", "read")];
  const file = join(folderOf(t), "token");
  writeFileSync(file, `${submit}\n`);
  const run = async (token: string, ...args: string[]): Promise<Ended> =>
    await cli(t, service.url, ["run", ...args, "-c", "echo hello"], { environment: { JOBRUNNER_TOKEN: token } });
  for (const ended of [await run(submit), await run("wrong", "--token-file", file)])
    assert.deepEqual([ended.code, ended.stdout, ended.stderr], [0, "hello\n", ""]);
  const jobs: { SubmittedBy: string }[] = JSON.parse(
    (await cli(t, service.url, ["ps", "-a", "--json"], { environment: { JOBRUNNER_TOKEN: read } })).stdout,
  );
  assert.deepEqual(
    jobs.map(({ SubmittedBy }) => SubmittedBy),
    ["token:ci", "token:ci"],
  );
  const [wrong, small] = [await run("jr_wrong"), await run(read)];
  assert.deepEqual([wrong.code, small.code], [125, 125]);
  assert.match(
    wrong.stderr,
    /^jobrunner: .*jobrunner token create\nThe variable JOBRUNNER_TOKEN gives it to this command, or --token-file\.\n$/,
  );
  assert.match(small.stderr, /^jobrunner: [^\n]*read[^\n]*\n$/);
  assert.ok(!`${small.stderr}${service.log}`.includes(read));
});

test("a unix socket works like a port", async (t) => {
  const folder = folderOf(t);
  const path = join(folder, "socket");
  await startService(t, { environment: { JOBRUNNER_SOCKET: path } });
  for (const url of [`unix:${path}`, `unix://${path}`]) assert.equal((await cli(t, url, ["run", "-c", "echo hello"])).stdout, "hello\n");
  const { code, stderr } = await cli(t, `unix:${folder}/none`, ["ps"]);
  assert.equal(code, 1);
  assert.match(stderr, /ENOENT .*\/none\nStart one with/);
});

test("over HTTPS, the authority of the service can be named, and a client certificate authenticates", needsOpenssl, async (t) => {
  const clients = makeAuthority(t, "clients");
  const alice = makeCertificate({ commonName: "alice", authority: clients });
  const { url, authority } = await startSecure(t, {
    JOBRUNNER_TLS_CLIENT_CA: clients.certificatePath,
    JOBRUNNER_TLS_CLIENT_ROLES: "alice=admin",
    JOBRUNNER_LOCAL_TRUST: "false",
  });
  const ask = async (args: string[], options: CliOptions = {}): Promise<Ended> =>
    await cli(t, url, ["run", ...args, "-c", "echo hello"], options);
  const options = ["--cacert", authority.certificatePath, "--client-cert", alice.certificatePath, "--client-key", alice.keyPath];
  assert.deepEqual(await ask(options), { code: 0, signal: null, stdout: "hello\n", stderr: "" });
  const environment = {
    JOBRUNNER_CACERT: authority.certificatePath,
    JOBRUNNER_CLIENT_CERT: alice.certificatePath,
    JOBRUNNER_CLIENT_KEY: alice.keyPath,
  };
  assert.equal((await ask([], { environment })).stdout, "hello\n");
  const untrusted = await ask([]);
  assert.equal(untrusted.code, 125);
  assert.match(
    untrusted.stderr,
    /certificate[^]*\nThe authority of its certificate is to be named: --cacert, or the variable JOBRUNNER_CACERT\.\n$/,
  );
  const unknown = await ask(options.slice(0, 2));
  assert.match(unknown.stderr, /^jobrunner: [^]*JOBRUNNER_TOKEN/);
  assert.equal((await ask(["--cacert", `${authority.certificatePath}.none`])).code, 2);
});

test("an invalid URL or file is a usage error", async (t) => {
  const { url } = await startService(t);
  const mistakes: [string, string[], RegExp][] = [
    ["localhost:8080", [], /must begin with http:\/\/, https:\/\/ or unix:\//],
    ["http://me:secret@localhost", [], /must not contain a name and password: set JOBRUNNER_TOKEN\n$/],
    [url, ["--token-file", "/no/such"], /--token-file "\/no\/such" cannot be read/],
  ];
  for (const [place, args, expected] of mistakes) {
    const { code, stderr } = await cli(t, place, ["ps", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /secret/);
  }
});

test("a server that is not jobrunner is reported as such", async (t) => {
  const server = createServer(
    (_request, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not here</h1>"),
  );
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  let port = 0;
  await waitFor("the server listens", () => {
    const address = server.address();
    port = typeof address === "object" ? (address?.port ?? 0) : 0;
    return port > 0;
  });
  const { code, stderr } = await cli(t, `http://127.0.0.1:${port}`, ["ps"]);
  assert.equal(code, 1);
  assert.match(stderr, /^jobrunner: what answers at \S+ is not a jobrunner: 404 Not Found\n$/);
});

test("commands that need no service load no code of it", async (t) => {
  const folder = folderOf(t);
  const trace = join(folder, "trace.mjs");
  writeFileSync(
    trace,
    'import { registerHooks } from "node:module";\nregisterHooks({ load: (url, context, next) => (process.stderr.write(`loads ' +
      "${url}\\n`), next(url, context)) });\n",
  );
  const loaded = async (args: string[], url: string): Promise<string> =>
    // from source, each module is a file
    (await cli(t, url, args, { environment: { JOBRUNNER_SOURCE: "1", NODE_OPTIONS: `--import=${trace}` } })).stderr;
  const { url } = await startService(t);
  for (const args of [["--version"], ["run", "--help"], ["completion", "bash"]]) {
    const modules = await loaded(args, url);
    assert.match(modules, /src\/cli\/program\.ts/);
    assert.doesNotMatch(modules, /openapi-fetch|node:https?$|src\/(api|runner|store)\/|fastify|pino/m, args.join(" "));
  }
  const modules = await loaded(["ps"], url);
  assert.match(modules, /src\/client\/client\.ts/);
  assert.doesNotMatch(modules, /node:https$|src\/(api|runner|store)\/|fastify|pino|undici|\/yaml\//m);
});

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
