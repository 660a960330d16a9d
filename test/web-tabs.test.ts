import { strict as assert } from "node:assert";
import type { Page } from "playwright-core";
import { browserTest } from "./helper/browser.ts";
import { openPage } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";

/** The browser's tab: its title and its icon. */

browserTest("the tab of a job says its state first, in words and by its icon, and changes with it", async (t) => {
  const { service, page, base } = await openPage(t);
  await waitFor("the list names its tab", async () => (await page.title()) === "Jobs · jobrunner");
  const ownIcon = await iconOf(page);
  assert.match(ownIcon, /icon/);
  const id = await service.submit({ Name: "nightly", CommandLine: "until [ -e go ]; do sleep 0.01; done; exit 3" });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitFor("it says that it runs", async () => (await page.title()) === "running · nightly · jobrunner");
  assert.match(await iconOf(page), /running/);
  await service.call("PUT", `/${id}/files/go`, { body: "" });
  await waitFor("it says that it failed", async () => (await page.title()) === "failed · nightly · jobrunner");
  assert.match(await iconOf(page), /failed/);
  const icon = await page.evaluate<[number, string | null]>(
    `fetch(document.querySelector("link[rel=icon]").href).then((answer) => [answer.status, answer.headers.get("content-type")])`,
  );
  assert.deepEqual(icon, [200, "image/svg+xml"]);
  const { job } = await service.run({ CommandLine: "echo hello" });
  await page.goto(`${base}/ui/#/jobs/${job.ID}`);
  await waitFor("an unnamed job shows its command", async () => (await page.title()) === "succeeded · echo hello · jobrunner");
  await page.getByRole("link", { name: "Box" }).click();
  await waitFor("other pages have the own icon", async () => (await page.title()) === "Box · jobrunner");
  assert.equal(await iconOf(page), ownIcon);
});

async function iconOf(page: Page): Promise<string> {
  return await page.evaluate<string>('document.querySelector("link[rel=icon]").href');
}
