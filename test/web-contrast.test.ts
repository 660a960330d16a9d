import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import type { Page } from "playwright-core";
import { contrast, leastContrast, type Rgb, rowGrounds, shownPair, type Theme } from "../web/output/contrast.ts";
import { type Style, Styler } from "../web/output/styles.ts";
import { browserTest } from "./helper/browser.ts";
import { openPage, waitForLines } from "./helper/page.ts";

/** Text of the log can be read, whatever colours a program chose for it. */

const themes: Theme[] = ["light", "dark"];

test("the contrast of two colours is that of WCAG: 21 for black on white, 1 for the same", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast([9, 99, 199], [9, 99, 199]), 1);
  assert.equal(contrast([0x76, 0x76, 0x76], [255, 255, 255]).toFixed(2), "4.54");
});

test("every pair of the 256 colours and the default ones can be read in light and dark, on every row, also dim and reversed", () => {
  const codes = [null, ...Array.from({ length: 256 }, (_, index) => index)];
  let pairs = 0;
  for (const looks of ["", "2;", "7;", "2;7;"]) {
    for (const foreground of codes) {
      for (const background of codes) {
        const parameters = `${foreground === null ? 39 : `38;5;${foreground}`};${background === null ? 49 : `48;5;${background}`}`;
        const style = new Styler().runsOf(`\u001b[${looks}${parameters}mx`, { isStderr: false })[0]?.style ?? null;
        pairs += assertReadable(style, `\\e[${looks}${parameters}m`);
      }
    }
  }
  assert.equal(pairs, 4 * 257 * 257 * 4, "each was looked at in both themes and on both streams");
});

test("every pair of 24-bit colours can be read", () => {
  const rgb = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: 255 })));
  fc.assert(
    fc.property(fc.option(rgb), fc.option(rgb), fc.subarray(["2", "7"]), (foreground, background, looks) => {
      const parameters = [
        ...looks,
        ...(foreground === null ? [] : [`38;2;${foreground.join(";")}`]),
        ...(background === null ? [] : [`48;2;${background.join(";")}`]),
      ].join(";");
      assertReadable(new Styler().runsOf(`\u001b[${parameters}mx`, { isStderr: false })[0]?.style ?? null, parameters);
    }),
    { numRuns: 2000 },
  );
});

test("a colour that can be read is shown as it is", () => {
  const [run] = new Styler().runsOf("\u001b[38;2;0;0;0;48;2;255;255;0mx", { isStderr: false });
  for (const theme of themes) {
    assert.deepEqual(shownPair(run?.style ?? null, { isStderr: false, theme }), { foreground: [0, 0, 0], background: [255, 255, 0] });
  }
});

const written = [
  "97",
  "30",
  "93",
  "37;47",
  "30;40",
  "2",
  "7",
  "2;31",
  "7;33",
  "31;42",
  "38;5;16",
  "38;5;231",
  "38;5;226",
  "38;5;18;48;5;17",
  "38;2;255;255;255",
  "38;2;1;1;1",
  "38;2;250;250;250;48;2;255;255;255",
  "48;2;0;0;0",
  "48;2;255;255;255",
  "48;5;231",
  "48;5;16",
];

for (const theme of themes) {
  browserTest(`what is shown of coloured output in ${theme} can be read: in plain rows, chosen, found and hovered ones`, async (t) => {
    const { service, page, base } = await openPage(t, { viewport: { width: 1280, height: 1500 } });
    await page.emulateMedia({ colorScheme: theme });
    const lines = written.map((parameters) => `\\033[${parameters}mlook ${parameters}\\033[0m`).join("\\n");
    const { job } = await service.run({ CommandLine: `printf '${lines}\\nplain\\n'; printf '${lines}\\nplain\\n' >&2` });
    await page.goto(`${base}/ui/#/jobs/${job.ID}?at=0`);
    await waitForLines(page, "all is seen", (seen) => seen.length === 2 * written.length + 2);
    assertSeen(await shownColours(page), theme);
    await page.locator(".log-row").nth(3).hover();
    assertSeen(await shownColours(page), theme);
    await page.getByLabel("Search in the output").fill("ook");
    await page.locator(".log-row.is-found mark").waitFor();
    const marked = await shownColours(page);
    assertSeen(marked, theme);
    assert.ok(marked.length > 4 * written.length, "marks are among them");
  });
}

type Shown = { text: string; foreground: Rgb; background: Rgb };

/** Of each text in the log, as the browser computed it: backgrounds lie upon each other. */
async function shownColours(page: Page): Promise<Shown[]> {
  return await page.evaluate<Shown[]>(shownScript);
}

const shownScript = `(() => {
  const read = (colour) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { colorSpace: "srgb" });
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return { rgb: [red, green, blue], alpha: alpha / 255 };
  };
  const behind = (element) => {
    if (element === null) return [255, 255, 255];
    const { rgb, alpha } = read(getComputedStyle(element).backgroundColor);
    if (alpha === 1) return rgb;
    const under = behind(element.parentElement);
    return alpha === 0 ? under : rgb.map((value, index) => value * alpha + under[index] * (1 - alpha));
  };
  const shown = [];
  for (const code of document.querySelectorAll(".log-row code")) {
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const own = node.parentElement;
      if (own.className === "unseen") continue;
      for (let one = own; one !== code; one = one.parentElement)
        if (getComputedStyle(one).opacity !== "1") throw new Error("text is shown through its ground");
      shown.push({ text: node.textContent, foreground: read(getComputedStyle(own).color).rgb, background: behind(own) });
    }
  }
  return shown;
})()`;

function assertSeen(shown: Shown[], theme: Theme): void {
  assert.ok(shown.length >= 2 * written.length, "text is seen");
  for (const { text, foreground, background } of shown) {
    const found = contrast(foreground, background);
    assert.ok(found >= leastContrast, `${text} in ${theme}: ${foreground.join()} on ${background.join()} is ${found}`);
  }
}

function assertReadable(style: Style | null, what: string): number {
  let count = 0;
  for (const theme of themes) {
    for (const isStderr of [false, true]) {
      const { foreground, background } = shownPair(style, { isStderr, theme });
      const least = Math.min(...(background === null ? rowGrounds[theme] : [background]).map((ground) => contrast(foreground, ground)));
      if (least < leastContrast) assert.fail(`${what} in ${theme}: ${least}`);
      count += 1;
    }
  }
  return count;
}
