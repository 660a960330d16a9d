import { strict as assert } from "node:assert";
import type { TestContext } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { refusalTitles } from "../src/operations/refusal.ts";
import { browserTest, type Exchange, startBrowser, startSite, Wire } from "./helper/browser.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** A text that is in everything that can be read of the job. */
const marker = "private-to-this-box";

/**
 * Defines `attempts`. Each returns as text what the page could read, "" for nothing. `base` is the service's origin, `id` a running
 * job's ID. The attempts cover everything that a page may do without permission, and requests that need a preflight.
 */
const script = (base: string, id: string): string => `
const base = ${JSON.stringify(base)}, job = "/" + ${JSON.stringify(id)}, attempts = {};
const read = async (path, options) => {
  const stop = new AbortController(); // ends the live streams
  const response = await fetch(new URL(path, base), { ...options, signal: stop.signal });
  const chunk = response.body === null ? undefined : (await response.body.getReader().read()).value;
  stop.abort();
  return new TextDecoder().decode(chunk);
};
const inFrame = (url) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.onload = () => resolve(frame);
  frame.src = new URL(url, base).href;
  document.body.append(frame);
});
const element = (name, properties, got) => new Promise((resolve) => {
  const made = document.createElement(name);
  made.onload = () => resolve(got(made));
  made.onerror = () => resolve("");
  document.head.append(Object.assign(made, properties));
});
for (const path of ["/", "/jobs", job, job + "/attach", "/events", "/healthz"]) {
  attempts["GET " + path] = () => read(path, {});
  attempts["GET " + path + " no-cors"] = () => read(path, { mode: "no-cors" });
  attempts["GET " + path + " with credentials"] = () => read(path, { credentials: "include" });
  attempts["img " + path] = () => element("img", { src: base + path }, (made) => String(made.naturalWidth));
  attempts["script " + path] = () => element("script", { src: base + path }, () => "ran");
  attempts["stylesheet " + path] = () => element("link", { rel: "stylesheet", href: base + path }, () => "loaded");
}
for (const path of ["/", "/jobs", job, "/healthz"]) {
  attempts["iframe " + path] = async () => (await inFrame(path)).contentDocument?.body.innerText ?? "";
}
const body = JSON.stringify({ CommandLine: "echo from a page", Name: "from-a-page" });
const post = (type, options) => read("/", { method: "POST", body, headers: { "Content-Type": type }, ...options });
attempts["POST text"] = () => post("text/plain");
attempts["POST text no-cors"] = () => post("text/plain", { mode: "no-cors" });
attempts["POST text with credentials"] = () => post("text/plain", { credentials: "include" });
attempts["POST json"] = () => post("application/json");
attempts["beacon"] = () => (navigator.sendBeacon(base + "/", new Blob([body], { type: "text/plain" })), "");
attempts["PUT"] = () => read(job, { method: "PUT", body });
attempts["DELETE no-cors"] = () => read(job, { method: "DELETE", mode: "no-cors" });
attempts["EventSource"] = () => new Promise((resolve) => {
  const source = new EventSource(base + "/events");
  source.onopen = () => (source.close(), resolve("open"));
  source.onerror = () => (source.close(), resolve(""));
});
attempts["WebSocket"] = () => new Promise((resolve) => {
  const socket = new WebSocket(base.replace("http", "ws") + job + "/attach");
  socket.onopen = () => resolve("open");
  socket.onerror = () => resolve("");
});
attempts["redirect to GET"] = () => read("http://" + location.host + "/redirect?to=/jobs", {});
attempts["redirect to POST"] = () => fetch("/redirect?to=/", { method: "POST", body, mode: "no-cors" }).then((response) => response.text());
attempts["DELETE"] = () => read(job, { method: "DELETE" });
const run = async (names) => {
  const got = {};
  for (const name of names ?? Object.keys(attempts)) got[name] = await Promise.resolve().then(attempts[name]).catch(() => "");
  return JSON.stringify(got);
};
const submitForm = () => {
  const form = Object.assign(document.createElement("form"), { method: "post", enctype: "text/plain", action: base + "/" });
  // sent as JSON, with a = in the middle
  form.append(Object.assign(document.createElement("input"), { name: '{"CommandLine":"echo a', value: 'form"}' }));
  document.body.append(form);
  form.submit();
};
const readOpened = () => { try { return opened.document.body.innerText; } catch { return ""; } };
Object.assign(window, { base, job, run, submitForm, readOpened });
`;

