import { strict as assert } from "node:assert";
import { accessSync, constants } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test, type TestContext } from "node:test";
import { type Browser, type BrowserContext, chromium } from "playwright-core";

/** Chromium as Debian packages it, with helpers to see what it really sends. */

const executablePath = "/usr/bin/chromium";

/** Without the package the test is skipped with the reason, except where all tests must run. */
export function browserTest(title: string, run: (t: TestContext) => Promise<void>): void {
  const skip = isInstalled() || process.env["CI"] !== undefined ? false : "the Debian package chromium is not installed";
  test(title, { skip, timeout: 120_000 }, run);
}

export type BrowserOptions = {
  hostRules?: string; // the resolver's rules: "MAP name address"
  isKeepingPolicies?: boolean; // enforce Content-Security-Policy; otherwise only the service keeps pages out
};

/**
 * A new browser with cookies, storage and a cache of its own. It is closed when the test is finished. All tests of a file share its
 * program, because a start of the program takes longer than many tests.
 */
export async function startBrowser(t: TestContext, { hostRules, isKeepingPolicies = false }: BrowserOptions = {}): Promise<BrowserContext> {
  const browser = await program(hostRules);
  const context = await browser.newContext({ bypassCSP: !isKeepingPolicies });
  t.after(() => context.close());
  return context;
}

/** By its host rules, with which Chromium starts. */
const programs = new Map<string, Promise<Browser>>();

after(async () => {
  for (const browser of programs.values()) await (await browser).close();
});

function program(hostRules = ""): Promise<Browser> {
  const started = programs.get(hostRules) ?? launch(hostRules);
  programs.set(hostRules, started);
  return started;
}

async function launch(hostRules: string): Promise<Browser> {
  assert.ok(isInstalled(), "the Debian package chromium is not installed");
  const quiet = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return await chromium.launch({
    executablePath,
    headless: true,
    chromiumSandbox: false, // the sandbox does not work as root
    args: [...quiet, ...(hostRules === "" ? [] : [`--host-resolver-rules=${hostRules}`])],
  });
}

function isInstalled(): boolean {
  try {
    accessSync(executablePath, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A web site on another port of this machine. Returns the port; the site is closed when the test is finished. */
export async function startSite(t: TestContext, handler: RequestListener): Promise<number> {
  const server = createHttpServer(handler);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return await listen(server);
}

export type Exchange = { request: string; site: string | null; status: number | null };

/**
 * A TCP relay to a port of this machine that records its traffic. Browsers do not report every request to pages and debuggers, especially
 * not preflights and beacons.
 */
export class Wire {
  readonly exchanges: Exchange[] = [];
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #firstPage: string | null = null;

  constructor(target: number) {
    this.#target = target;
  }

  /**
   * For DNS rebinding: /start returns this page, as if the name led to the attacker at first and to this machine from then on. A page that
   * the debugger inserts does not suffice: Chromium knows that it came from no address, and keeps it away from this machine.
   */
  startWith(html: string): void {
    this.#firstPage = html;
  }

  /** The relay's port. */
  async start(t: TestContext): Promise<number> {
    const server = createServer((client) => this.#relay(client));
    t.after(() => {
      server.close();
      for (const socket of this.#sockets) socket.destroy();
    });
    return await listen(server);
  }

  /** How requests with this method and path were answered, in order; null if there is no answer yet. */
  answersTo(request: string): (number | null)[] {
    return this.exchanges.filter((exchange) => exchange.request === request).map(({ status }) => status);
  }

  #relay(client: Socket): void {
    const service = connect(this.#target, "127.0.0.1");
    const waiting: Exchange[] = []; // a browser sends the next request on a connection only after the answer
    client.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (this.#firstPage !== null && text.startsWith("GET /start ")) {
        return void client.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n${this.#firstPage}`);
      }
      const requests = requestsIn(text);
      this.exchanges.push(...requests);
      waiting.push(...requests);
      service.write(chunk);
    });
    service.on("data", (chunk) => {
      for (const [, status] of chunk.toString("latin1").matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
        const exchange = waiting.shift();
        if (exchange !== undefined) exchange.status = Number(status);
      }
    });
    service.pipe(client);
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        this.#sockets.delete(from);
      });
    }
  }
}

/** The head of a request arrives in one piece, because browsers write it so, and it is short. */
function requestsIn(text: string): Exchange[] {
  return [...text.matchAll(/^([A-Z]+ \S+) HTTP\/1\.1\r\n((?:[^\r\n]+\r\n)*)/gm)].map(([, request = "", headers = ""]) => {
    return { request, site: /^sec-fetch-site: (\S+)/im.exec(headers)?.[1] ?? null, status: null };
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") return reject(new Error("the server listens on no TCP address"));
      resolve(address.port);
    });
  });
}
