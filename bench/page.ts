// The web page in a real browser: 5,000 jobs, an output of 500 MB, and a live output of 1 MB/s.
import { statSync } from "node:fs";
import { join } from "node:path";
import { atMost, skipped } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { hasBrowser, openTab, type Tab } from "./lib/browser.ts";
import { inParallel } from "./lib/http.ts";
import { type Service, startService } from "./lib/service.ts";
import { median, ms, percentile, ratio, seconds } from "./lib/statistics.ts";

const jobs = 5000;
const outputBytes = 500_000_000;
const turns = 5;
const timeoutSeconds = 60;

export const benchmark: Benchmark = {
  name: "page",
  title: `the web page: ${jobs} jobs, and an output of ${outputBytes / 1e6} MB`,
  method:
    "In Chromium, headless, 1280 × 800. The time is from the navigation until a row, or a line of output, is on the page: the median of " +
    `${turns}. Frames: the time between two calls of requestAnimationFrame while the mouse wheel turns by 400 pixels every 16 ms. The ` +
    "peer is an empty page in the same browser. Memory: of the page's scripts after a garbage collection, and of the renderer process. " +
    "The peer of the long output is the same output as plain text in the same browser (GET /ID/attach), which is how people read logs " +
    "without a page.",
  limitSeconds: 400,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  if (!hasBrowser()) return report(skipped("the page", "chromium is not installed"));
  const service = await startService(scope, { environment: { JOBRUNNER_MAX_REQUESTS_PER_SECOND: "100000" } });
  const base = `http://localhost:${service.port}`;
  const tab = await openTab(scope, "page");
  await tab.page.goto("about:blank");
  const idle = await tab.frames(2000);
  const limitMs = percentile(idle, 0.95);
  await manyJobs({ service, base, tab, limitMs, progress, report });
  await longOutput({ service, base, tab, limitMs, progress, report, scope });
  await liveOutput({ service, base, tab, limitMs, report });
}

type Stage = Pick<Context, "report"> & { service: Service; base: string; tab: Tab; limitMs: number };

async function manyJobs({ service, base, tab, limitMs, progress, report }: Stage & Pick<Context, "progress">): Promise<void> {
  await inParallel(
    Array.from({ length: jobs }, (_, index) => index),
    16,
    async (index) => {
      await service.client.submit({
        Name: `job ${index}`,
        Labels: { team: `t${index % 7}` },
        Commands: [{ CommandLine: "true" }, { CommandLine: `exit ${index % 9 === 0 ? 1 : 0}` }],
      });
    },
  );
  while ((await service.client.running()).length > 0) await new Promise((done) => setTimeout(done, 100));
  progress(`${jobs} jobs are finished`);
  const times = await open(tab, { url: `${base}/ui/#/jobs`, ready: ".rows .job-row" });
  report(plain("the list, until its first row", seconds(median(times))));
  await tab.page.mouse.move(600, 500);
  let isDone = false;
  const frames = await tab.frames(6000, async () => {
    for (const end = performance.now() + 5500; performance.now() < end;) await wheel(tab, 400);
    isDone = true;
  });
  if (!isDone) throw new Error("the wheel did not turn to the end");
  report(frameRow(`scrolling through ${jobs} jobs`, frames, limitMs));
  report(
    plain("the list in memory: scripts, process", `${(await tab.heapMegabytes()).toFixed(1)} MB, ${tab.rendererMegabytes().toFixed(0)} MB`),
  );
}

