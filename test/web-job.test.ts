import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import type { Page, Request } from "playwright-core";
import { browserTest } from "./helper/browser.ts";
import { linesSeen, openPage, waitForLines } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";

/** The page of a job, in a browser. */

/** Writes what is put into a file of its workspace. */
const echoing = "until [ -e done ]; do [ -e lines ] && mv lines written && cat written; sleep 0.05; done";

browserTest(
  "output is live, with colours and standard error marked; it is followed until the user scrolls up, and again on request",
  async (t) => {
    const { service, page, base } = await openPage(t);
    const id = await service.submit({ Name: "live", CommandLine: `printf '\\033[31mred\\033[0m plain\\n'; echo careful >&2; ${echoing}` });
    await page.goto(`${base}/ui/#/jobs/${id}`);
    await waitForLines(page, "what was written before is there", (lines) => lines.includes("red plain") && lines.includes("careful"));
    assert.equal(await page.locator(".log-row span[style*=color]").first().textContent(), "red");
    assert.equal(await page.locator(".log-row.has-stderr .stderr").textContent(), "careful");
    const append = async (text: string): Promise<unknown> => await service.call("PUT", `/${id}/files/lines`, { body: text });
    const lines = (from: number, to: number): string =>
      Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join("");
    await append(lines(1, 200));
    await waitForLines(page, "the newest line is seen", (seen) => seen.at(-1) === "line 200");
    assert.equal(await page.getByRole("button", { name: "Follow", exact: true }).getAttribute("aria-pressed"), "true");
    await page.locator(".log-box").hover();
    await page.mouse.wheel(0, -600);
    await waitForLines(page, "it is scrolled up", (seen) => seen.at(-1) !== "line 200");
    await waitFor(
      "it follows no more",
      async () => (await page.getByRole("button", { name: "Follow", exact: true }).getAttribute("aria-pressed")) === "false",
    );
    const still = await linesSeen(page);
    const size = page.locator(".log-tools .muted").first();
    const before = await size.textContent();
    await append(lines(201, 400));
    await waitFor("the page knows of more", async () => (await size.textContent()) !== before);
    assert.deepEqual(await linesSeen(page), still, "what one looks at stays");
    await page.getByRole("button", { name: "Follow output" }).click();
    await waitForLines(page, "it follows again", (seen) => seen.at(-1) === "line 400");
    await service.call("PUT", `/${id}/files/done`, { body: "" });
    await page.getByRole("status").filter({ hasText: "succeeded" }).waitFor();
  },
);

browserTest("however busy the page is, output is followed until the user scrolls", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ CommandLine: "for i in $(seq 1 400); do echo line $i; sleep 0.01; done; sleep 1000" });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await page.evaluate("setInterval(() => { for (const end = performance.now() + 90; performance.now() < end; ); }, 100)");
  await waitForLines(page, "the end is seen", (lines) => lines.at(-1) === "line 400");
  assert.equal(await page.getByRole("button", { name: "Follow", exact: true }).getAttribute("aria-pressed"), "true");
  await page.setViewportSize({ width: 1280, height: 900 });
  await waitForLines(page, "the end is seen in a larger window", (lines) => lines.at(-1) === "line 400" && lines.length > 30);
  assert.equal(await page.getByRole("button", { name: "Follow", exact: true }).getAttribute("aria-pressed"), "true");
  await service.client().kill(id, { isForced: true });
});

browserTest("a late answer does not undo newer updates", async (t) => {
  const { service, page, base } = await openPage(t);
  const asked = Promise.withResolvers<void>();
  const isLate = Promise.withResolvers<void>();
  await page.route(/\/attach\?.*\bend=/, async (route) => {
    const response = await route.fetch();
    asked.resolve();
    await isLate.promise;
    await route.fulfill({ response });
  });
  const id = await service.submit({ CommandLine: "echo first; until [ -e go ]; do sleep 0.05; done; echo second; sleep 1000" });
  await waitFor("it has written", async () => (await service.output(id, "?follow=false")).length > 0);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await asked.promise;
  await service.call("PUT", `/${id}/files/go`, { body: "" });
  await waitForLines(page, "the second line is there", (lines) => lines.at(-1) === "second");
  const isLateOne = (request: Request): boolean => request.url().includes("end=");
  // The page releases an answer that it has read completely.
  const answered = Promise.race([page.waitForEvent("requestfinished", isLateOne), page.waitForEvent("requestfailed", isLateOne)]);
  isLate.resolve();
  await answered;
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  assert.deepEqual(await linesSeen(page), ["first", "second"]);
  await service.client().kill(id, { isForced: true });
});

