import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import type { Page } from "playwright-core";
import { withLinks } from "../web/output/links.ts";
import { safeLink } from "../web/output/safe-link.ts";
import { Styler } from "../web/output/styles.ts";
import { browserTest } from "./helper/browser.ts";
import { openPage, type Opened, waitForLines } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";

/** What people select and copy of the log, link to, and follow. */

const numbered = "seq -f 'line %.0f' 1 30000";

browserTest("Ctrl+A in the log means the log: all of it is copied, and nothing else", async (t) => {
  const opened = await openPage(t);
  const { service, page } = opened;
  const { job, output } = await service.run({
    Commands: [{ CommandLine: numbered }, { CommandLine: "printf '\\033[31mcolour\\033[0m\\n'; echo careful >&2" }],
  });
  await toEnd(opened, job.ID, "careful");
  await page.locator(".log-row code").first().click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Control+c");
  assert.equal(await clipboard(page, "30,002 lines copied"), output.toString().replace("\u001b[31mcolour\u001b[0m", "colour").trimEnd());
});

browserTest("what is selected outlives scrolling, and is copied as the output alone; with times only if they are shown", async (t) => {
  const opened = await openPage(t);
  const { service, page } = opened;
  const { job } = await service.run({ CommandLine: `${numbered} >&2` });
  await toEnd(opened, job.ID, "line 30000");
  const rows = page.locator(".log-row code");
  const count = await rows.count();
  const texts = (await rows.allInnerTexts()).map((text) => text.replace(/^standard error:\s*/, ""));
  const [from, to] = [rows.nth(count - 12), rows.nth(count - 4)];
  const [start, end] = [await from.boundingBox(), await to.boundingBox()];
  assert.ok(start !== null && end !== null);
  await page.mouse.move(start.x + 1, start.y + 10);
  await page.mouse.down();
  await page.mouse.move(end.x + 400, end.y + 10, { steps: 5 });
  await page.mouse.up();
  const wanted = texts.slice(count - 12, count - 3).join("\n");
  await page.mouse.wheel(0, -30_000);
  await waitForLines(page, "the selected lines are out of sight", (lines) => Number(lines.at(-1)?.split(" ")[1]) < 29_000);
  await page.keyboard.press("Control+c");
  assert.equal(await clipboard(page, "9 lines copied"), wanted);
  await page.getByRole("button", { name: "Times" }).click();
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await waitFor("times are copied", async () =>
    /^\d\d:\d\d:\d\d\.\d{3} line 29/.test(await page.evaluate<string>("navigator.clipboard.readText()")),
  );
  await page.getByRole("button", { name: "Times" }).click();
  await page.getByRole("button", { name: "Go to the end" }).click();
  await waitForLines(page, "the end is seen", (lines) => lines.at(-1) === "line 30000");
  await waitFor("it is shown as selected again", async () =>
    (await page.evaluate<string>("getSelection().toString()")).includes(wanted.split("\n")[4] ?? "?"),
  );
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await clipboard(page, "Link to the lines copied");
  await waitFor("the lines are marked", async () => (await page.locator(".log-row.is-chosen").count()) === 9);
  assert.match(page.url(), /\?at=\d+-\d+$/);
});

browserTest("a click and a click with Shift beside lines make a link to all lines between, which the Copy button copies", async (t) => {
  const opened = await openPage(t);
  const { service, page, base } = opened;
  const { job } = await service.run({ CommandLine: "seq -f 'line %.0f' 1 20" });
  await toEnd(opened, job.ID, "line 20");
  await page.locator(".log-link").nth(11).click();
  await waitFor("one line is marked", async () => (await page.locator(".log-row.is-chosen").count()) === 1);
  await page
    .locator(".log-link")
    .nth(4)
    .click({ modifiers: ["Shift"] });
  await waitFor("eight lines are marked", async () => (await page.locator(".log-row.is-chosen").count()) === 8);
  const address = page.url();
  await page.goto(`${base}/ui/#/jobs`);
  await page.goto(address);
  await waitFor("they are marked again", async () => (await page.locator(".log-row.is-chosen").count()) === 8);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  assert.equal(await clipboard(page, "8 lines copied"), [5, 6, 7, 8, 9, 10, 11, 12].map((number) => `line ${number}`).join("\n"));
});

