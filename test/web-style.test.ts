import { strict as assert } from "node:assert";
import { test } from "node:test";
import { browserTest } from "./helper/browser.ts";
import { openPage, waitForLines } from "./helper/page.ts";
import { waitFor } from "./helper/wait.ts";
import { type OutputPiece, pageBytes, pageOf } from "../web/output/lines.ts";
import { Styler } from "../web/output/styles.ts";

/** A style lasts until it is taken back, from wherever one looks at the output. */

const redLines = "printf '\\033[31m'; seq -f 'red %.0f of the lines that are long enough to fill many pages' 1 6000";

browserTest("lines stay red until the colour is taken back: at the end, where a link leads, and wherever one scrolls to", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ CommandLine: redLines });
  const { OutputBytes } = await service.wait(id);
  const isRed = async (): Promise<boolean> => await page.evaluate<boolean>(isRedScript);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "the end is seen", (lines) => lines.at(-1)?.startsWith("red 6000 ") === true);
  await waitFor("the last lines are red", isRed);
  for (const share of [0.5, 0.25, 0.75]) {
    await page.goto("about:blank");
    await page.goto(`${base}/ui/#/jobs/${id}?at=${Math.floor(share * (OutputBytes ?? 0))}`);
    await page.locator(".log-row.is-chosen").waitFor();
    await waitFor(`the lines are red at ${share}`, isRed);
  }
  await page.locator(".log-box").hover();
  for (const by of [-3000, 9000]) {
    for (let turn = 0; turn < 8; turn += 1) {
      await page.mouse.wheel(0, by);
      await waitForLines(page, "lines are there", (lines) => lines.length > 5);
      await waitFor("they are red", isRed);
    }
  }
});

browserTest("lines of a job that runs stay red while it writes page after page, and those of the next step are plain", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({
    Commands: [
      { CommandLine: `${redLines}; until [ -e go ]; do sleep 0.05; done; seq -f 'more %.0f' 1 3000` },
      { CommandLine: "echo plain; sleep 1000" },
    ],
  });
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await waitForLines(page, "its end is seen", (lines) => lines.at(-1)?.startsWith("red 6000 ") === true);
  await waitFor("the lines are red", async () => await page.evaluate<boolean>(isRedScript));
  await service.client().files(id).write("go", Buffer.alloc(0));
  await waitForLines(page, "the next step is seen", (lines) => lines.at(-1) === "plain");
  const colours = await page.evaluate<[string, string][]>(`[...document.querySelectorAll(".log-row code")].map((code) =>
    [code.textContent, getComputedStyle(code.firstElementChild ?? code).color])`);
  const red = colours.find(([text]) => text === "more 3000")?.[1];
  assert.equal(red, colours.find(([text]) => text === "more 2999")?.[1]);
  assert.notEqual(red, colours.find(([text]) => text === "plain")?.[1]);
  await service.kill(id);
});

const isRedScript = `(() => {
  const rows = [...document.querySelectorAll(".log-row code")];
  return rows.length > 0 && rows.every((code) => {
    const [red, green] = getComputedStyle(code.firstElementChild ?? code).color.match(/\\d+/g).map(Number);
    return red > 120 && green < red / 2;
  });
})()`;

test("the settings of one sequence count in their order, and a reset among them ends what was before it", () => {
  const sgrOf = (text: string): string => {
    const styler = new Styler();
    styler.skip(text);
    return styler.sgr;
  };
  assert.equal(sgrOf("\u001b[31;39m"), "");
  assert.equal(sgrOf("\u001b[1;0;4m"), "4");
  assert.equal(sgrOf("\u001b[58;5;1m"), "", "the colour of an underline is no other setting");
  assert.equal(sgrOf("\u001b[4:3m\u001b[4:0m"), "");
  for (const sgr of ["1;2;31", "9;38;5;9;48;2;1;2;3", "7;97;107"]) assert.equal(new Styler(sgr).sgr, sgr);
});

test("a progress line shows no torn fragments: not while it is written, and not where a long one is cut", () => {
  const states = Array.from({ length: 4000 }, (_, index) => `Downloading ${String(index).padStart(5, "0")} of 04000`);
  const whole = states.map((state) => `${state}\r`).join("");
  for (let end = 60; end < whole.length; end = end < 300 ? end + 1 : end + 4091) {
    const shown = [0, 1, 2].flatMap((number) => (number * pageBytes < end ? textsOf(number, whole.slice(0, end)) : []));
    for (const text of shown) assert.match(text, /^Downloading \d{5} of 04000$/, `of ${end} bytes`);
    assert.ok(shown.length <= Math.ceil(end / pageBytes), `${shown.length} rows of ${end} bytes: one in a page at most`);
  }
  assert.deepEqual(textsOf(0, "1 of 2\r2 of 2\rok\nnext\n"), ["ok", "next"]);
});

function textsOf(number: number, text: string): string[] {
  const piece: OutputPiece = { kind: "output", offsetBytes: 0, time: null, step: 1, stream: "stdout", bytes: Buffer.from(text) };
  const { lines } = pageOf(number, [piece], { isWhole: false, style: null });
  return lines.filter(({ isOverwritten }) => !isOverwritten).map(({ runs }) => runs.map((run) => run.text).join(""));
}