async function longOutput({
  service,
  base,
  tab,
  limitMs,
  progress,
  report,
  scope,
}: Stage & Pick<Context, "progress" | "scope">): Promise<void> {
  const id = await service.client.submit({ CommandLine: `yes "$(head -c 79 /dev/zero | tr '\\0' x)" | cat -n | head -c ${outputBytes}` });
  await service.client.finished(id, 120);
  progress("the long output is there");
  const times = await open(tab, { url: `${base}/ui/#/jobs/${id}`, ready: ".log-row" });
  const peer = await openTab(scope, "plain");
  const began = performance.now();
  const isThere = await peer.page.goto(`${base}/${id}/attach?follow=false`, { timeout: timeoutSeconds * 1000 }).then(
    () => true,
    () => false,
  );
  const peerSeconds = (performance.now() - began) / 1000;
  report({
    name: "a long output, until its last lines are there",
    ours: seconds(median(times)),
    peer: isThere ? `${seconds(peerSeconds)} as plain text` : `not within ${timeoutSeconds} s as plain text`,
    measured: `${isThere ? "" : "less than "}${ratio(median(times) / peerSeconds)}`,
    demanded: "",
    verdict: "for information",
  });
  await tab.page.mouse.move(600, 500);
  const frames = await tab.frames(4000, async () => {
    for (const end = performance.now() + 3800; performance.now() < end;) await wheel(tab, -400);
  });
  report(frameRow("scrolling in it", frames, limitMs));
  const jumps: number[] = [];
  for (const share of [0.1, 0.9, 0.5, 0.3, 0.7]) {
    jumps.push(
      await tab.page.evaluate<number>(`new Promise((done) => {
        const box = document.querySelector(".log-box");
        const before = box.querySelector(".log-row")?.textContent;
        const began = performance.now();
        box.scrollTop = ${share} * (box.scrollHeight - box.clientHeight);
        const check = () => {
          const row = box.querySelector(".log-row");
          if (row !== null && row.textContent !== before) done(performance.now() - began);
          else requestAnimationFrame(check);
        };
        requestAnimationFrame(check);
      })`),
    );
  }
  report(plain("a jump to anywhere in it, until its lines are there", `median ${ms(median(jumps))}, max ${ms(Math.max(...jumps))}`));
  const own = { heap: await tab.heapMegabytes(), process: tab.rendererMegabytes() };
  const plainMegabytes = peer.rendererMegabytes();
  await peer.close();
  report(plain("it in memory: scripts", `${own.heap.toFixed(1)} MB`));
  report({
    name: "it in memory: process",
    ours: `${own.process.toFixed(0)} MB`,
    peer: `${plainMegabytes.toFixed(0)} MB as plain text`,
    measured: ratio(own.process / plainMegabytes),
    demanded: "",
    verdict: "for information",
  });
}

async function liveOutput({ service, base, tab, limitMs, report }: Stage): Promise<void> {
  const id = await service.client.submit({
    CommandLine:
      "while :; do seq -f '%.0f some words that make a line of about eighty characters, as programs write them' 1 1220; " +
      "sleep 0.095; done",
  });
  await open(tab, { url: `${base}/ui/#/jobs/${id}`, ready: ".log-row", count: 1 });
  const before = sizeOf(service, id);
  const began = performance.now();
  const frames = await tab.frames(5000);
  const rate = (sizeOf(service, id) - before) / (performance.now() - began) / 1000;
  report(frameRow(`following an output of ${rate.toFixed(1)} MB/s`, frames, limitMs));
  report(plain("it in memory: scripts, process", `${(await tab.heapMegabytes()).toFixed(1)} MB, ${tab.rendererMegabytes().toFixed(0)} MB`));
  await service.client.call("DELETE", `/${id}?force=true`);
}

/** Seconds from an empty tab until the element is there, for each turn. */
async function open({ page }: Tab, { url, ready, count = turns }: { url: string; ready: string; count?: number }): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < count; turn++) {
    await page.goto("about:blank");
    const began = performance.now();
    await page.goto(url);
    await page.waitForSelector(ready);
    times.push((performance.now() - began) / 1000);
  }
  return times;
}

async function wheel({ page }: Tab, px: number): Promise<void> {
  await page.mouse.wheel(0, px);
  await new Promise((done) => setTimeout(done, 16));
}

function sizeOf({ stateDirectory }: Service, id: string): number {
  return statSync(join(stateDirectory, "jobs", id, "output")).size;
}

/** Judges late frames: a page that stutters has them. */
function frameRow(name: string, frames: number[], limitMs: number): Parameters<Context["report"]>[0] {
  const late = percentile(frames, 0.95);
  return {
    name: `frames while ${name}`,
    ours: `p95 ${ms(late)}, max ${ms(Math.max(...frames))}`,
    peer: `p95 ${ms(limitMs)} in an empty page`,
    measured: ratio(late / limitMs),
    demanded: "<= 1.5",
    verdict: atMost(late / limitMs, 1.5),
  };
}

function plain(name: string, ours: string): Parameters<Context["report"]>[0] {
  return { name, ours, peer: "", measured: "", demanded: "", verdict: "for information" };
}
