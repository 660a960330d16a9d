import { strict as assert } from "node:assert";
import type { TestContext } from "node:test";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { type BrowserOptions, startBrowser } from "./browser.ts";
import { type Service, startService, type StartOptions } from "./service.ts";
import { fromElsewhere } from "./tokens.ts";
import { waitFor } from "./wait.ts";

/** The web page as users have it: served by the real service, in a real browser that enforces its security policy. */

export type Opened = { service: Service; browser: BrowserContext; page: Page; base: string };

export type PageOptions = StartOptions & {
  at?: string;
  browser?: BrowserOptions;
  viewport?: BrowserContextOptions["viewport"];
  expected?: RegExp;
  isFromElsewhere?: boolean;
};

/**
 * Starts a service and opens its page. The test fails if the page logs an error, throws one, or sends a request to another server.
 * `expected`: the console messages that are allowed. `isFromElsewhere`: the service trusts nobody without a token.
 */
export async function openPage(
  t: TestContext,
  {
    at = "/ui/",
    browser: browserOptions = {},
    isFromElsewhere = false,
    viewport = { width: 1280, height: 800 },
    expected,
    ...options
  }: PageOptions = {},
): Promise<Opened> {
  const complaints: string[] = [];
  let close = async (): Promise<void> => undefined;
  t.after(async () => {
    await close(); // before the service stops, because the page would report errors
    assert.deepEqual(complaints, [], "the page has nothing to complain about");
  });
  const service = await startService(t, options);
  const browser = await startBrowser(t, { isKeepingPolicies: true, ...browserOptions });
  const page = await browser.newPage();
  close = async () => await page.close();
  page.setDefaultTimeout(15_000);
  if (isFromElsewhere) await page.setExtraHTTPHeaders(fromElsewhere);
  if (viewport !== null && viewport !== undefined) await page.setViewportSize(viewport);
  const base = `http://localhost:${service.port}`;
  watch(page, { base, note: (text) => void (expected?.test(text) === true || complaints.push(text)) });
  await page.goto(`${base}${at}`);
  return { service, browser, page, base };
}

function watch(page: Page, { base, note }: { base: string; note: (text: string) => void }): void {
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") note(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => note(`error: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("blob:")) note(`asked for ${request.url()}`);
  });
}

/** The visible lines of output, from the top; headings of steps are in brackets. */
export async function linesSeen(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(seenScript);
}

const seenScript = `(() => {
  const box = document.querySelector(".log-box");
  if (box === null) return [];
  const { top, bottom } = box.getBoundingClientRect();
  const rows = [...box.querySelectorAll(".log-row, .log-step")].filter((row) => {
    const own = row.getBoundingClientRect();
    return own.bottom > top + 2 && own.top < bottom - 2;
  });
  const seen = (row) => [...row.querySelector("code").childNodes].filter((node) => node.className !== "unseen");
  const textOf = (row) => (row.querySelector("code") === null ? row.textContent : seen(row).map((node) => node.textContent).join(""));
  return rows.map((row) => (row.matches(".log-step") ? "[" + row.querySelector(".step-title")?.textContent + "]" : textOf(row)));
})()`;

/** Waits until the visible output matches. */
export async function waitForLines(page: Page, what: string, fits: (lines: string[]) => boolean): Promise<string[]> {
  let lines: string[] = [];
  await waitFor(what, async () => {
    lines = await linesSeen(page);
    return fits(lines);
  }).catch((cause: unknown) => {
    throw new Error(`${what}: what is seen is ${JSON.stringify(lines)}`, { cause });
  });
  return lines;
}
