import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { encryptKey, expired, makeAuthority, makeCertificate, needsOpenssl } from "./helper/certificates.ts";
import { cli, type Ended, startProgram } from "./helper/cli.ts";
import { install, startSecure } from "./helper/https.ts";
import { freePort } from "./helper/ports.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

test("every failure of TLS has an error message of its own, which says what to do", needsOpenssl, async (t) => {
  const { url, authority, files, child } = await startSecure(t);
  const ask = (place: string, ...args: string[]): Promise<Ended> => cli(t, place, ["ps", ...args]);
  const trusting = ["--cacert", authority.certificatePath];
  const seen = new Set<string>();
  const told = ({ code, stderr }: Ended, expected: RegExp): void => {
    assert.equal(code, 1, stderr);
    assert.match(stderr, expected);
    assert.match(stderr, /^jobrunner: [^\n]+(\n[^\n]+)?\n$/);
    assert.ok(!seen.has(stderr));
    seen.add(stderr);
  };
  const port = new URL(url).port;
  assert.equal((await ask(`https://localhost:${port}`, ...trusting)).code, 0);
  told(await ask(`http://127.0.0.1:${port}`), /^jobrunner: this port speaks HTTPS: begin the URL with https:\/\/\n$/);
  told(
    await ask((await startService(t)).url.replace("http:", "https:")),
    /\nWhat is there speaks no TLS\. If it is HTTP, the URL begins with http:\/\/\.\n$/,
  );
  told(await ask(url), /\nThe authority of its certificate is to be named: --cacert, or the variable JOBRUNNER_CACERT\.\n$/);
  assert.match(
    (await ask(url, "--cacert", makeAuthority(t, "other").certificatePath)).stderr,
    /\nThe authority of its certificate is to be named/,
  );
  install(makeCertificate({ commonName: "other", authority, names: "DNS:jobs.example" }), files);
  child.kill("SIGHUP");
  await waitFor("the other certificate is used", async () => (await ask(url, ...trusting)).code === 1);
  told(await ask(url, ...trusting), /\nThe URL must name the service as its certificate does \(DNS:jobs\.example\); or the service/);
  install(expired(makeCertificate({ commonName: "localhost", authority }), authority), files);
  child.kill("SIGHUP");
  await waitFor("the expired certificate is used", async () => /expired/.test((await ask(url, ...trusting)).stderr));
  told(
    await ask(url, ...trusting),
    /certificate has expired\nThe service's certificate is to be renewed, where the service is; or the clock here is wrong, which says 20\S+Z\.\n$/,
  );
});

test("a TLS server that requires a client certificate, or another one, is reported as such", needsOpenssl, async (t) => {
  const [authority, others] = [makeAuthority(t), makeAuthority(t, "others")];
  const own = makeCertificate({ commonName: "localhost", authority });
  const other = makeCertificate({ commonName: "alice", authority: others });
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const port = await freePort();
    const files = ["-cert", own.certificatePath, "-key", own.keyPath, "-CAfile", authority.certificatePath];
    startProgram(
      t,
      ["openssl", "s_server", "-accept", String(port), version, "-Verify", "1", "-verify_return_error", "-www", "-quiet", ...files],
      { stdin: null },
    );
    const ask = (...args: string[]): Promise<Ended> =>
      cli(t, `https://localhost:${port}`, ["ps", "--cacert", authority.certificatePath, ...args]);
    await waitFor("it listens", async () => !/ECONNREFUSED/.test((await ask()).stderr));
    assert.match((await ask()).stderr, /\nIt wants a certificate of who asks: --client-cert and --client-key, or the variables [^\n]*\n$/);
    assert.match(
      (await ask("--client-cert", other.certificatePath, "--client-key", other.keyPath)).stderr,
      /\nIt does not take the certificate of who asks \(--client-cert\)[^\n]*\n$/,
    );
  }
});

