import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { browserTest, startSite } from "./helper/browser.ts";
import { openPage, waitForLines } from "./helper/page.ts";
import { Proxy } from "./helper/proxy.ts";
import { createToken, fromElsewhere, jobrunner } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

/** What all pages have in common: identity, connection and accessibility. */

const untrusting = { isFromElsewhere: true, expected: /status of 401/ };

browserTest(
  "if a token is needed, the page asks for one, keeps it out of cookies and local storage, and sends it with every request",
  async (t) => {
    const { service, page } = await openPage(t, untrusting);
    const token = await createToken(service, "alice", "submit");
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.getByLabel("Token").fill("jr_nothing_like_it");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token").fill(` ${token} `);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("No job has been submitted yet.").waitFor();
    await page.mouse.move(0, 0);
    const id = await service.submit({ Name: "mine", CommandLine: "head -c 3000 /dev/urandom" }, { Authorization: `Bearer ${token}` });
    await page.getByRole("link", { name: "mine" }).click();
    await page.getByRole("status").filter({ hasText: "succeeded" }).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
    const output = await service.call("GET", `/${id}/attach`, { headers: { Authorization: `Bearer ${token}` } });
    assert.deepEqual(await readFile(await download.path()), output.body);
    await page.reload();
    await page.getByRole("heading", { name: "mine" }).waitFor();
    assert.equal(await page.evaluate<boolean>(`JSON.stringify({ ...localStorage }).includes("${token}") || document.cookie !== ""`), false);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  },
);

browserTest("all tabs of a browser share one login, until one logs out or the last is closed", async (t) => {
  const { service, browser, page, base } = await openPage(t, { ...untrusting, expected: /status of 401|ERR_/ });
  const [first, second] = [await createToken(service, "alice", "submit"), await createToken(service, "bob", "admin")];
  const openTab = async (): Promise<Page> => {
    const tab = await browser.newPage();
    await tab.setExtraHTTPHeaders(fromElsewhere);
    await tab.goto(`${base}/ui/`);
    return tab;
  };
  const logIn = async (tab: Page, token: string): Promise<void> => {
    await tab.getByLabel("Token").fill(token);
    await tab.getByRole("button", { name: "Log in" }).click();
  };
  const isKnown = async (tab: Page, name: string): Promise<void> => await tab.getByText(`token:${name} on`).waitFor();
  const isAsked = async (tab: Page): Promise<void> => await tab.getByRole("heading", { name: "Log in" }).waitFor();
  const early = await openTab();
  await isAsked(early);
  await logIn(page, first);
  await isKnown(page, "alice");
  await isKnown(early, "alice");
  const late = await openTab();
  await isKnown(late, "alice");
  await late.getByRole("button", { name: "Log out" }).click();
  for (const tab of [page, early, late]) await isAsked(tab);
  await logIn(early, second);
  for (const tab of [page, early, late]) await isKnown(tab, "bob");
  assert.equal((await jobrunner(service, ["token", "revoke", "bob"])).code, 0);
  for (const tab of [page, early, late]) await isAsked(tab);
  await logIn(late, first);
  for (const tab of [page, early, late]) await isKnown(tab, "alice");
  for (const tab of [page, early, late]) await tab.close();
  const next = await openTab();
  await isAsked(next);
  await next.close();
});

browserTest("the page asks for another token when its token is revoked", async (t) => {
  const { service, page } = await openPage(t, { ...untrusting, expected: /status of 401|ERR_/ });
  const token = await createToken(service, "bob", "admin");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("No job has been submitted yet.").waitFor();
  assert.equal((await jobrunner(service, ["token", "revoke", "bob"])).code, 0);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
});

browserTest("a user with the role read sees no button for other operations", async (t) => {
  const { service, page, base } = await openPage(t, untrusting);
  const [reader, admin] = [await createToken(service, "reader", "read"), await createToken(service, "boss", "admin")];
  const id = await service.submit({ Name: "watched", CommandLine: "sleep 1000" }, { Authorization: `Bearer ${admin}` });
  await page.getByLabel("Token").fill(reader);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("link", { name: "watched" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "New job" }).count(), 0);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await page.getByRole("heading", { name: "watched" }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Kill|Run again|Delete/ }).count(), 0);
  await page.goto(`${base}/ui/#/box`);
  await page.getByText("Only the role admin may see").waitFor();
  await service.call("DELETE", `/${id}?force=true`, { headers: { Authorization: `Bearer ${admin}` } });
});

