import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { UsageError } from "./usage-error.ts";

/** The path of a PEM file, and the option or variable that names it. */
export type TlsFile = { text: string; by: string };
export type TlsFiles = { ca: TlsFile | undefined; cert: TlsFile | undefined; key: TlsFile | undefined };

/**
 * Throws UsageError if the files are unusable. Node.js itself ignores an authority's file without certificates, and reports other mistakes
 * in the words of OpenSSL.
 */
export function checkTlsFiles({ ca, cert, key }: TlsFiles): void {
  if (ca !== undefined) certificatesIn(ca, "name the file of the authority that signed the service's certificate");
  if (cert !== undefined && key === undefined)
    throw new UsageError(`${cert.by} needs the certificate's private key: --client-key, or the variable JOBRUNNER_CLIENT_KEY`);
  if (key !== undefined && cert === undefined)
    throw new UsageError(`${key.by} needs the certificate that it is the key of: --client-cert, or the variable JOBRUNNER_CLIENT_CERT`);
  if (cert === undefined || key === undefined) return;
  const [own] = certificatesIn(cert, "name the file of the certificate that lets in");
  if (own?.checkPrivateKey(privateKeyIn(key)) !== true)
    throw new UsageError(`${key.by} is not the key of the first certificate in ${cert.by}: name the key that belongs to it`);
}

function certificatesIn({ text, by }: TlsFile, remedy: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----.*?-----END \1CERTIFICATE-----/gs) ?? [];
  try {
    if (blocks.length === 0) throw new Error("no line says BEGIN CERTIFICATE");
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new UsageError(`${by} holds no certificate in the form PEM (${messageOf(cause)}): ${remedy}`, { cause });
  }
}

function privateKeyIn({ text, by }: TlsFile): KeyObject {
  if (/^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m.test(text))
    throw new UsageError(`${by} is encrypted: store it without a passphrase, as openssl pkey -in OLD -out NEW does`);
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new UsageError(`${by} holds no private key in the form PEM (${messageOf(cause)}): name a file that does`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
