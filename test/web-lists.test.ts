import { strict as assert } from "node:assert";
import { browserTest } from "./helper/browser.ts";
import { linesSeen, openPage, waitForLines } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";

type Box = { x: number; width: number } | null | undefined;

/** What lists and panes show of what has no room, is not there, or is still being written. */

browserTest("a row of the list shows as many whole labels as fit, and how many more there are", async (t) => {
  const { service, page } = await openPage(t);
  const Labels = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`label-${index}`, `value-${index}`]));
  await service.run({ Name: "many", Labels, CommandLine: "true" });
  await service.run({ Name: "few", Labels: { a: "1", b: "2" }, CommandLine: "true" });
  await service.run({ Name: "one", Labels: { long: "x".repeat(100) }, CommandLine: "true" });
  await page.getByRole("link", { name: "many" }).waitFor();
  const cellOf = (name: string) =>
    page
      .getByRole("row")
      .filter({ has: page.getByRole("link", { name, exact: true }) })
      .locator(".labels");
  const isFitting = async (name: string): Promise<boolean> => {
    const [cell, ...parts] = await Promise.all(
      [cellOf(name), ...(await cellOf(name).locator("> *").all())].map((one) => one.boundingBox()),
    );
    const end = (box: Box): number => (box === null || box === undefined ? NaN : box.x + box.width);
    return parts.every((part) => end(part) <= end(cell) + 1);
  };
  const cutLabels = async (name: string): Promise<number> =>
    await cellOf(name)
      .getByRole("button")
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length);
  for (const width of [1280, 1000, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    await waitFor("all parts fit", async () => await isFitting("many"));
    const count = await cellOf("many").getByRole("button").count();
    assert.ok(count >= 1 && count < 40);
    assert.ok(count === 1 || (await cutLabels("many")) === 0, "no label is cut beside another one");
    assert.equal(await cellOf("many").locator(".more").textContent(), `+${40 - count}`);
    assert.equal(await cellOf("few").getByRole("button").count(), 2);
    assert.equal(await cellOf("few").locator(".more").count(), 0);
    assert.equal(await cellOf("one").getByRole("button").count(), 1, "a label that fits nowhere is cut");
  }
  assert.match((await cellOf("many").locator(".more").getAttribute("title")) ?? "", /label-39=value-39$/);
});

browserTest("an empty output says at its top why it is empty, and a missing job is told to people", async (t) => {
  const { service, page, base } = await openPage(t, { environment: { JOBRUNNER_MAX_RUNNING: "1" }, expected: /404/ });
  const { job } = await service.run({ CommandLine: "true" });
  await page.goto(`${base}/ui/#/jobs/${job.ID}`);
  await assertAtTop("The job wrote no output.");
  const running = await service.submit({ CommandLine: "sleep 1000" });
  await page.goto(`${base}/ui/#/jobs/${running}`);
  await assertAtTop("No output yet.");
  const queued = await service.submit({ CommandLine: "true" });
  await page.goto(`${base}/ui/#/jobs/${queued}`);
  await assertAtTop("The job is queued.");
  await page.getByText("waits for the end of a running job").waitFor();
  await page.goto(`${base}/ui/#/jobs/00000000-0000-7000-8000-000000000000`);
  await page.getByText("There is no job with this ID. It may have been deleted, or the address is incomplete.").waitFor();

  async function assertAtTop(text: string): Promise<void> {
    await page.getByText(text, { exact: true }).waitFor();
    const [line, box] = [await page.getByText(text, { exact: true }).boundingBox(), await page.locator(".log-box").boundingBox()];
    assert.ok(line !== null && box !== null && line.y - box.y < 30, `${text} ${JSON.stringify([line, box])}`);
  }
});

browserTest("a progress line that is written over and over is one line, live and afterwards, however long it is written", async (t) => {
  const { service, page, base } = await openPage(t);
  const progress =
    'for i in $(seq 1 1500); do printf "\\rDownloading %4d of 1500" $i; [ $((i % 50)) != 0 ] || sleep 0.05; done; echo; echo ready';
  const id = await service.submit({ CommandLine: progress });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  const whole = /^(Downloading +\d+ of 1500|ready)$/;
  let seen = 0;
  await waitForLines(page, "the job is ready", (lines) => {
    seen += lines.length > 0 ? 1 : 0;
    for (const line of lines.filter((text) => text !== "")) assert.match(line, whole);
    return lines.includes("ready");
  });
  assert.ok(seen > 3, "it was seen while it was written");
  await page.reload();
  await waitForLines(page, "it is read again", (lines) => lines.includes("ready"));
  assert.deepEqual(
    (await linesSeen(page)).filter((line) => line !== ""),
    ["Downloading 1500 of 1500", "ready"],
  );
});
