import { strict as assert } from "node:assert";
import { browserTest } from "./helper/browser.ts";
import { linesSeen, openPage, waitForLines } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";

/** Which part of the log stays visible in a browser. The reducer behind it is tested in web-scroll.test.ts. */

browserTest("a long step that is folded and unfolded is complete again", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ Commands: [{ CommandLine: "seq -f '%080.0f' 1 8000" }, { CommandLine: "echo second step" }] });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}?step=1`);
  await waitForLines(page, "its first line is seen", (lines) => lines.some((line) => Number(line) === 1));
  const header = page.locator(".log-step button").first();
  await header.click();
  await waitForLines(page, "it is folded", (lines) => lines.includes("second step"));
  await header.click();
  await waitForLines(page, "it is unfolded", (lines) => lines.some((line) => Number(line) === 1));
  await page.locator(".log-box").hover();
  for (let turn = 1; turn <= 12; turn += 1) {
    await page.mouse.wheel(0, 2000);
    await waitForLines(page, "it is scrolled", (lines) => Number(lines.at(-1)) >= turn * 100);
    const numbers = (await linesSeen(page)).map(Number).filter((number) => !Number.isNaN(number));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => (numbers[0] ?? 0) + index),
      "one line follows the other",
    );
  }
});

browserTest("in the middle of very long lines, of which few make a page, the page loads the visible part and then stops", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ CommandLine: "for i in $(seq 1 400); do printf '%08d%015991d\\n' $i 0; done" });
  await service.wait(id);
  const requested = { count: 0 };
  page.on("request", (request) => (requested.count += Number(request.url().includes("/attach?"))));
  await page.goto(`${base}/ui/#/jobs/${id}?at=3200000`);
  await waitFor("the line of the link is marked", async () => (await page.locator(".log-row.is-chosen").count()) === 1);
  await waitFor("all near it is loaded", async () => {
    const before = requested.count;
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    return requested.count === before;
  });
  assert.equal(await page.locator(".log-row.is-chosen").isVisible(), true);
});

browserTest(
  "the visible text stays when lines wrap, times are shown and the window changes, and returns when that is undone",
  async (t) => {
    const { service, page, base } = await openPage(t);
    const id = await service.submit({ CommandLine: "for i in $(seq 1 3000); do printf 'line %d %0*d\\n' $i $((i % 700 + 1)) 0; done" });
    await service.wait(id);
    await page.goto(`${base}/ui/#/jobs/${id}?at=500000`);
    await waitFor("the line of the link is marked", async () => (await page.locator(".log-row.is-chosen").count()) === 1);
    const first = async (): Promise<string> => (await linesSeen(page))[0] ?? "";
    await page.locator(".log-box").hover();
    await page.mouse.wheel(0, 3000);
    await waitFor("the line of the link is out of sight", async () => !(await page.locator(".log-row.is-chosen").isVisible()));
    const before = await first();
    for (const name of ["Wrap", "Times"]) await page.getByRole("button", { name, exact: true }).click();
    await page.locator(".is-wrapped.has-times").waitFor();
    await page.setViewportSize({ width: 700, height: 900 });
    await waitFor("it is the same line still", async () => (await first()) === before);
    for (const name of ["Wrap", "Times"]) await page.getByRole("button", { name, exact: true }).click();
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator(".log-box:not(.is-wrapped)").waitFor();
    await waitFor("it is the same line again", async () => (await first()) === before);
  },
);
