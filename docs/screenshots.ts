import { createHash } from "node:crypto";
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { chromium, type Page } from "playwright-core";
import { Client } from "../src/client/index.ts";

/** Writes docs/screenshots: the page of a service that is started for it, in Chromium, and a digest of the page's code. */

const root = resolve(import.meta.dirname, "..");
const folder = join(root, "docs", "screenshots");

/** The digest of all files of the page: with another digest, the pictures show another page. */
export function digestOfPage(): string {
  const digest = createHash("sha256");
  for (const file of globSync("web/**/*.{ts,tsx,css,html,svg}", { cwd: root }).toSorted())
    digest.update(`${file}\0${readFileSync(join(root, file), "utf8")}\0`);
  return digest.digest("hex");
}

if (import.meta.main) await write();

async function write(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-screenshots-"));
  const service = spawn(join(root, "bin", "jobrunner"), {
    env: { ...process.env, JOBRUNNER_PORT: "0", JOBRUNNER_STATE_DIR: stateDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await take(await addressOf(service));
    writeFileSync(join(folder, "page.sha256"), `${digestOfPage()}\n`);
  } finally {
    service.kill();
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function take(url: string): Promise<void> {
  const client = new Client({ url });
  const ids = await submit(client);
  const profile = mkdtempSync(join(tmpdir(), "jobrunner-screenshots-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: false,
    viewport: { width: 1200, height: 720 },
  });
  try {
    const page = await browser.newPage();
    const shoot = async (
      name: string,
      { at, ready, scheme = "light" }: { at: string; ready: string; scheme?: "light" | "dark" },
    ): Promise<void> => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(`${url}/ui/#/${at}`);
      await page.getByText(ready, { exact: true }).first().waitFor({ timeout: 10_000 });
      await settle(page);
      await page.screenshot({ path: join(folder, `${name}.png`) });
    };
    await shoot("jobs", { at: "jobs", ready: "nightly" });
    await shoot("job", { at: `jobs/${ids.nightly}`, ready: "cleaned up" });
    await shoot("job-dark", { at: `jobs/${ids.deploy}`, ready: "waiting for the new version to answer", scheme: "dark" });
    await shoot("new", { at: `new?from=${ids.nightly}`, ready: "As nightly was." });
    await shoot("box", { at: "box", ready: "Everything that is configured works." });
    await page.setViewportSize({ width: 390, height: 780 });
    await shoot("phone", { at: `jobs/${ids.nightly}`, ready: "cleaned up" });
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    for (const id of await client.running()) await client.kill(id, { isForced: true });
  }
}

async function submit(client: Client): Promise<{ nightly: string; deploy: string }> {
  for (const [name, line] of [
    ["lint", "true"],
    ["backup", "exit 1"],
    ["report", "true"],
  ] as const)
    await client.wait(await client.submit({ Name: name, Labels: { team: "web" }, CommandLine: line }));
  const nightly = await client.submit({
    Name: "nightly",
    Labels: { team: "db", branch: "main" },
    Environment: { LEVEL: "3" },
    Commands: [
      { Name: "fetch", CommandLine: "echo cloning; sleep 0.8; echo 1,204 files" },
      {
        Name: "build",
        CommandLine:
          "for i in $(seq 1 40); do printf '\\033[32mCC\\033[0m   src/module%02d.c\\n' $i; sleep 0.03; done; printf " +
          "'\\033[33mwarning:\\033[0m unused variable\\n' >&2",
      },
      {
        Name: "test",
        CommandLine:
          "sleep 0.4; printf '\\033[32m211 passed\\033[0m, \\033[1;31m1 failed\\033[0m\\n'; echo 'assertion failed: 41 is not 42' >&2; " +
          "exit 2",
      },
      { Name: "publish", CommandLine: "echo published" },
      { Name: "clean", CommandLine: "echo cleaned up", RunOn: "always" },
    ],
  });
  await client.wait(nightly);
  const deploy = await client.submit({
    Name: "deploy",
    Labels: { team: "web" },
    Commands: [
      { Name: "copy", CommandLine: 'for i in $(seq 1 30); do echo "copied part $i of 30"; done' },
      { Name: "wait", CommandLine: "echo 'waiting for the new version to answer'; sleep 600" },
      { Name: "switch", CommandLine: "echo switched" },
    ],
  });
  await client.submit({ Name: "import", CommandLine: "sleep 600" });
  return { nightly, deploy };
}

/** Waits until no request is pending and nothing moves. */
async function settle(page: Page): Promise<void> {
  await page.mouse.move(0, 0);
  await setTimeout(600);
}

async function addressOf(service: ChildProcess): Promise<string> {
  let said = "";
  for await (const chunk of service.stdout ?? []) {
    said += String(chunk);
    const port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return `http://localhost:${port}`;
  }
  throw new Error(`the service ended at once: ${said}`);
}
