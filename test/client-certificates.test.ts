import { strict as assert } from "node:assert";
import { test, type TestContext } from "node:test";
import { type Authority, makeAuthority, makeCertificate, needsOpenssl } from "./helper/certificates.ts";
import { ask, open, spawnSecure, type Trust } from "./helper/https.ts";
import { fromElsewhere } from "./helper/tokens.ts";

type Started = { url: string; authority: Authority; as: (commonName: string, issuer?: Authority) => Trust };

/** Alice is admin, ci submits, watch reads; local users are not trusted. */
async function start(t: TestContext): Promise<Started> {
  const authority = makeAuthority(t);
  const own = makeCertificate({ commonName: "localhost", authority });
  const { url } = await spawnSecure(t, {
    JOBRUNNER_TLS_CERT: own.certificatePath,
    JOBRUNNER_TLS_KEY: own.keyPath,
    JOBRUNNER_TLS_CLIENT_CA: authority.certificatePath,
    JOBRUNNER_TLS_CLIENT_ROLES: "alice=admin, ci=submit, watch=read",
    JOBRUNNER_LOCAL_TRUST: "false",
  });
  const as = (commonName: string, issuer = authority): Trust => {
    const { certificate, key } = makeCertificate({ commonName, authority: issuer });
    return { ca: authority.certificate, cert: certificate, key };
  };
  return { url, authority, as };
}

test("the common name of a client certificate has its configured role", needsOpenssl, async (t) => {
  const { url, as } = await start(t);
  const [alice, ci, watch] = [as("alice"), as("ci"), as("watch")];
  const submit = async (who: Trust): Promise<{ status: number; text: string }> =>
    await ask(url, "/", { ...who, method: "POST" }, '{"CommandLine": "echo hello", "Environment": {"A": "value"}}');
  assert.equal((await submit(watch)).status, 403);
  const { ID: id }: { ID: string } = JSON.parse((await submit(alice)).text);
  const { ID: own }: { ID: string } = JSON.parse((await submit(ci)).text);
  assert.equal((await ask(url, `/${id}`, ci)).status, 404, "a job of alice's is not ci's");
  assert.match((await ask(url, `/${own}/wait`, alice)).text, /"SubmittedBy":"certificate:ci".*"value"/);
  assert.doesNotMatch((await ask(url, `/${own}/wait`, watch)).text, /"value"/);
  const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse((await ask(url, "/jobs", ci)).text);
  assert.deepEqual(
    Jobs.map(({ ID }) => ID),
    [own],
  );
});

test("a certificate without a role or of another authority, and no certificate, are refused", needsOpenssl, async (t) => {
  const { url, authority, as } = await start(t);
  for (const [who, reason] of [
    [as("mallory"), /common name has no role/],
    [as("alice/CN=ci"), /common name has no role|not one of/],
    [as("alice", makeAuthority(t, "another")), /not one of JOBRUNNER_TLS_CLIENT_CA/],
    [{ ca: authority.certificate }, /send Authorization: Bearer TOKEN/],
  ] as const) {
    const { status, text } = await ask(url, "/", who);
    assert.equal(status, 401, text);
    assert.match(text, reason);
  }
  assert.equal(
    (await ask(url, "/", { ...as("alice"), headers: { Authorization: "Bearer jr_wrong" } })).status,
    401,
    "a wrong token counts more",
  );
  assert.equal(
    (await ask(url, "/", { ...as("alice"), headers: fromElsewhere })).status,
    200,
    "a certificate comes through no proxy unseen",
  );
  const reader = await open(url, "/healthz", { ca: authority.certificate });
  await reader.ended;
  assert.equal(reader.received().toString(), '{"status":"ok"}');
});
