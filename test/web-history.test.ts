import { strict as assert } from "node:assert";
import type { Page } from "playwright-core";
import { browserTest } from "./helper/browser.ts";
import { openPage, waitForLines } from "./helper/page.ts";
import type { Service } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** A job's page: the other runs of its name, and the step that failed. */

browserTest("a job shows the last runs of its name as bars, which lead to them, and grow as runs end", async (t) => {
  const { service, page, base } = await openPage(t);
  const ids: string[] = [];
  for (const [index, CommandLine] of ["true", "exit 3", "sleep 0.4", "true"].entries())
    ids.push((await service.run({ Name: "nightly", Labels: { run: String(index) }, CommandLine })).job.ID);
  await service.run({ Name: "other", CommandLine: "true" });
  await page.goto(`${base}/ui/#/jobs/${ids[2]}`);
  const history = page.getByRole("navigation", { name: "Runs of nightly" });
  await history.getByText(/^failed 1 of 4 · median \S+ ms · worst 4\d\d ms$/).waitFor();
  const bars = history.locator(".run");
  assert.deepEqual(
    await hrefsOf(bars),
    ids.map((id) => `#/jobs/${id}`),
  );
  assert.equal(await history.locator("[aria-current=page]").getAttribute("href"), `#/jobs/${ids[2]}`);
  assert.match((await bars.nth(1).getAttribute("title")) ?? "", /^failed · exit 3 · \d+ ms · just now$/);
  const heights = await bars.locator("i").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  assert.ok((heights[2] ?? 0) > 3 * (heights[0] ?? 0), heights.join());
  assert.deepEqual(await bars.allTextContents(), ["", "✕", "", ""]);
  await history.getByRole("link", { name: "‹ previous" }).click();
  await waitFor("the earlier run is shown", () => page.url().endsWith(ids[1] ?? "-"));
  await history.getByRole("link", { name: "next ›" }).click();
  await waitFor("the later run is shown", () => page.url().endsWith(ids[2] ?? "-"));
  const running = await service.submit({ Name: "nightly", CommandLine: "until [ -e go ]; do sleep 0.01; done; exit 1" });
  await history.locator(`[href="#/jobs/${running}"]`).waitFor();
  await service.call("PUT", `/${running}/files/go`, { body: "" });
  await history.getByText(/^failed 2 of 5 /).waitFor();
  await bars.nth(1).click();
  await waitFor("a bar leads to its run", () => page.url().endsWith(ids[1] ?? "-"));
  const { job } = await service.run({ CommandLine: "true" });
  await page.goto(`${base}/ui/#/jobs/${job.ID}`);
  await page.getByRole("status").filter({ hasText: "succeeded" }).waitFor();
  assert.equal(await page.getByRole("navigation", { name: /Runs of/ }).count(), 0, "a job without a name has no history");
});

browserTest("a job that is older than the last thirty runs shows those around it", async (t) => {
  const { service, page, base } = await openPage(t);
  const ids: string[] = [];
  for (let run = 0; run < 40; run += 1) ids.push(await service.submit({ Name: "often", CommandLine: "true" }));
  await service.wait(ids.at(-1) ?? "");
  await page.goto(`${base}/ui/#/jobs/${ids[3]}`);
  const history = page.getByRole("navigation", { name: "Runs of often" });
  await history.getByText("runs around this one").waitFor();
  assert.deepEqual(
    await hrefsOf(history.locator(".run")),
    ids.slice(0, 18).map((id) => `#/jobs/${id}`),
  );
  assert.equal(await history.getByRole("link", { name: "next ›" }).getAttribute("href"), `#/jobs/${ids[4]}`);
  await page.goto(`${base}/ui/#/jobs/${ids[39]}`);
  await history.getByText(/^failed 0 of 30 ·/).waitFor();
  assert.deepEqual(
    await hrefsOf(history.locator(".run")),
    ids.slice(10).map((id) => `#/jobs/${id}`),
  );
});

browserTest("a failed job opens at the last lines of the step that failed, and the sentence of the cause leads there", async (t) => {
  const { service, page, base } = await openPage(t);
  const { job } = await failing(service);
  await page.goto(`${base}/ui/#/jobs/${job.ID}`);
  await waitForLines(page, "the end of the failing step is seen", (lines) => lines.includes("the cause") && !lines.includes("cleaned 300"));
  await page.getByRole("region", { name: "Output lines" }).press("End");
  await waitForLines(page, "the end is seen", (lines) => lines.at(-1) === "cleaned 300");
  await page.getByRole("link", { name: /^step 2 \(build\) exited with code 7/ }).click();
  await waitForLines(page, "the cause is seen again", (lines) => lines.includes("the cause"));
  assert.match(page.url(), /\?end=2$/);
  await page.goBack();
  await waitFor("back leads to the page before", () => !page.url().includes("?end="));
  await page.goto(`${base}/ui/#/jobs/${job.ID}?step=3`);
  await waitForLines(page, "an address that names a place wins", (lines) => lines.includes("cleaned 1"));
});

browserTest("a job that fails while it is watched does not move what its reader looks at", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit(failingSpec("until [ -e go ]; do sleep 0.01; done; "));
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "what is there is seen", (lines) => lines.includes("prepared 300"));
  await page.getByRole("region", { name: "Output lines" }).press("Home");
  const before = await waitForLines(page, "the beginning is seen", (lines) => lines.includes("prepared 1"));
  await service.call("PUT", `/${id}/files/go`, { body: "" });
  await page.getByRole("status").filter({ hasText: "failed" }).waitFor();
  // The sentence of the cause takes some room at the top.
  const after = await waitForLines(page, "the outcome is shown", (lines) => lines.length < before.length);
  assert.deepEqual(after, before.slice(0, after.length));
});

browserTest("a click anywhere in the row of a step leads to its output", async (t) => {
  const { service, page, base } = await openPage(t);
  const { job } = await failing(service);
  await page.goto(`${base}/ui/#/jobs/${job.ID}`);
  const row = page.getByRole("list", { name: "Steps" }).getByRole("listitem").nth(0);
  const box = await row.boundingBox();
  assert.ok(box !== null);
  await page.mouse.click(box.x + box.width - 8, box.y + box.height / 2);
  await waitForLines(page, "the first step is seen", (lines) => lines.includes("prepared 1"));
  assert.match(page.url(), /\?step=1$/);
});

function failingSpec(wait = ""): Parameters<Service["run"]>[0] {
  return {
    Commands: [
      { Name: "prepare", CommandLine: "for i in $(seq 300); do echo prepared $i; done" },
      { Name: "build", CommandLine: `${wait}for i in $(seq 300); do echo built $i; done; echo the cause; exit 7` },
      { Name: "clean", RunOn: "always", CommandLine: "for i in $(seq 300); do echo cleaned $i; done" },
    ],
  };
}

async function failing(service: Service): ReturnType<Service["run"]> {
  return await service.run(failingSpec());
}

async function hrefsOf(links: ReturnType<Page["locator"]>): Promise<(string | null)[]> {
  return await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")));
}