browserTest("scrolling by a pixel at a time works", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ CommandLine: "seq -f 'line %.0f' 1 300; while :; do echo more; sleep 0.3; done" });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "it is followed", (lines) => lines.at(-1) === "more");
  // A line that arrives before the scroll is detected is still followed.
  const byPixels = `new Promise((done) => {
    const box = document.querySelector(".log-box");
    const follow = [...document.querySelectorAll("button")].find((button) => button.textContent === "Follow");
    const isFollowing = () => follow.getAttribute("aria-pressed") === "true";
    const scroll = (next) => (box.scrollTop -= 1, requestAnimationFrame(next));
    const leave = () => (isFollowing() ? scroll(leave) : step(200, box.scrollTop));
    const step = (left, from) => (left === 0 ? done(from - box.scrollTop) : scroll(() => step(left - 1, from)));
    leave();
  })`;
  assert.equal(await page.evaluate(byPixels), 200);
  assert.equal(await page.getByRole("button", { name: "Follow", exact: true }).getAttribute("aria-pressed"), "false");
  await waitForLines(
    page,
    "what is there is seen, from edge to edge",
    (lines) => lines.length > 15 && lines.some((line) => line.startsWith("line ")),
  );
  await service.client().kill(id, { isForced: true });
});

browserTest("output and names of jobs are text: markup and escape sequences have no effect", async (t) => {
  const { service, page, base } = await openPage(t);
  const hostile =
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>" +
    "\\033]0;owned\\007\\033]8;;javascript:alert(1)\\033\\\\link\\033]8;;\\033\\\\\\033[2J\\033[H\\033[6n\\033[?1049h end";
  const id = await service.submit({
    Name: "<b>bold</b><script>document.title='owned'</script>",
    Labels: { team: "<i>db</i>" },
    CommandLine: `printf '${hostile.replaceAll("'", "'\\''")}\\n'; printf 'second line\\n' >&2; exit 3`,
  });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  const seen = await waitForLines(page, "the output is there", (lines) => lines.includes("second line"));
  assert.equal(seen[0], "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>link end");
  assert.equal(await page.locator("h1").textContent(), "<b>bold</b><script>document.title='owned'</script>");
  assert.equal(await page.locator(".log img, .log script, .log a[href^=javascript], h1 b, h1 script").count(), 0);
  assert.doesNotMatch(await page.title(), /^owned/);
  await page.goto(`${base}/ui/#/jobs`);
  await page.getByRole("link", { name: "<b>bold</b>" }).waitFor();
  assert.doesNotMatch(await page.title(), /^owned/);
});

browserTest("steps are in the order of time, with their outcomes; each leads to its output, and can be folded", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({
    Commands: [
      { Name: "fetch", CommandLine: "seq -f 'fetched %.0f' 1 3000" },
      { Name: "build", CommandLine: "seq -f 'built %.0f' 1 9000" },
      { Name: "test", CommandLine: "echo tested; exit 2" },
      { Name: "report", CommandLine: "echo never" },
      { Name: "clean", CommandLine: "echo cleaned", RunOn: "always" },
    ],
  });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "the end is there", (lines) => lines.at(-1) === "cleaned");
  const steps = await page.getByRole("list", { name: "Steps" }).getByRole("listitem").allInnerTexts();
  const words = steps.map((text) =>
    text
      .split(/\s+/)
      .filter((part) => part !== "")
      .slice(0, 3)
      .join(" "),
  );
  assert.deepEqual(words, ["succeeded 1 fetch", "succeeded 2 build", "failed 3 test", "skipped 4 report", "succeeded 5 clean"]);
  await page.getByRole("link", { name: "build" }).click();
  await waitForLines(
    page,
    "where build begins is seen",
    (lines) => lines.includes("[build]") && lines.includes("built 1") && lines.includes("fetched 3000"),
  );
  assert.match(page.url(), /\?step=2$/);
  await page.getByRole("button", { name: "2 build" }).click();
  await waitForLines(page, "build is folded away", (lines) =>
    lines.join("|").includes("fetched 3000|[build]|[test]|tested|[clean]|cleaned"),
  );
  await page.getByRole("button", { name: "2 build" }).click();
  await waitForLines(page, "build is there again", (lines) => lines.includes("built 1"));
});

browserTest("the whole output is searched, a line has a link, long lines wrap, times are shown on request", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({
    CommandLine:
      "seq -f 'line %.0f of it' 1 50000; printf 'a \\033[1mNeed\\033[0mle in it\\n'; seq -f 'more %.0f' 1 20000; printf '%0500d\\n' 7; " +
      "echo needle",
  });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "the end is seen", (lines) => lines.at(-1) === "needle");
  await page.keyboard.press("/");
  await page.keyboard.type("needle");
  const status = page.locator(".search [role=status]");
  await waitFor("both matches are found", async () => ((await status.textContent()) ?? "").endsWith("of 2"));
  if ((await status.textContent()) !== "1 of 2") await page.keyboard.press("Enter");
  await waitForLines(page, "the first match is seen", (lines) => lines.includes("a Needle in it"));
  assert.deepEqual(await page.locator(".log-row.is-found mark").allTextContents(), ["Need", "le"]);
  await page.keyboard.press("Enter");
  await waitForLines(page, "the second match is seen", (lines) => lines.at(-1) === "needle");
  const link = await page.locator(".log-row", { hasText: "more 20000" }).locator("a.log-link").getAttribute("href");
  await page.goto(`${base}/ui/#/jobs`);
  await page.goto(`${base}/ui/${link}`);
  await waitFor(
    "the line of the link is marked",
    async () => (await page.locator(".log-row.is-chosen code").allTextContents()).join() === "more 20000",
  );
  const height = async (): Promise<number> => (await page.locator(".log-row", { hasText: "0000000000007" }).boundingBox())?.height ?? 0;
  assert.equal(await height(), 20);
  await page.getByRole("button", { name: "Wrap" }).click();
  await waitFor("the long line wraps", async () => (await height()) >= 60);
  assert.equal(await page.locator(".log-time").first().isVisible(), false);
  await page.getByRole("button", { name: "Times" }).click();
  await page.locator(".log-time").first().waitFor();
});

