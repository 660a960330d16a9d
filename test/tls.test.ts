import { strict as assert } from "node:assert";
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectTls, TLSSocket } from "node:tls";
import { encryptKey, makeAuthority, makeCertificate, needsOpenssl } from "./helper/certificates.ts";
import { ask, install, open, spawnSecure, startSecure, type Trust } from "./helper/https.ts";
import { spawnService } from "./helper/spawned.ts";
import { waitFor } from "./helper/wait.ts";

test("with a certificate the port speaks HTTPS, TLS 1.2 and later, and nothing else", needsOpenssl, async (t) => {
  const { url, trust } = await startSecure(t);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    assert.equal((await ask(url, "/healthz", { ...trust, minVersion: version, maxVersion: version })).status, 200, version);
  }
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await assert.rejects(ask(url, "/healthz", { ...trust, ...old }), /protocol version/);
  await assert.rejects(ask(url, "/healthz", { ca: makeAuthority(t).certificate }), /verify|certificate/);
  for (const request of [
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n${"x".repeat(20_000)}`,
  ]) {
    assert.match(await sayPlainly(url, request), /^HTTP\/1\.1 400 [^]*"detail":"this port speaks HTTPS: begin the URL with https:\/\/"/);
  }
  for (const nothing of ["\0\0\0\0\0\0", "\x80\x2e\x01\0\x02"]) assert.doesNotMatch(await sayPlainly(url, nothing), /HTTP/);
  assert.equal((await ask(url, "/healthz", trust)).status, 200);
});

test("at SIGHUP new connections get the renewed certificate, and streams on old connections continue", needsOpenssl, async (t) => {
  const { url, trust, authority, files, child, log } = await startSecure(t);
  const go = join(authority.folder, "go");
  const body = JSON.stringify({ CommandLine: `echo first; until [ -e ${go} ]; do sleep 0.05; done; echo last` });
  const { ID }: { ID: string } = JSON.parse((await ask(url, "/", { ...trust, method: "POST" }, body)).text);
  const watcher = await open(url, `/${ID}/attach`, trust);
  await watcher.until("first\n");
  const before = await serialOf(url, trust);
  install(makeCertificate({ commonName: "localhost", authority }), files);
  child.kill("SIGHUP");
  await waitFor("the new one is used", async () => (await serialOf(url, trust)) !== before);
  assert.match(log(), /"info"[^\n]*"message":"the TLS files were read again and are in use"/);
  writeFileSync(go, "");
  await watcher.ended;
  assert.equal(watcher.received().toString(), "first\nlast\n");
});

test("files that cannot be used are logged at SIGHUP, and the previous ones stay in use", needsOpenssl, async (t) => {
  const { url, trust, authority, files, child, log } = await startSecure(t);
  const before = await serialOf(url, trust);
  const other = makeCertificate({ commonName: "localhost", authority });
  copyFileSync(other.keyPath, files.key);
  child.kill("SIGHUP");
  await waitFor("the mistake is logged", () =>
    /"error"[^\n]*JOBRUNNER_TLS_KEY names [^\n]* is not the key of[^\n]*"message":"the TLS files cannot be used/.test(log()),
  );
  assert.equal(await serialOf(url, trust), before);
  copyFileSync(other.certificatePath, files.certificate);
  child.kill("SIGHUP");
  await waitFor("both of the new ones are used", async () => (await serialOf(url, trust)) !== before);
});

test("a renewal that swaps a link is detected without a signal", needsOpenssl, async (t) => {
  const authority = makeAuthority(t);
  const folderOf = (name: string): string => {
    const folder = join(authority.folder, name);
    mkdirSync(folder);
    install(makeCertificate({ commonName: "localhost", authority }), {
      certificate: join(folder, "tls.crt"),
      key: join(folder, "tls.key"),
    });
    return folder;
  };
  const [link, next] = [join(authority.folder, "current"), join(authority.folder, "next")];
  symlinkSync(folderOf("old"), link);
  const { url } = await spawnSecure(t, { JOBRUNNER_TLS_CERT: join(link, "tls.crt"), JOBRUNNER_TLS_KEY: join(link, "tls.key") });
  const before = await serialOf(url, { ca: authority.certificate });
  symlinkSync(folderOf("new"), next);
  renameSync(next, link);
  await waitFor("the new one is used", async () => (await serialOf(url, { ca: authority.certificate })) !== before);
});

test("sessions are resumed, except with client certificates: each of those is verified again", needsOpenssl, async (t) => {
  const { authority, url, trust, files } = await startSecure(t);
  assert.equal(await isResumed(url, trust), true);
  const { url: withClients } = await spawnSecure(t, {
    JOBRUNNER_TLS_CERT: files.certificate,
    JOBRUNNER_TLS_KEY: files.key,
    JOBRUNNER_TLS_CLIENT_CA: authority.certificatePath,
    JOBRUNNER_TLS_CLIENT_ROLES: "alice=admin",
  });
  const alice = makeCertificate({ commonName: "alice", authority });
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    assert.equal(await isResumed(withClients, { ...trust, maxVersion, cert: alice.certificate, key: alice.key }), false, maxVersion);
  }
});

test("a connection without a handshake is closed in time, and one above the limit at once", needsOpenssl, async (t) => {
  const { url, trust } = await startSecure(t, { JOBRUNNER_HEADERS_TIMEOUT_SECONDS: "1", JOBRUNNER_MAX_CONNECTIONS: "1" });
  const silent = sayPlainly(url, "");
  await waitFor("it takes the only place", () =>
    ask(url, "/healthz", trust).then(
      () => false,
      () => true,
    ),
  );
  assert.equal(await silent, "");
  await waitFor("there is room again", () =>
    ask(url, "/healthz", trust).then(
      () => true,
      () => false,
    ),
  );
});

test("every mistake in the files is reported at the start in a sentence that names the variable", needsOpenssl, async (t) => {
  const authority = makeAuthority(t);
  const { certificatePath: certificate, keyPath: key } = makeCertificate({ commonName: "localhost", authority });
  const text = join(authority.folder, "text");
  writeFileSync(text, "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n");
  const encrypted = encryptKey(makeCertificate({ commonName: "localhost", authority }));
  const clientCa = { JOBRUNNER_TLS_CERT: certificate, JOBRUNNER_TLS_KEY: key, JOBRUNNER_TLS_CLIENT_ROLES: "alice=admin" };
  const cases: [Record<string, string>, RegExp][] = [
    [
      { JOBRUNNER_TLS_CERT: "/no/such", JOBRUNNER_TLS_KEY: key },
      /JOBRUNNER_TLS_CERT names \/no\/such, which cannot be read .*: name a file that this user can read$/,
    ],
    [{ JOBRUNNER_TLS_CERT: key, JOBRUNNER_TLS_KEY: key }, /JOBRUNNER_TLS_CERT names \S+, which does not contain a PEM certificate/],
    [{ JOBRUNNER_TLS_CERT: text, JOBRUNNER_TLS_KEY: key }, /JOBRUNNER_TLS_CERT names \S+, which does not contain a PEM certificate/],
    [
      { JOBRUNNER_TLS_CERT: certificate, JOBRUNNER_TLS_KEY: authority.folder },
      /JOBRUNNER_TLS_KEY names \S+, which cannot be read .*regular file/,
    ],
    [
      { JOBRUNNER_TLS_CERT: certificate, JOBRUNNER_TLS_KEY: certificate },
      /JOBRUNNER_TLS_KEY names \S+, which does not contain a PEM private key/,
    ],
    [
      { JOBRUNNER_TLS_CERT: certificate, JOBRUNNER_TLS_KEY: encrypted },
      /JOBRUNNER_TLS_KEY names \S+, which is encrypted: store it without a passphrase/,
    ],
    [
      { JOBRUNNER_TLS_CERT: certificate, JOBRUNNER_TLS_KEY: authority.keyPath },
      /JOBRUNNER_TLS_KEY names \S+, which is not the key of the first certificate in \S+ \(JOBRUNNER_TLS_CERT\)/,
    ],
    [{ ...clientCa, JOBRUNNER_TLS_CLIENT_CA: "/no/such" }, /JOBRUNNER_TLS_CLIENT_CA names \/no\/such, which cannot be read/],
    [{ ...clientCa, JOBRUNNER_TLS_CLIENT_CA: key }, /JOBRUNNER_TLS_CLIENT_CA names \S+, which does not contain a PEM certificate/],
  ];
  for (const [environment, sentence] of cases) {
    const { exitCode, log } = await spawnService(t, environment);
    assert.equal(exitCode, 1, log());
    assert.match(log().trimEnd(), sentence);
    assert.equal(log().trimEnd().split("\n").length, 1, log());
  }
});

/** The certificate that a new connection gets. */
function serialOf(url: string, { ca }: Trust): Promise<string> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: Number(port), ...(ca === undefined ? {} : { ca }) }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** Whether a client that comes back to the server can take up the session that it had. */
async function isResumed(url: string, options: Trust): Promise<boolean> {
  const agent = new Agent(); // it keeps sessions, but no connections
  await ask(url, "/healthz", { ...options, agent });
  return await new Promise((resolve, reject) => {
    const sent = request(`${url}/healthz`, { ...options, agent });
    sent.once("error", reject);
    sent.once("response", ({ socket }) => {
      resolve(socket instanceof TLSSocket && socket.isSessionReused());
      sent.destroy();
    });
    sent.end();
  });
}

/** The port's answer to bytes without TLS, as text, read until it closes the connection. */
function sayPlainly(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.once("error", () => undefined);
    socket.once("close", () => resolve(text));
  });
}
