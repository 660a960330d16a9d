import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { Client } from "../src/client/index.ts";
import { JobList } from "../web/pages/jobs/job-list.ts";
import { browserTest } from "./helper/browser.ts";
import { openPage } from "./helper/page.ts";
import type { Service } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** The page's list of jobs, in a browser. */

browserTest("a browser at the service's address shows its jobs; curl gets the list of running jobs", async (t) => {
  const { service, page, base } = await openPage(t, { at: "/" });
  await page.getByText("No job has been submitted yet.").waitFor();
  assert.equal(page.url(), `${base}/ui/`);
  assert.equal((await service.call("GET", "/")).text, '{"IDs":[]}');
});

browserTest("jobs appear, run and end in the list by themselves, without repeated requests", async (t) => {
  const { service, page } = await openPage(t);
  await page.getByText("No job has been submitted yet.").waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const id = await service.submit({
    Name: "lively",
    Labels: { team: "db" },
    Commands: [{ CommandLine: "until [ -e go ]; do sleep 0.05; done" }, { CommandLine: "exit 3" }],
  });
  const row = page.getByRole("row").filter({ hasText: "lively" });
  await row.getByText("running").waitFor();
  await waitFor("its time goes on", async () => /[1-9] s/.test(await row.innerText()));
  assert.match(await row.innerText(), /team=db/);
  assert.equal(await row.getByRole("img", { name: /^2 steps: 1 running, 1 pending$/ }).count(), 1);
  await service.call("PUT", `/${id}/files/go`, { body: "" });
  await row.getByText("failed").waitFor();
  assert.match(await row.innerText(), /exit 3/);
  assert.deepEqual(asked, [], "all of it came by events");
});

browserTest("the list is filtered by state, label and text; the filter is in the address, which shows the same list again", async (t) => {
  const { service, page, base } = await openPage(t);
  await service.run({ Name: "alpha", Labels: { team: "db" }, CommandLine: "true" });
  await service.run({ Name: "beta", Labels: { team: "web" }, CommandLine: "false" });
  await service.run({ Name: "gamma", Labels: { team: "db" }, CommandLine: "false" });
  const shown = async (names: string[]): Promise<void> =>
    await waitFor(`shown are ${names.join()}`, async () => (await namesIn(page)).join() === names.join());
  await shown(["gamma", "beta", "alpha"]);
  await page.getByRole("button", { name: "failed", exact: true }).click();
  await shown(["gamma", "beta"]);
  await page
    .getByRole("button", { name: /team=db/ })
    .first()
    .click();
  await shown(["gamma"]);
  assert.match(page.url(), /label=team%3Ddb/);
  assert.match(page.url(), /state=Failed/);
  await service.run({ Name: "delta", Labels: { team: "db" }, CommandLine: "false" });
  await service.run({ Name: "epsilon", Labels: { team: "db" }, CommandLine: "true" });
  await page.mouse.move(0, 0);
  await shown(["delta", "gamma"]);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await waitFor("the same is shown", async () => (await namesIn(other)).join() === "delta,gamma");
  await other.close();
  await page.goto(`${base}/ui/#/jobs`);
  await page.keyboard.press("/");
  await page.keyboard.type("LPH");
  await shown(["alpha"]);
  await page.getByRole("searchbox").fill("nothing like it");
  await page.getByText("No job fits.").waitFor();
  await page.getByRole("link", { name: "Show all" }).click();
  await shown(["epsilon", "delta", "gamma", "beta", "alpha"]);
});

test("an event about a job counts, although an older answer arrives after it", async () => {
  const job = { ID: "01a2139d-2f58-7d57-bfb1-cecf320d992d", Name: "second", State: "Starting", Labels: {}, Steps: [] };
  const answers: ((jobs: object[]) => void)[] = [];
  let hear = (_change: object): void => undefined;
  const fetch = async (): Promise<Response> => {
    const jobs = await new Promise<object[]>((resolve) => answers.push(resolve));
    return Response.json({ Jobs: jobs, NextCursor: null });
  };
  const list = new JobList({
    client: new Client({ url: "http://localhost", fetch }),
    events: {
      subscribe: ({ onJob }) => {
        hear = (change) => onJob(JSON.parse(JSON.stringify(change)));
        return () => undefined;
      },
    },
  });
  const shown = (): string[] => list.rows.value.map((row) => row.job.value.State);
  for (const older of [[], [job]]) {
    const loading = list.load();
    await waitFor("it is asked", () => answers.length > 0);
    hear({ ...job, State: "Running" });
    await waitFor("it was taken up", () => older.length === 1 || shown().join() === "Running");
    answers.pop()?.(older);
    await loading;
    assert.deepEqual(shown(), ["Running"]);
  }
});

