import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Certificates as an operator creates them, with the program openssl. */

/** For tests that create certificates. */
export const needsOpenssl = {
  skip:
    spawnSync("openssl", ["version"]).status === 0 || process.env["CI"] !== undefined
      ? false
      : "the program openssl is missing (Debian: openssl)",
};

/** Paths and texts of PEM files. */
export type Certificate = { certificatePath: string; keyPath: string; certificate: string; key: string };
export type Authority = Certificate & { folder: string };
/** `names`: subjectAltName in openssl's format; by default the names of this machine. */
export type CertificateOptions = { commonName: string; authority: Authority; names?: string };

/** An authority in a separate folder, which also holds its certificates; the folder is removed after the test. */
export function makeAuthority(t: TestContext, commonName = "authority"): Authority {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-certificates-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, ...make(folder, commonName, ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"], []) };
}

/** A certificate for servers on this machine and for clients. */
export function makeCertificate({ commonName, authority, names = "DNS:localhost,IP:127.0.0.1,IP:::1" }: CertificateOptions): Certificate {
  const extensions = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth,clientAuth", `subjectAltName=${names}`];
  return make(authority.folder, commonName, extensions, ["-CA", authority.certificatePath, "-CAkey", authority.keyPath]);
}

/** The same certificate, but expired since yesterday. */
export function expired(
  { certificatePath, keyPath }: Certificate,
  { certificatePath: authorityPath, keyPath: authorityKeyPath }: Authority,
): Certificate {
  const [requestPath, path] = [`${certificatePath}.csr`, `${certificatePath}.expired`];
  openssl(["x509", "-x509toreq", "-copy_extensions", "copyall", "-in", certificatePath, "-signkey", keyPath, "-out", requestPath]);
  openssl([
    "x509",
    "-req",
    "-copy_extensions",
    "copyall",
    "-in",
    requestPath,
    "-CA",
    authorityPath,
    "-CAkey",
    authorityKeyPath,
    "-CAcreateserial",
    "-days",
    "-1",
    "-out",
    path,
  ]);
  return { certificatePath: path, keyPath, certificate: readFileSync(path, "utf8"), key: readFileSync(keyPath, "utf8") };
}

/** The path of the same key, with a passphrase. */
export function encryptKey({ keyPath }: Certificate): string {
  const path = `${keyPath}.encrypted`;
  openssl(["pkey", "-in", keyPath, "-aes256", "-passout", "pass:secret", "-out", path]);
  return path;
}

let made = 0;

function make(folder: string, commonName: string, extensions: string[], issuer: string[]): Certificate {
  made += 1;
  const configPath = join(folder, `${made}.cnf`);
  const certificatePath = join(folder, `${made}.crt`);
  const keyPath = join(folder, `${made}.key`);
  writeFileSync(configPath, "[req]\ndistinguished_name = name\n[name]\n"); // ignores the configuration of the machine
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", keyPath];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  openssl([
    "req",
    "-x509",
    "-config",
    configPath,
    "-subj",
    `/CN=${commonName}`,
    "-days",
    "2",
    ...key,
    ...added,
    ...issuer,
    "-out",
    certificatePath,
  ]);
  return { certificatePath, keyPath, certificate: readFileSync(certificatePath, "utf8"), key: readFileSync(keyPath, "utf8") };
}

function openssl(args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