browserTest("the page reports when the service is down, and when it is back everything continues", async (t) => {
  const { service, page, base } = await openPage(t, { expected: /ERR_|Failed to load/ });
  const id = await service.submit({ Name: "survivor", CommandLine: "for i in $(seq 1 100000); do echo line $i; sleep 0.02; done" });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "output comes", (lines) => lines.length > 5);
  await service.crash();
  await page.getByText("The service does not answer").waitFor();
  await service.start();
  await waitFor("the page says that it is there again", async () => (await page.getByText("The service does not answer").count()) === 0);
  const last = (lines: string[]): number => Number(lines.at(-1)?.split(" ")[1]);
  const before = last(await waitForLines(page, "lines are seen", (lines) => lines.length > 5));
  const lines = await waitForLines(page, "output goes on", (seen) => last(seen) > before + 20);
  for (const [index, line] of lines.entries())
    assert.equal(line, `line ${last(lines) - lines.length + 1 + index}`, "no line is missing or twice");
  await service.client().kill(id, { isForced: true });
  await page.getByRole("status").filter({ hasText: "killed" }).waitFor();
});

browserTest("when connections break, output resumes at its position", async (t) => {
  const { service, page } = await openPage(t, { expected: /ERR_|Failed to load|^asked for http:\/\/localhost:/ });
  const proxy = await new Proxy(() => service.port).start(t);
  const { port } = new URL(proxy.url);
  const id = await service.submit({ Name: "relayed", CommandLine: "for i in $(seq 1 100000); do echo line $i; sleep 0.02; done" });
  await page.goto(`http://localhost:${port}/ui/#/jobs/${id}`);
  await waitForLines(page, "output comes", (lines) => lines.length > 5);
  proxy.breakAll();
  const last = (lines: string[]): number => Number(lines.at(-1)?.split(" ")[1]);
  const before = last(await waitForLines(page, "lines are seen", (lines) => lines.length > 5));
  await waitForLines(page, "output goes on", (lines) => last(lines) > before + 20);
  await service.client().kill(id, { isForced: true });
});

