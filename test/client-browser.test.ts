import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import type * as client from "../src/client/index.ts";
import { browserTest, startBrowser } from "./helper/browser.ts";
import { repository, startService } from "./helper/service.ts";

const dependencies = { "eventsource-parser": "/node_modules/eventsource-parser/dist/index.js" };
const html = `<!doctype html><script type="importmap">${JSON.stringify({ imports: dependencies })}</script>`;

browserTest("the client runs in a page of the service: it submits, follows live, and learns the outcome", async (t) => {
  const service = await startService(t);
  const page = await (await startBrowser(t)).newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  // Firefox has no Request.body, and browsers give randomUUID only to pages over TLS.
  await page.addInitScript(() => {
    Reflect.deleteProperty(Request.prototype, "body");
    Reflect.deleteProperty(Crypto.prototype, "randomUUID");
  });
  // The page has the service's own address; the client's files come from the checkout.
  await page.route(/\/(page|src\/client|node_modules)(\/|$)/, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === "/page") return await route.fulfill({ contentType: "text/html", body: html });
    const text = readFileSync(join(repository, pathname), "utf8");
    await route.fulfill({ contentType: "text/javascript", body: pathname.endsWith(".ts") ? stripTypeScriptTypes(text) : text });
  });
  await page.goto(`${service.url}/page`);
  const result = await page.evaluate(async (url) => {
    const { Client }: typeof client = await import(`${url}/src/client/index.ts`);
    const jobrunner = new Client({ url });
    const id = await jobrunner.submit({ CommandLine: "echo grün; echo err >&2; sleep 0.2; printf '\\377'; exit 3" });
    const seen: unknown[] = [];
    for await (const piece of jobrunner.attach(id)) {
      seen.push(
        piece.kind === "output"
          ? [piece.stream, piece.offsetBytes, [...piece.bytes].join()]
          : piece.kind === "outcome"
            ? piece.job.ExitCode
            : piece.kind,
      );
    }
    return seen;
  }, service.url);
  assert.deepEqual(complaints, []);
  assert.deepEqual(result, [
    ["stdout", 0, [...Buffer.from("grün\n")].join()],
    ["stderr", 6, [...Buffer.from("err\n")].join()],
    ["stdout", 10, "255"],
    3,
  ]);
});