browserTest("of more than 10 MiB the first 10 MiB are copied, and the page says so", async (t) => {
  const opened = await openPage(t);
  const { service, page } = opened;
  const { job, output } = await service.run({ CommandLine: "seq -f 'a line with its number %.0f' 1 400000" });
  await toEnd(opened, job.ID, "a line with its number 400000");
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  const text = await clipboard(page, "left out: download the output instead");
  assert.ok(text.length > 10_400_000 && text.length <= 10 << 20, `${text.length} characters`);
  assert.ok(output.toString().startsWith(`${text}\n`), "whole lines from the start");
});

browserTest(
  "addresses and OSC 8 links of safe schemes can be followed: their target is shown, and the page is not given to it",
  async (t) => {
    const { service, page, base } = await openPage(t);
    const { job } = await service.run({
      CommandLine:
        "printf 'see https://example.test/a(b)?c=d, or (http://example.test/x).\\n'; " +
        "printf '\\033]8;;https://example.test/hidden\\033\\\\shown\\033]8;;\\033\\\\ '; " +
        "printf '\\033]8;;javascript:alert(1)\\007bad\\033]8;;\\007\\n'",
    });
    await page.goto(`${base}/ui/#/jobs/${job.ID}`);
    await waitForLines(page, "the output is seen", (lines) => lines.at(-1) === "shown bad");
    const links = await page.evaluate<string[][]>(
      "[...document.querySelectorAll('.log-row code a')].map((a) => [a.textContent, a.getAttribute('href'), a.title, a.rel])",
    );
    const rel = "noopener noreferrer";
    assert.deepEqual(links, [
      ["https://example.test/a(b)?c=d", "https://example.test/a(b)?c=d", "https://example.test/a(b)?c=d", rel],
      ["http://example.test/x", "http://example.test/x", "http://example.test/x", rel],
      ["shown", "https://example.test/hidden", "https://example.test/hidden", rel],
    ]);
  },
);

test("only http, https and mailto are followed", () => {
  for (const target of [
    "javascript:alert(1)",
    " JaVaScript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "//x.test",
    "x",
    "",
  ])
    assert.equal(safeLink(target), null, target);
  assert.equal(safeLink("mailto:a@example.test"), "mailto:a@example.test");
  assert.equal(safeLink("HTTPS://EXAMPLE.test"), "https://example.test/");
});

test("links change no text, whatever the runs are", () => {
  const parts = fc.array(
    fc.constantFrom("http://", "https://a.test/", "x", " ", "(", ")", ".", "mailto:", "a@b.test", "é😀", "\u001b[31m", "\u001b[0m", "://"),
  );
  fc.assert(
    fc.property(parts, (texts) => {
      const runs = new Styler().runsOf(texts.join(""), { isStderr: false });
      const linked = withLinks(runs);
      assert.equal(linked.map(({ text }) => text).join(""), runs.map(({ text }) => text).join(""));
      for (const { link, text } of linked) assert.ok(text !== "" && (link === null || /^(https?:\/\/|mailto:)/.test(link)));
    }),
  );
});

async function toEnd({ page, browser, base }: Opened, id: string, last: string): Promise<void> {
  await browser.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "the end is seen", (lines) => lines.at(-1) === last);
}

/** What is on the clipboard when the page has said this. */
async function clipboard(page: Page, said: string): Promise<string> {
  await page.getByText(said).waitFor({ timeout: 60_000 }); // 10 MiB are read in 160 requests
  return await page.evaluate<string>("navigator.clipboard.readText()");
}
