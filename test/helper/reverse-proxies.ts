import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { request as requestPlainly } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Authority, makeAuthority, makeCertificate } from "./certificates.ts";
import { type CallOptions, Reader } from "./http.ts";
import { freePort } from "./ports.ts";
import { repository } from "./service.ts";
import { waitFor } from "./wait.ts";

/** Real reverse proxies for a service on this machine, each with a separate port and folder. */

export const proxyHost = "jobs.example.com";

export function needsProgram(program: string, debianPackage: string): { skip: string | false } {
  const isThere = spawnSync("sh", ["-c", `command -v ${program}`], { env: environment }).status === 0;
  return { skip: isThere || process.env["CI"] !== undefined ? false : `the Debian package ${debianPackage} is not installed` };
}

const environment = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

export class ReverseProxy {
  readonly #url: URL;
  readonly #authority: Authority | null;

  constructor(url: string, authority: Authority | null) {
    this.#url = new URL(url);
    this.#authority = authority;
  }

  /** Sends a request as a client of the proxy does, with the proxy's name. */
  open(method: string, path: string, { body, headers = {} }: CallOptions = {}): Promise<Reader> {
    const { hostname, port, protocol } = this.#url;
    const options = {
      hostname,
      port,
      method,
      path,
      agent: false,
      headers: protocol === "https:" ? { Host: proxyHost, ...headers } : headers,
    };
    return new Promise((resolve, reject) => {
      const sent =
        protocol === "https:"
          ? request({ ...options, ca: this.#authority?.certificate, servername: "localhost" })
          : requestPlainly(options);
      sent.once("error", reject);
      sent.once("response", (response) => resolve(new Reader(sent, response)));
      sent.end(body);
    });
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<{ status: number; text: string; body: Buffer }> {
    const reader = await this.open(method, path, options);
    await reader.ended;
    return { status: reader.status, text: reader.received().toString(), body: reader.received() };
  }
}

/** nginx with a minimal configuration. */
export async function startPlainNginx(t: TestContext, servicePort: number): Promise<ReverseProxy> {
  const port = await freePort();
  await startNginx(t, port, `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${servicePort}; } }`);
  return new ReverseProxy(`http://127.0.0.1:${port}`, null);
}

/** nginx with the file in packaging/proxies. */
export async function startOurNginx(t: TestContext, servicePort: number): Promise<ReverseProxy> {
  const [port, authority] = [await freePort(), makeAuthority(t)];
  const { certificatePath, keyPath } = makeCertificate({ commonName: "localhost", authority });
  const config = replaced("nginx.conf", {
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "127.0.0.1:8080": `127.0.0.1:${servicePort}`,
    "/etc/ssl/certs/jobs.example.com.pem": certificatePath,
    "/etc/ssl/private/jobs.example.com.key": keyPath,
  });
  await startNginx(t, port, config);
  return new ReverseProxy(`https://127.0.0.1:${port}`, authority);
}

export async function startOurHaproxy(t: TestContext, servicePort: number): Promise<ReverseProxy> {
  const [port, authority, folder] = [await freePort(), makeAuthority(t), temporaryFolder(t)];
  const { certificate, key } = makeCertificate({ commonName: "localhost", authority });
  writeFileSync(join(folder, "both.pem"), `${certificate}${key}`);
  const config = replaced("haproxy.cfg", {
    "bind :443": `bind 127.0.0.1:${port}`,
    "127.0.0.1:8080": `127.0.0.1:${servicePort}`,
    "/etc/haproxy/jobs.example.com.pem": join(folder, "both.pem"),
  });
  writeFileSync(join(folder, "haproxy.cfg"), config);
  await startProgram(t, port, ["haproxy", "-f", join(folder, "haproxy.cfg")]);
  return new ReverseProxy(`https://127.0.0.1:${port}`, authority);
}

export async function startNginx(t: TestContext, port: number, servers: string): Promise<void> {
  const folder = temporaryFolder(t);
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  const settings = `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events {}`;
  const config = `${settings} http { access_log off; ${folders} ${servers} }`;
  writeFileSync(join(folder, "nginx.conf"), config);
  await startProgram(t, port, ["nginx", "-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")]);
}

/** Resolves when a program listens on the port; the program is stopped after the test. */
async function startProgram(t: TestContext, port: number, [program = "", ...args]: string[]): Promise<void> {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: environment });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const isFinished = (): boolean => child.exitCode !== null || child.signalCode !== null;
  t.after(async () => {
    child.kill("SIGTERM");
    await waitFor(`${program} ends`, isFinished);
  });
  await waitFor(`${program} listens`, () => {
    if (isFinished()) throw new Error(`${program} ended at once: ${said}`);
    return isListening(port);
  });
}

function isListening(port: number): boolean {
  const listening = "0A";
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .some((line) => line.includes(` ${address} 00000000:0000 ${listening} `));
}

/** A file of packaging/proxies with replaced words; each word must be in it. */
function replaced(file: string, words: Record<string, string>): string {
  let text = readFileSync(join(repository, "packaging", "proxies", file), "utf8");
  for (const [from, to] of Object.entries(words)) {
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** A folder that other users, such as nginx's workers, can enter. */
function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-proxy-"));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