for (const { host, site } of [
  { host: "localhost", site: "same-site" },
  { host: "127.0.0.1", site: "cross-site" },
]) {
  browserTest(`a page on another port of ${host} reads nothing and changes nothing`, async (t) => {
    const { service, id, wire, base, browser } = await start(t);
    const port = await startSite(t, (request, response) => {
      const to = new URL(request.url ?? "/", base).searchParams.get("to");
      if (to === null)
        response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><body><script>${script(base, id)}</script>`);
      else response.writeHead(307, { Location: `${base}${to}` }).end();
    });
    const page = await browser.newPage();
    await page.goto(`http://${host}:${port}/`);
    const got = await run(page);
    assert.deepEqual(
      Object.entries(got).filter(([, text]) => text !== ""),
      [],
      "no attempt gives the page anything",
    );
    assert.equal(await openAndRead(browser, page), "");
    await submitForm(page, base);
    await assertRefused(wire, 403);
    assert.deepEqual([...new Set(ofPages(wire).map((exchange) => exchange.site))], [site, null]); // null: a WebSocket sends only Origin
    // Checks that everything was really sent. DELETE, PUT and JSON need a preflight, and are not sent if it is refused.
    for (const path of ["/", "/jobs", `/${id}`, `/${id}/attach`, "/events", "/healthz"]) assertSent(wire, `GET ${path}`, 6);
    assertSent(wire, "POST /", 6);
    assertSent(wire, "OPTIONS /", 1);
    assertSent(wire, `OPTIONS /${id}`, 2);
    await assertUntouched(service, id);
  });
}

browserTest("a page whose name resolves to this machine reads nothing and changes nothing", async (t) => {
  const { service, id, wire, base, browser } = await start(t, "rebound.test");
  const page = await browser.newPage();
  wire.startWith(`<!doctype html><body><script>${script(base, id)}</script>`);
  await page.goto(`${base}/start`);
  const got = await run(page);
  for (const [name, text] of Object.entries({ ...got, opened: await openAndRead(browser, page) })) {
    assert.ok(text === "" || isRefusal(text), `${name}: ${text}`); // the page may read the refusal itself
  }
  await submitForm(page, base);
  await assertRefused(wire, 421);
  for (const path of ["/", "/jobs", `/${id}`, `/${id}/attach`, "/events", "/healthz"]) assertSent(wire, `GET ${path}`, 6);
  assertSent(wire, "POST /", 6);
  assertSent(wire, `DELETE /${id}`, 1);
  assertSent(wire, `PUT /${id}`, 1);
  await assertUntouched(service, id);
});

browserTest("a typed address is answered, and the service's own pages may call everything", async (t) => {
  const { service, id, wire, base, browser } = await start(t);
  const page = await browser.newPage();
  const typed = await page.goto(`http://localhost:${service.port}/`);
  assert.equal(typed?.status(), 200);
  assert.equal(page.url(), `http://localhost:${service.port}/ui/`);
  await page.goto(`${base}/healthz`);
  assert.deepEqual(wire.exchanges[0], { request: "GET /healthz", site: "none", status: 200 });
  await page.evaluate(`(() => { ${script(base, id)} })()`);
  const reading = ["GET /jobs", "GET /jobs with credentials", `GET /${id}`, `GET /${id}/attach`];
  for (const [name, text] of Object.entries(await run(page, reading))) assert.ok(text.includes(marker), `${name}: ${text}`);
  assert.ok((await openAndRead(browser, page)).includes(marker));
  const changing = await run(page, ["EventSource", "POST text", "POST json", "beacon", "DELETE"]);
  assert.equal(changing["EventSource"], "open");
  assert.match(changing["POST text"] ?? "", /^{"ID":/);
  assert.match(changing["POST json"] ?? "", /^{"ID":/);
  await waitFor("the beacon is answered", () => wire.answersTo("POST /").filter((status) => status === 200).length === 3);
  assert.equal((await jobs(service)).length, 4);
  assert.equal((await service.get(id)).State, "Killed");
});

type Stage = { service: Service; id: string; wire: Wire; base: string; browser: BrowserContext };

/** A service with a running job that has a secret, and a browser on the same machine. */
async function start(t: TestContext, host = "localhost"): Promise<Stage> {
  const browser = await startBrowser(t, host === "localhost" ? {} : { hostRules: `MAP ${host} 127.0.0.1` });
  const service = await startService(t);
  const id = await service.submit({ CommandLine: `echo ${marker}; sleep 1000`, Name: marker });
  await (await service.attach(id)).until(marker);
  const wire = new Wire(service.port);
  return { service, id, wire, base: `http://${host}:${await wire.start(t)}`, browser };
}

/** Runs the attempts with these names, or all, and returns the result of each. */
async function run(page: Page, names?: string[]): Promise<Record<string, string>> {
  const got: Record<string, string> = JSON.parse(await page.evaluate<string>(`run(${JSON.stringify(names)})`));
  return got;
}

/** What a page can read from a window in which it opens a job. */
async function openAndRead(browser: BrowserContext, page: Page): Promise<string> {
  const [opened] = await Promise.all([browser.waitForEvent("page"), page.evaluate("void (window.opened = open(base + job))")]);
  await opened.waitForURL(/^http:/);
  return await page.evaluate<string>("readOpened()");
}

/** Navigates away from the page. */
async function submitForm(page: Page, base: string): Promise<void> {
  await Promise.all([page.waitForURL(`${base}/`), page.evaluate("submitForm()")]);
}

async function assertRefused(wire: Wire, status: number): Promise<void> {
  await waitFor("every request is answered", () => wire.exchanges.every((exchange) => exchange.status !== null));
  assert.deepEqual(
    ofPages(wire).filter((exchange) => exchange.status !== status),
    [],
  );
}

/** Without the requests that the browser makes itself when it shows a refusal in a window. */
function ofPages({ exchanges }: Wire): Exchange[] {
  return exchanges.filter(({ request }) => request !== "GET /favicon.ico");
}

function assertSent(wire: Wire, request: string, times: number): void {
  const { length } = wire.answersTo(request);
  assert.ok(length >= times, `${request} was sent ${length} times, not ${times}`);
}

async function assertUntouched(service: Service, id: string): Promise<void> {
  assert.deepEqual(
    (await jobs(service)).map(({ ID }) => ID),
    [id],
  );
  assert.equal((await service.get(id)).State, "Running");
}

async function jobs(service: Service): Promise<{ ID: string }[]> {
  const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse((await service.call("GET", "/jobs")).text);
  return Jobs;
}

/** What a script reads is JSON; what a window shows is a page. */
function isRefusal(text: string): boolean {
  if (text.startsWith(refusalTitles["foreign-host"])) return true;
  const { status }: { status?: number } = JSON.parse(text);
  return status === 421;
}
