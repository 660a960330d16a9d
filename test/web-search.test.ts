import { strict as assert } from "node:assert";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { markedRuns } from "../web/pages/job/marks.ts";
import { browserTest } from "./helper/browser.ts";
import { openPage, waitForLines } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";

/** The search in a job's log, and what a part of the page that fails does to the others. */

const marks = async (page: Awaited<ReturnType<typeof openPage>>["page"]): Promise<string[]> =>
  await page.locator(".log-row mark").allTextContents();

browserTest("a search finds its text as it is written, whatever characters it has, and the live log goes on", async (t) => {
  const { service, page, base } = await openPage(t);
  const gate = gateOf(t);
  const written = ["--help", "2026-11", "a.b*c", "[x", "(y", "\\d+", "$HOME^", "{1}|2", "/usr/bin", "</mark>&amp;", "Grün", "ß"];
  const lines = written.map((text) => `here: ${text}`);
  writeFileSync(gate.file, lines.map((line) => `${line}\n`).join(""));
  const id = await service.submit({ CommandLine: `tail -n +1 -f ${gate.file}` });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "the output is seen", (seen) => seen.length === lines.length);
  const search = page.locator("[data-search]");
  for (const text of written) {
    await search.fill(text);
    await page.getByText("1 of 1", { exact: true }).waitFor();
    assert.deepEqual(await marks(page), [text]);
    await search.fill("");
    await waitFor("nothing is marked", async () => (await marks(page)).length === 0);
  }
  await search.fill("GRÜN");
  await waitFor("the case does not matter", async () => (await marks(page)).join() === "Grün");
  await search.fill(".*");
  await page.getByText("nothing found", { exact: true }).waitFor();
  appendFileSync(gate.file, "the log is live\n");
  await waitForLines(page, "the new line is seen", (seen) => seen.at(-1) === "the log is live");
  await service.kill(id);
});

browserTest("a search keeps up with a live log: new matches are counted, and the current match stays", async (t) => {
  const { service, page, base } = await openPage(t);
  const gate = gateOf(t);
  writeFileSync(gate.file, "needle 1\nhay\n");
  const id = await service.submit({ CommandLine: `tail -n +1 -f ${gate.file}` });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "the output is seen", (seen) => seen.length === 2);
  await page.locator("[data-search]").fill("needle");
  await page.getByText("1 of 1", { exact: true }).waitFor();
  for (let count = 2; count <= 5; count += 1) {
    appendFileSync(gate.file, `hay\nneed`);
    await waitForLines(page, "half of a match is seen", (seen) => seen.at(-1) === "need");
    appendFileSync(gate.file, `le ${count}\n`);
    await page.getByText(`1 of ${count}`, { exact: true }).waitFor();
  }
  await page.getByRole("button", { name: "Previous match" }).click();
  await page.getByText("5 of 5", { exact: true }).waitFor();
  await page.locator("[data-search]").fill("thread");
  await page.getByText("nothing found", { exact: true }).waitFor();
  appendFileSync(gate.file, "thread\n");
  await page.getByText("1 found", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Previous match" }).click();
  await page.getByText("1 of 1", { exact: true }).waitFor();
  await service.kill(id);
});

browserTest("a part of the page that fails is replaced by an error, and the others go on", async (t) => {
  const { service, page, base } = await openPage(t, { expected: /could not be shown/ });
  const gate = gateOf(t);
  writeFileSync(gate.file, "first\n");
  const id = await service.submit({ CommandLine: `tail -n +1 -f ${gate.file}` });
  let isBroken = true;
  await page.route(`**/${id}`, async (route) => {
    const response = await route.fetch();
    const job: Record<string, unknown> = await response.json();
    await route.fulfill({ response, json: isBroken ? { ...job, Labels: null } : job });
  });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await page.getByText("The head of the job could not be shown").waitFor();
  await waitForLines(page, "the output is seen", (seen) => seen.at(-1) === "first");
  appendFileSync(gate.file, "second\n");
  await waitForLines(page, "the log is live", (seen) => seen.at(-1) === "second");
  isBroken = false;
  await page.goto(`${base}/ui/#/jobs`);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await page.locator(".facts-line").getByText(id).waitFor();
  await waitForLines(page, "the output is seen again", (seen) => seen.join() === "first,second");
  await service.kill(id);
});

test("marks are the text that was searched for, whole, and as long as the search", () => {
  const character = fc.constantFrom("a", "A", "b", "-", ".", "*", "[", "\\", "é", "É", "ß", "😀", "İ");
  const texts = fc.string({ unit: character, minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: character, maxLength: 6 }), { maxLength: 4 }),
      texts,
      fc.boolean(),
      (parts, text, isCaseSensitive) => {
        const runs = parts.map((part) => ({ text: part, isStderr: false, style: null, link: null }));
        const marked = markedRuns(runs, { text, isCaseSensitive });
        assert.equal(marked.map(({ run }) => run.text).join(""), parts.join(""));
        const line = parts.join("");
        const isFound = isCaseSensitive ? line.includes(text) : line.toLowerCase().includes(text.toLowerCase());
        if (isCaseSensitive)
          assert.equal(
            marked.some(({ isMarked }) => isMarked),
            isFound,
          );
        else if (marked.some(({ isMarked }) => isMarked)) assert.ok(isFound);
      },
    ),
  );
});

/** A file that a job follows. */
function gateOf(t: TestContext): { file: string } {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return { file: join(folder, "log") };
}