test("empty and short pages are skipped: the jobs after them are shown", async () => {
  const pages: Record<string, { Jobs: object[]; NextCursor: string | null }> = {
    null: { Jobs: [], NextCursor: "z" },
    z: {
      Jobs: Array.from({ length: 200 }, (_, index) => ({ ID: `job ${900 - index}`, Name: null, State: "Failed", Labels: {}, Steps: [] })),
      NextCursor: "y",
    },
    y: { Jobs: [], NextCursor: "x" },
    x: { Jobs: [{ ID: "job 1", Name: null, State: "Failed", Labels: {}, Steps: [] }], NextCursor: "w" },
    w: { Jobs: [], NextCursor: null },
  };
  const fetch = async (url: string): Promise<Response> => Response.json(pages[String(new URL(url).searchParams.get("cursor"))]);
  const list = new JobList({ client: new Client({ url: "http://localhost", fetch }), events: { subscribe: () => () => undefined } });
  await list.load();
  assert.deepEqual([list.rows.value.length, list.progress.value], [200, { kind: "ready", hasMore: true }]);
  await list.loadMore();
  assert.deepEqual(
    [list.rows.value.length, list.rows.value.at(-1)?.id, list.progress.value],
    [201, "job 1", { kind: "ready", hasMore: false }],
  );
});

browserTest(
  "nothing moves under the pointer: rows change in place, and new ones wait until it has left or they are requested",
  async (t) => {
    const { service, page } = await openPage(t);
    await service.run({ Name: "first", CommandLine: "true" });
    const id = await service.submit({ Name: "second", CommandLine: "until [ -e go ]; do sleep 0.05; done" });
    const second = page.getByRole("row").filter({ hasText: "second" });
    await second.getByText("running").waitFor();
    await second.hover();
    const before = await second.boundingBox();
    await service.run({ Name: "third", CommandLine: "true" });
    await page.getByRole("button", { name: "1 new job: show" }).waitFor();
    await service.call("PUT", `/${id}/files/go`, { body: "" });
    await second.getByText("succeeded").waitFor();
    assert.deepEqual(await second.boundingBox(), before);
    assert.deepEqual(await namesIn(page), ["second", "first"]);
    await page.getByRole("button", { name: "1 new job: show" }).click();
    await waitFor("it is shown", async () => (await namesIn(page)).join() === "third,second,first");
    await second.hover();
    await service.run({ Name: "fourth", CommandLine: "true" });
    await page.mouse.move(0, 0);
    await waitFor("it is shown when the pointer has left", async () => (await namesIn(page)).join() === "fourth,third,second,first");
  },
);

browserTest("of thousands of jobs in the list only the visible rows exist, and new jobs do not move the visible ones", async (t) => {
  const { service, page } = await openPage(t, { environment: { JOBRUNNER_MAX_REQUESTS_PER_SECOND: "1000000" } });
  await submitMany(service, 1500);
  await page.reload();
  await page.getByRole("row").nth(10).waitFor();
  await waitFor("the oldest is seen", async () => {
    await page.evaluate(`(() => { const box = document.querySelector(".rows"); box.scrollTop = box.scrollHeight; })()`);
    return (await namesIn(page)).at(-1) === "job 0";
  });
  assert.ok((await page.locator(".rows .job-row").count()) < 80);
  await page.evaluate(`(() => { document.querySelector(".rows").scrollTop -= 4000; })()`);
  await waitFor("it has scrolled", async () => !(await namesIn(page)).includes("job 0"));
  const seen = page.getByRole("row").filter({ hasText: `job 100` }).first();
  const box = await seen.boundingBox();
  assert.ok(box !== null);
  const before = await page.evaluate(`document.querySelector(".rows").scrollHeight`);
  await service.run({ Name: "newest", CommandLine: "true" });
  await waitFor("it came to the list", async () => (await page.evaluate(`document.querySelector(".rows").scrollHeight`)) !== before);
  assert.deepEqual(await seen.boundingBox(), box);
});

browserTest("the list can be navigated with keys", async (t) => {
  const { service, page } = await openPage(t);
  for (const name of ["one", "two", "three"]) await service.run({ Name: name, CommandLine: "true" });
  await page.getByRole("link", { name: "three" }).waitFor();
  const focused = async (): Promise<unknown> => await page.evaluate("document.activeElement?.textContent");
  const goes = async (key: string, to: string): Promise<void> => {
    await page.keyboard.press(key);
    await waitFor(`${key} goes to ${to}`, async () => (await focused()) === to);
  };
  await goes("j", "three");
  await goes("j", "two");
  await goes("ArrowDown", "one");
  await goes("k", "two");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "two" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("j");
  await page.getByRole("link", { name: "three" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("dialog").count(), 0);
});

async function namesIn(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(
    `[...document.querySelectorAll(".rows .job-row")].toSorted((a, b) => a.getAttribute("aria-rowindex") - ` +
      `b.getAttribute("aria-rowindex")).map((row) => row.querySelector(".name a").textContent)`,
  );
}

async function submitMany(service: Service, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await service.submit({ Name: `job ${number}`, CommandLine: "true" });
}