test("an unusable TLS file is a usage error before any request, and is named as it was given", needsOpenssl, async (t) => {
  const authority = makeAuthority(t);
  const alice = makeCertificate({ commonName: "alice", authority });
  const [cert, key, ca] = [alice.certificatePath, alice.keyPath, authority.certificatePath];
  const empty = join(authority.folder, "empty.pem");
  writeFileSync(empty, "# none yet\n");
  const broken = join(authority.folder, "broken.pem");
  writeFileSync(broken, "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
  const mistakes: [args: string[], expected: RegExp, environment?: Record<string, string>][] = [
    [
      ["--cacert", empty],
      /^jobrunner: --cacert "[^"]*" holds no certificate in the form PEM \(no line says BEGIN CERTIFICATE\): name the file of the authority/,
    ],
    [["--cacert", key], /--cacert "[^"]*" holds no certificate/],
    [["--cacert", broken], /--cacert "[^"]*" holds no certificate/],
    [[], /^jobrunner: JOBRUNNER_CACERT "[^"]*" holds no certificate/, { JOBRUNNER_CACERT: empty }],
    [
      ["--client-cert", cert],
      /^jobrunner: --client-cert "[^"]*" needs the certificate's private key: --client-key, or the variable JOBRUNNER_CLIENT_KEY\n$/,
    ],
    [["--client-key", key], /^jobrunner: --client-key "[^"]*" needs the certificate that it is the key of/],
    [
      ["--client-cert", cert, "--client-key", authority.keyPath],
      /^jobrunner: --client-key "[^"]*" is not the key of the first certificate in --client-cert "[^"]*": name the key that belongs to it\n$/,
    ],
    [
      ["--client-key", key],
      /^jobrunner: --client-key "[^"]*" is not the key of the first certificate in JOBRUNNER_CLIENT_CERT /,
      { JOBRUNNER_CLIENT_CERT: ca },
    ],
    [["--client-cert", cert, "--client-key", cert], /--client-key "[^"]*" holds no private key/],
    [["--client-cert", key, "--client-key", key], /--client-cert "[^"]*" holds no certificate/],
    [["--client-cert", cert, "--client-key", encryptKey(alice)], /--client-key "[^"]*" is encrypted: store it without a passphrase/],
  ];
  for (const [args, expected, environment = {}] of mistakes) {
    const { code, stderr } = await cli(t, "https://localhost:1", ["ps", ...args], { environment });
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
  }
});

test("HTTPS_PROXY and HTTP_PROXY are used, except for names in NO_PROXY and for this machine", needsOpenssl, async (t) => {
  const { url, authority, files, child } = await startSecure(t, { JOBRUNNER_ALLOWED_HOSTS: "jobs.example" });
  install(makeCertificate({ commonName: "jobs.example", authority, names: "DNS:jobs.example,DNS:localhost" }), files);
  child.kill("SIGHUP");
  const { proxy, asked } = await startProxy(t, Number(new URL(url).port));
  const ask = (place: string, environment: Record<string, string>): Promise<Ended> =>
    cli(t, place, ["run", "-c", "echo hello"], { environment: { JOBRUNNER_CACERT: authority.certificatePath, ...environment } });
  await waitFor("the certificate is used", async () => (await ask("https://jobs.example:8443", { HTTPS_PROXY: proxy })).code === 0);
  for (const environment of [
    { HTTPS_PROXY: proxy },
    { https_proxy: proxy, HTTPS_PROXY: "http://127.0.0.1:1" },
    { HTTPS_PROXY: proxy.replace("http://", ""), NO_PROXY: "other.example" },
  ] as Record<string, string>[]) {
    asked.length = 0;
    assert.deepEqual(await ask("https://jobs.example:8443", environment), { code: 0, signal: null, stdout: "hello\n", stderr: "" });
    assert.ok(asked.length > 0 && asked.every((line) => line === "CONNECT jobs.example:8443"), asked.join());
  }
  asked.length = 0;
  assert.equal((await ask(`https://localhost:${new URL(url).port}`, { HTTPS_PROXY: proxy, https_proxy: proxy })).stdout, "hello\n");
  for (const NO_PROXY of ["jobs.example", ".example", "*", "other,jobs.example:8443"])
    assert.match((await ask("https://jobs.example:8443", { HTTPS_PROXY: proxy, NO_PROXY })).stderr, /ENOTFOUND|EAI_AGAIN/);
  assert.deepEqual(asked, []);
  await ask("http://jobs.example", { HTTP_PROXY: proxy });
  assert.deepEqual(asked, ["POST http://jobs.example/"]);
});

test("a proxy that is not there, or lets nothing through, or is none, is told with the variable that names it", async (t) => {
  const { proxy } = await startProxy(t, null);
  const ask = (place: string): Promise<Ended> => cli(t, "https://jobs.example", ["ps"], { environment: { HTTPS_PROXY: place } });
  for (const place of [proxy, `http://127.0.0.1:${await freePort()}`]) {
    const { code, stderr } = await ask(place);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /(403|ECONNREFUSED)[^\n]*\nIt was asked through the proxy that HTTPS_PROXY names: .* NO_PROXY names what is asked directly\.\n$/,
    );
  }
  const { code, stderr } = await ask("socks5://127.0.0.1:1080");
  assert.deepEqual(
    [code, stderr],
    [2, "jobrunner: HTTPS_PROXY must be the URL of a proxy, as http://proxy:3128, or of none: NO_PROXY names what is asked directly\n"],
  );
});

/** A proxy that connects all tunnels to one port, or to none. */
async function startProxy(t: TestContext, port: number | null): Promise<{ proxy: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(404).end();
  });
  const sockets = new Set<Socket>();
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (port === null) return client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const service = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(service).pipe(client);
    });
    for (const socket of [client, service]) sockets.add(socket.on("error", () => undefined));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { proxy: `http://127.0.0.1:${await listening(t, server)}`, asked };
}

async function listening(t: TestContext, server: ReturnType<typeof createServer>): Promise<number> {
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