browserTest("while a proxy reports that the service is down, nobody is logged out, and then all continues", async (t) => {
  const { service, page } = await openPage(t, { isFromElsewhere: true, expected: /status of (401|50\d)|asked for http:\/\/localhost/ });
  let isThere = true;
  const port = await startSite(t, (asked, response) => {
    if (!isThere && !(asked.url ?? "").startsWith("/ui/")) return void response.writeHead(502).end("<h1>Bad Gateway</h1>");
    forward(asked, response, { port: service.port });
  });
  const token = await createToken(service, "carol", "submit");
  const authorization = { Authorization: `Bearer ${token}` };
  const id = await service.submit({ Name: "patient", CommandLine: "echo patience; sleep 1000" }, authorization);
  await page.goto(`http://localhost:${port}/ui/#/jobs/${id}`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await waitForLines(page, "the output is there", (lines) => lines.includes("patience"));
  isThere = false;
  await page.reload();
  await page.getByText("The service does not answer").waitFor();
  isThere = true;
  await waitForLines(page, "the output is there again", (lines) => lines.includes("patience"));
  await waitFor("the page says no more that it is gone", async () => (await page.getByText("The service does not answer").count()) === 0);
  await service.call("DELETE", `/${id}?force=true`, { headers: authorization });
  await page.getByRole("status").filter({ hasText: "killed" }).waitFor();
});

browserTest("a proxy may serve the page under a path of its own", async (t) => {
  const { service, page } = await openPage(t, { browser: {}, expected: /asked for http:\/\/localhost/ });
  const port = await startSite(t, (asked, response) =>
    forward(asked, response, { port: service.port, path: (asked.url ?? "").replace(/^\/box1/, "") }),
  );
  const id = await service.submit({ Name: "proxied", CommandLine: "echo through" });
  await page.goto(`http://localhost:${port}/box1/`);
  await page.getByRole("link", { name: "proxied" }).click();
  await waitForLines(page, "the output is there", (lines) => lines.includes("through"));
  assert.equal(page.url(), `http://localhost:${port}/box1/ui/#/jobs/${id}`);
});

function forward(
  asked: IncomingMessage,
  response: ServerResponse,
  { port, path = asked.url }: { port: number; path?: string | undefined },
): void {
  const forwarded = request({ port, method: asked.method, path, headers: asked.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  forwarded.on("error", () => response.destroy());
  response.on("close", () => forwarded.destroy());
  asked.pipe(forwarded);
}

browserTest(
  "before the first job is shown, the page loads less than 40 kB, compressed, from this service only, under a strict policy",
  async (t) => {
    const { service, page, base } = await openPage(t, { expected: /TrustedHTML/ });
    const id = await service.submit({ Name: "small", CommandLine: "echo small" });
    await service.wait(id);
    for (const at of ["/ui/#/jobs", `/ui/#/jobs/${id}`]) {
      const sizes: Promise<[string, number]>[] = [];
      const note = (response: { url(): string; body(): Promise<Buffer> }): void => {
        if (response.url().includes("/ui/"))
          sizes.push(response.body().then((body): [string, number] => [response.url(), gzipSync(body, { level: 9 }).length]));
      };
      await page.goto("about:blank");
      page.on("response", note);
      await page.goto(`${base}${at}`);
      await (at.endsWith(id) ? page.getByRole("heading", { name: "small" }) : page.getByRole("link", { name: "small" })).waitFor();
      page.off("response", note);
      const all = await Promise.all(sizes.filter(Boolean));
      const shown = all.filter(([url]) => !/\/(log|history)-/.test(url)); // loaded when a job is shown
      assert.ok(shown.length > 2);
      assert.ok(shown.reduce((sum, [, size]) => sum + size, 0) < 40_000, JSON.stringify(shown));
    }
    const { headers } = await service.call("GET", "/ui/");
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.match(policy, /require-trusted-types-for 'script'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.equal(
      await page.evaluate<string>(
        `(() => { try { document.body.innerHTML = "<b>x</b>"; return "it did"; } catch (error) { return error.name; } })()`,
      ),
      "TypeError",
    );
  },
);

for (const scheme of ["light", "dark"] as const) {
  browserTest(`axe finds nothing in the ${scheme} pages, wide and narrow`, async (t) => {
    const { service, page, base } = await openPage(t);
    const id = await service.submit({
      Name: "accessible",
      Labels: { team: "db" },
      Commands: [
        {
          Name: "colours",
          CommandLine:
            'for i in $(seq 0 7); do printf "\\033[3${i}mcolour $i\\033[0m \\033[9${i}mbright\\033[0m \\033[4${i}mground\\033[0m\\n"; ' +
            "done; echo careful >&2",
        },
        { CommandLine: "exit 3" },
        { CommandLine: "echo never" },
      ],
    });
    await service.wait(id);
    await service.submit({ Name: "running", CommandLine: "echo x; sleep 1000" });
    await page.emulateMedia({ colorScheme: scheme });
    for (const size of [
      { width: 1280, height: 800 },
      { width: 360, height: 740 },
    ]) {
      await page.setViewportSize(size);
      for (const [at, ready] of [
        ["jobs", "accessible"],
        [`jobs/${id}`, "careful"],
        ["new", "Command line"],
        ["box", "What the doctor finds"],
      ] as const) {
        await page.goto(`${base}/ui/#/${at}`);
        await page.getByText(ready, { exact: true }).first().waitFor();
        assert.deepEqual(await violations(page), [], `${at} at ${size.width} pixels`);
        assert.ok(
          (await page.evaluate<number>("document.documentElement.scrollWidth")) <= size.width,
          `${at} is no wider than ${size.width} pixels`,
        );
      }
    }
    const [running] = await service.client().running();
    await page.goto(`${base}/ui/#/jobs/${running}`);
    await page.getByRole("button", { name: "Kill" }).click();
    await page.getByRole("dialog").waitFor();
    assert.deepEqual(await violations(page), [], "the dialog before a kill");
    await service.client().kill(running ?? "", { isForced: true });
  });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Run by the debugger, because the page's policy allows no scripts. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return await page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, impact, nodes }) => impact + " " ` +
      `+ id + ": " + nodes.slice(0, 3).map(({ html, failureSummary }) => html.slice(0, 200) + " " + failureSummary).join(" | ")))`,
  );
}