browserTest("a long output opens at its end, can be scrolled anywhere, and is never loaded completely", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ CommandLine: "seq -f '%09.0f of the lines that make up this long output of a job' 1 1600000" });
  await service.wait(id);
  let answeredBytes = 0;
  page.on(
    "response",
    (response) =>
      void response.body().then(
        ({ length }) => (answeredBytes += length),
        () => undefined,
      ),
  );
  await page.goto(`${base}/ui/#/jobs/${id}`);
  const number = (line: string | undefined): number => Number(line?.slice(0, 9));
  await waitForLines(page, "its end is seen", (lines) => number(lines.at(-1)) === 1_600_000);
  const scrollTo = async (share: number): Promise<void> =>
    await page.evaluate(
      `(() => { const box = document.querySelector(".log-box"); box.scrollTop = ${share} * (box.scrollHeight - box.clientHeight); })()`,
    );
  for (const share of [0.5, 0.9, 0.25]) {
    await scrollTo(share);
    const lines = await waitForLines(
      page,
      `what is at ${share} is seen`,
      (seen) => seen.length > 10 && Math.abs(number(seen[0]) / 1_600_000 - share) < 0.01,
    );
    for (const [index, line] of lines.entries()) assert.equal(number(line), number(lines[0]) + index, "one line comes after the other");
  }
  await page.locator(".log-box").hover();
  const before = number((await linesSeen(page))[0]);
  for (let turn = 1; turn <= 30; turn += 1) {
    await page.mouse.wheel(0, 2000);
    await waitForLines(page, "by the wheel one comes as far as one turns it", (lines) => number(lines[0]) === before + turn * 100);
  }
  for (let turn = 0; turn < 30; turn += 1) await page.mouse.wheel(0, -2000);
  await waitForLines(page, "also when one turns it fast", (lines) => Math.abs(number(lines[0]) - before) < 600);
  await page.locator(".log-box").focus();
  await page.keyboard.press("Home");
  await waitForLines(page, "its beginning is seen", (lines) => number(lines[0]) === 1);
  assert.ok((await page.locator(".log-row").count()) < 200);
  assert.ok(answeredBytes < 10_000_000, `of 100 MB ${answeredBytes} bytes were asked for`);
});

browserTest("a kill explains what it does, shows its progress, and can be forced", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({
    Name: "stubborn",
    CommandLine: "trap 'echo no' TERM; echo ready; while :; do sleep 0.1; done",
    StopTimeoutSeconds: 600,
  });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "it is ready", (lines) => lines.includes("ready"));
  await page.getByRole("button", { name: "Kill" }).click();
  const dialog = page.getByRole("dialog", { name: "Kill stubborn?" });
  assert.match(await dialog.innerText(), /SIGTERM goes to all of its processes, and SIGKILL after 600 s/);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await dialog.count(), 0);
  assert.equal((await service.get(id)).State, "Running");
  await page.getByRole("button", { name: "Kill" }).click();
  await dialog.getByRole("button", { name: "Kill", exact: true }).click();
  await waitFor("the grace is shown", async () => /SIGKILL in \d+ s/.test(await dialog.innerText()));
  await waitForLines(page, "the job was told", (lines) => lines.includes("no"));
  await dialog.getByRole("button", { name: "Kill at once" }).click();
  await page.getByRole("status").filter({ hasText: "killed" }).waitFor();
  assert.equal(await dialog.count(), 0);
  assert.equal((await service.get(id)).State, "Killed");
});

browserTest("a job is run again, and deleted after a confirmation", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ Name: "again", Environment: { WHO: "me" }, CommandLine: "echo ran for $WHO" });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "it ran", (lines) => lines.includes("ran for me"));
  await page.getByRole("button", { name: "Run again", exact: true }).click();
  await waitFor("the page is the new job's", () => !page.url().includes(id));
  await waitForLines(page, "it ran again", (lines) => lines.includes("ran for me"));
  const next = idIn(page);
  assert.deepEqual((await service.get(next)).Spec, (await service.get(id)).Spec);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("link", { name: "again", exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "again", exact: true }).count(), 1);
  assert.equal((await service.call("GET", `/${next}`)).status, 404);
});

browserTest("the output is downloaded, byte for byte", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ Name: "bytes", CommandLine: "head -c 100000 /dev/urandom; printf '\\000\\377'" });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), `bytes-${id}.log`);
  assert.deepEqual(await readFile(await download.path()), await service.output(id));
});

function idIn(page: Page): string {
  return /jobs\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? "";
}
