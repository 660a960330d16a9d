import { strict as assert } from "node:assert";
import type { Page } from "playwright-core";
import { browserTest, startBrowser } from "./helper/browser.ts";
import { type Service, startService } from "./helper/service.ts";
import type { TestContext } from "node:test";

/** Streams as a browser's EventSource reads them: it reconnects after every end, until the answer is 204. */

type Seen = { data: string[]; outcomes: number; errors: number };

browserTest(
  "a browser's EventSource gets a finished job's output and outcome once, reconnects once, and stops; also for a part",
  async (t) => {
    const service = await startService(t);
    const { job } = await service.run({ CommandLine: "echo one; echo two; exit 3" });
    const page = await openPage(t, service);
    const answers: number[] = [];
    page.on("response", (response) => answers.push(response.status()));
    const sources = [`/${job.ID}/attach`, `/${job.ID}/attach?end=4`, `/${job.ID}/attach?follow=false`].map(
      async (path) => await page.evaluate(readToEnd, path),
    );
    assert.deepEqual(await Promise.all(sources), [
      { data: ["one\ntwo\n"], outcomes: 1, errors: 2 },
      { data: ["one\n"], outcomes: 0, errors: 2 },
      { data: ["one\ntwo\n"], outcomes: 1, errors: 2 },
    ]);
    assert.deepEqual(answers, [200, 200, 200, 204, 204, 204]);
  },
);

/** Runs in the page. Returns everything received until the source is closed, with an error event at each end. */
function readToEnd(path: string): Promise<Seen> {
  return new Promise((resolve) => {
    const source = new EventSource(path);
    const seen: Seen = { data: [], outcomes: 0, errors: 0 };
    let text = "";
    source.addEventListener("message", ({ data }) => (text += JSON.parse(String(data)).Data));
    source.addEventListener("outcome", () => (seen.outcomes += 1));
    source.addEventListener("error", () => {
      seen.errors += 1;
      if (source.readyState === EventSource.CLOSED) resolve({ ...seen, data: [text] });
    });
  });
}

/** An empty page at the service's own address. */
async function openPage(t: TestContext, service: Service): Promise<Page> {
  const page = await (await startBrowser(t)).newPage();
  await page.route(/\/empty$/, async (route) => await route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.goto(`${service.url}/empty`);
  return page;
}
