// Chromium, and the cost of a page in it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import type { Scope } from "./scope.ts";

const executablePath = "/usr/bin/chromium";
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const hasBrowser = (): boolean => existsSync(executablePath);

/** The only tab of a separate browser, so that all memory belongs to the page. */
export async function openTab(scope: Scope, name: string): Promise<Tab> {
  const profile = join(scope.directory, `profile-${name}`);
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    chromiumSandbox: false,
    viewport: { width: 1280, height: 800 },
    args: quiet,
  });
  scope.defer(async () => await browser.close());
  const [first] = browser.pages();
  const page = first ?? (await browser.newPage());
  return new Tab({ browser, page, profile, session: await browser.newCDPSession(page) });
}

export class Tab {
  readonly page: Page;
  readonly #browser: BrowserContext;
  readonly #session: CDPSession;
  readonly #profile: string;

  constructor({ browser, page, session, profile }: { browser: BrowserContext; page: Page; session: CDPSession; profile: string }) {
    this.page = page;
    this.#browser = browser;
    this.#session = session;
    this.#profile = profile;
  }

  /** Heap of the page's scripts in megabytes, after a garbage collection. */
  async heapMegabytes(): Promise<number> {
    await this.#session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await this.#session.send("Runtime.getHeapUsage");
    return usedSize / 1e6;
  }

  /** RSS of the renderer process in megabytes. */
  rendererMegabytes(): number {
    const own = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => megabytesOf(pid, this.#profile));
    return Math.max(0, ...own);
  }

  /** Milliseconds between frames for the given time, while `work` runs. */
  async frames(forMs: number, work: () => Promise<void> = async () => undefined): Promise<number[]> {
    const measuring = this.page.evaluate<number[]>(`new Promise((done) => {
      const times = [];
      let last = performance.now();
      const end = last + ${forMs};
      const next = (now) => {
        times.push(now - last);
        last = now;
        if (now < end) requestAnimationFrame(next);
        else done(times.slice(1));
      };
      requestAnimationFrame(next);
    })`);
    await work();
    return await measuring;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

function megabytesOf(pid: string, profile: string): number[] {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (!command.includes("--type=renderer") || !hasParentOf(pid, profile)) return [];
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? [] : [Number(kilobytes) / 1000];
  } catch {
    return []; // the process has ended
  }
}

/** Whether a process belongs to the browser with this profile. */
function hasParentOf(pid: string, profile: string): boolean {
  for (let current = pid; current !== "0" && current !== "";) {
    if (readFileSync(`/proc/${current}/cmdline`, "utf8").includes(`--user-data-dir=${profile}`)) return true;
    current = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${current}/status`, "utf8"))?.[1] ?? "";
  }
  return false;
}
