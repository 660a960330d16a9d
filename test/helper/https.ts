import { strict as assert } from "node:assert";
import { copyFileSync } from "node:fs";
import { request, type RequestOptions } from "node:https";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Authority, type Certificate, makeAuthority, makeCertificate } from "./certificates.ts";
import { Reader } from "./http.ts";
import { type Spawned, spawnService } from "./spawned.ts";

/** The service over HTTPS, with a certificate of the test's authority. */

export type Files = { certificate: string; key: string };
export type Trust = RequestOptions;

export async function startSecure(
  t: TestContext,
  environment: Record<string, string> = {},
): Promise<Spawned & { url: string; authority: Authority; trust: Trust; files: Files }> {
  const authority = makeAuthority(t);
  const files = { certificate: join(authority.folder, "tls.crt"), key: join(authority.folder, "tls.key") };
  install(makeCertificate({ commonName: "localhost", authority }), files);
  const spawned = await spawnSecure(t, { JOBRUNNER_TLS_CERT: files.certificate, JOBRUNNER_TLS_KEY: files.key, ...environment });
  return { ...spawned, authority, trust: { ca: authority.certificate }, files };
}

export async function spawnSecure(t: TestContext, environment: Record<string, string>): Promise<Spawned & { url: string }> {
  const spawned = await spawnService(t, environment);
  const [url = ""] = spawned.urls;
  assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/, spawned.log());
  return { ...spawned, url };
}

export function install({ certificatePath, keyPath }: Certificate, files: Files): void {
  copyFileSync(certificatePath, files.certificate);
  copyFileSync(keyPath, files.key);
}

export async function ask(url: string, path: string, options: Trust, body?: string): Promise<{ status: number; text: string }> {
  const reader = await open(url, path, options, body);
  await reader.ended;
  return { status: reader.status, text: reader.received().toString() };
}

/** Uses a separate connection. */
export function open(url: string, path: string, options: Trust, body?: string): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { agent: false, ...options });
    sent.once("error", reject);
    sent.once("response", (response) => resolve(new Reader(sent, response)));
    sent.end(body);
  });
}
