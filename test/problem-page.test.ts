import { strict as assert } from "node:assert";
import { test } from "node:test";
import { browserTest, startBrowser } from "./helper/browser.ts";
import { sharedService } from "./helper/shared-service.ts";

/** Problems as pages for people, and as JSON for programs. */

const navigation = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

test("a browser that navigates gets a page for every problem, and programs get JSON", async (t) => {
  const service = await sharedService(t);
  for (const [path, status] of [
    ["/nothing/here", 404],
    ["/ui/none", 404],
    ["/docs/none", 404],
    ["/00000000-0000-7000-8000-000000000000", 404],
    ["/jobs?limit=none", 400],
  ] as const) {
    const page = await service.call("GET", path, { headers: { Accept: navigation } });
    assert.deepEqual([page.status, page.headers["content-type"]], [status, "text/html; charset=utf-8"], path);
    assert.match(page.text, /^<!doctype html>/);
    assert.match(String(page.headers["content-security-policy"]), /default-src 'none'/);
    for (const Accept of ["*/*", "application/json", "application/json, text/html;q=0.9", undefined]) {
      const answer = await service.call("GET", path, Accept === undefined ? {} : { headers: { Accept } });
      assert.deepEqual([answer.status, answer.headers["content-type"]], [status, "application/problem+json; charset=utf-8"], path);
    }
  }
  const submitted = await service.call("POST", "/", { headers: { Accept: navigation }, body: "{}" });
  assert.equal(submitted.headers["content-type"], "application/problem+json; charset=utf-8", "a form of another site gets no page");
  const hostile = await service.call("GET", "/jobs?%3Cscript%3Ealert(1)%3C/script%3E=1", { headers: { Accept: navigation } });
  assert.equal(hostile.status, 400);
  assert.doesNotMatch(hostile.text, /<script/);
});

browserTest("the page at an unknown address leads to the jobs, however deep the address is", async (t) => {
  const service = await sharedService(t);
  const browser = await startBrowser(t, { isKeepingPolicies: true });
  const page = await browser.newPage();
  for (const path of ["/nothing", "/nothing/here", "/a/b/c/?x=/y"]) {
    await page.goto(`${service.url}${path}`);
    await page.getByRole("heading", { name: "There is no page at this address" }).waitFor();
    await page.getByRole("link", { name: "All jobs" }).click();
    await page.getByRole("link", { name: "New job" }).first().waitFor();
    assert.equal(new URL(page.url()).pathname, "/ui/");
  }
});
