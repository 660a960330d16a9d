import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { buffer } from "node:stream/consumers";
import type { JobSpec } from "../src/client/index.ts";
import { draftOf, inFields, inJson, writtenIn } from "../web/pages/new/draft.ts";
import { asCurl, asRun } from "../web/pages/new/same.ts";
import { browserTest } from "./helper/browser.ts";
import { openPage, waitForLines } from "./helper/page.ts";
import { repository, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** The page for new jobs: the job that it sends, and the commands that it shows for the same job. */

const nasty = 'it\'s "quoted" $HOME `x` \\ !! é 😀\nsecond line\t; -- @file';
const specs: JobSpec[] = [
  { CommandLine: "true" },
  { CommandLine: `: ${nasty.replaceAll("'", "")}` },
  {
    CommandLine: "@/etc/passwd true",
    Name: "-dash",
    Labels: { team: "a b", "x/y": "" },
    Environment: { A: nasty, B: "=b", EMPTY: "" },
    WorkingDir: "a",
    TimeoutSeconds: 1.5,
    IdleTimeoutSeconds: 60,
    StopSignal: "SIGINT",
    StopTimeoutSeconds: 0,
    DrainTimeoutSeconds: 0.5,
  },
  { CommandLine: "cat", Stdin: "END\nof it\n'quoted'\n" },
  {
    Commands: [
      { Args: ["printf", "%s", nasty.split("\n")[0] ?? ""], Name: "one", Environment: { C: nasty } },
      { CommandLine: "false", IgnoreError: true, TimeoutSeconds: 5, WorkingDir: "/", Shell: "/bin/sh" },
      { CommandLine: "true", RunOn: "always" },
    ],
  },
];
const containers: JobSpec = {
  Commands: [
    {
      Image: "debian:12",
      Args: ["a", "", "b"],
      Entrypoint: ["/x", "y"],
      Mounts: [
        { Source: "/a", Target: "/b", ReadOnly: true },
        { Source: "c", Target: "/d" },
      ],
      Network: "none",
      User: "1:2",
      Pull: "never",
      Resources: { MemoryBytes: 1e9, CPUs: 0.5, Pids: 9 },
    },
    { Image: "x" },
  ],
};

for (const spec of [...specs, containers]) {
  test(`a job is the same when it has been through the form, by its fields and as JSON: ${JSON.stringify(spec).slice(0, 60)}`, () => {
    const draft = draftOf(spec);
    assert.equal(draft.kind, "fields");
    assert.deepEqual(writtenIn(draft), { kind: "spec", spec });
    assert.deepEqual(writtenIn(inJson(draft)), { kind: "spec", spec });
    assert.deepEqual(inFields(inJson(draft)), inFields(draft));
  });
}

const beyondFields: JobSpec[] = [
  { Commands: [{ Args: ["bash", "-c", "echo one\necho two"] }] },
  { Commands: [{ Image: "x", Args: [] }] },
  { Commands: [{ Image: "x", Mounts: [{ Source: "/with:colon", Target: "/a" }] }] },
  { Commands: [{ Image: "x", Entrypoint: ["a\nb"] }], Secrets: { KEY: "s3cret" } },
];
for (const spec of beyondFields) {
  test(`a job that fields cannot say is edited as JSON, and stays what it is: ${JSON.stringify(spec)}`, () => {
    const draft = draftOf(spec);
    assert.equal(draft.kind, "json");
    assert.ok(draft.kind === "json" && !draft.text.includes("s3cret"));
    assert.deepEqual(writtenIn(draft), { kind: "spec", spec });
    assert.equal(inFields(draft), null);
  });
}

test("default values need no JSON", () => {
  const draft = draftOf({ Labels: {}, Commands: [{ IgnoreError: false, Args: ["true"] }] });
  assert.deepEqual(writtenIn(draft), { kind: "spec", spec: { Commands: [{ Args: ["true"] }] } });
});

const nonsense = [
  "",
  "{",
  "null",
  "[]",
  "5",
  '{"Commands": 5}',
  '{"Commands": [null]}',
  '{"Labels": "ab"}',
  '{"Environment": null, "Secrets": null}',
  '{"Secrets": "x", "TimeoutSeconds": {}}',
  '{"CommandLine": {}, "Nam": "typo"}',
];
test("JSON that is not a job is refused or shown as it is, and breaks nothing", () => {
  for (const text of nonsense) {
    const draft = { kind: "json" as const, text, secrets: [] };
    const written = writtenIn(draft);
    if (written.kind === "spec")
      assert.ok(asRun(written.spec).includes("--file -") && asCurl(written.spec, { url: "http://x", hasToken: false }) !== "", text);
    assert.equal(inFields(draft), null, text);
  }
});

test("the curl command and the jobrunner run command that the page shows submit the same job", async (t) => {
  const service = await startService(t);
  for (const spec of specs) {
    for (const command of [
      asCurl(spec, { url: service.url, hasToken: false }),
      asRun(spec).replace("jobrunner run", `${join(repository, "bin", "jobrunner")} run --detach`),
    ]) {
      const said = await bash(command, service.url);
      const id = /[0-9a-f-]{36}/.exec(said)?.[0];
      assert.ok(id !== undefined, `${command}\n${said}`);
      assert.deepEqual((await service.get(id)).Spec, spec, command);
    }
  }
});

test("the commands that the page shows contain no secret and no token", () => {
  const spec: JobSpec = { CommandLine: "true", Secrets: { KEY: "s3cret" } };
  for (const text of [asCurl(spec, { url: "http://localhost:8080", hasToken: true }), asRun(spec)]) {
    assert.ok(text.includes("KEY") && !text.includes("s3cret"), text);
  }
  assert.match(asCurl(spec, { url: "http://localhost:8080", hasToken: true }), /\$JOBRUNNER_TOKEN/);
});

browserTest("a command line is written, run and watched", async (t) => {
  const { service, page, base } = await openPage(t, { at: "/ui/#/new" });
  await page.getByLabel("Command line", { exact: true }).fill("echo hello $WHO");
  await page.getByLabel("Name", { exact: true }).fill("typed");
  await page.getByRole("button", { name: "Add variable" }).click();
  await page.getByLabel("Variable 1: name").fill("WHO");
  await page.getByLabel("Variable 1: value").fill("world");
  assert.equal(
    await page.locator(".same pre").innerText(),
    `curl -d '{"CommandLine":"echo hello $WHO","Name":"typed","Environment":{"WHO":"world"}}' ${base}`,
  );
  await page.getByRole("button", { name: "jobrunner run" }).click();
  assert.equal(await page.locator(".same pre").innerText(), "jobrunner run --name typed --env WHO=world -c 'echo hello $WHO'");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await waitForLines(page, "it ran", (lines) => lines.includes("hello world"));
  await page.getByRole("link", { name: "Edit and run again" }).click();
  await page.getByText("As typed was.").waitFor();
  await page.getByLabel("Command line", { exact: true }).fill("echo changed");
  await page.getByLabel("Command line", { exact: true }).press("Control+Enter");
  await waitForLines(page, "the changed one ran", (lines) => lines.includes("changed"));
  assert.equal((await service.client().page()).Jobs.length, 2);
});

browserTest("a refused job shows the reasons at its fields, and no input is lost, also not by a reload", async (t) => {
  const { service, page } = await openPage(t, { at: "/ui/#/new", expected: /status of 400/ });
  await page.getByLabel("Command line", { exact: true }).fill("echo kept");
  await page.getByRole("button", { name: "Steps" }).click();
  await page.getByLabel("Command line", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Add step" }).click();
  const second = page.getByRole("group", { name: "Step 2" });
  await second.getByText("More options").click();
  await second.getByLabel("Timeout in seconds").fill("soon");
  await second.getByLabel("Command line").fill("echo second");
  await second.getByText("More options").click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("alert").waitFor();
  const wrong = second.getByLabel("Timeout in seconds");
  assert.equal(await wrong.getAttribute("aria-invalid"), "true");
  await waitFor("one is led to the field", async () => (await page.evaluate("document.activeElement.value")) === "soon");
  await page.reload();
  assert.equal(await second.getByLabel("Command line").inputValue(), "echo second");
  await second.getByText("More options").click();
  await wrong.fill("60");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await waitForLines(page, "it ran", (lines) => lines.includes("kept") && lines.includes("second"));
  const {
    Jobs: [job],
  } = await service.client().page();
  assert.deepEqual((await service.get(job?.ID ?? "")).Spec, {
    Commands: [{ CommandLine: "echo kept" }, { CommandLine: "echo second", TimeoutSeconds: 60 }],
  });
});

browserTest("a job is written as JSON, which the service checks, and survives a reload without its secrets", async (t) => {
  const { service, page } = await openPage(t, { at: "/ui/#/new", expected: /status of 400/ });
  await page.getByLabel("Command line", { exact: true }).fill("echo from $KEY fields");
  await page.getByRole("button", { name: "JSON", exact: true }).first().click();
  const json = page.getByLabel("The job as JSON");
  assert.deepEqual(JSON.parse(await json.inputValue()), { CommandLine: "echo from $KEY fields" });
  await json.fill('{"CommandLine": ');
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "is not JSON" }).waitFor();
  await json.fill('{"Commands": [{"Args": ["sh", "-c", "echo one\\necho $KEY"], "TimeoutSecond": 5}], "Secrets": {"KEY": "s3cret-value"}}');
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "TimeoutSecond" }).waitFor();
  assert.equal(await json.getAttribute("aria-invalid"), "true");
  await page.getByRole("button", { name: "Steps" }).click();
  await page.getByText("The form has no fields for some parts of this JSON.").waitFor();
  assert.equal(await page.evaluate("JSON.stringify({ ...sessionStorage }).includes('s3cret')"), false);
  await page.reload();
  await json.fill((await json.inputValue()).replace("TimeoutSecond", "TimeoutSeconds"));
  await page.getByRole("button", { name: "Add secret" }).click();
  await page.getByLabel("Secret 1: name").fill("KEY");
  await page.getByLabel("Secret 1: value").fill("0ther-value");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await waitForLines(page, "it ran", (lines) => lines.includes("one") && lines.includes("***"));
  const {
    Jobs: [job],
  } = await service.client().page();
  assert.deepEqual((await service.get(job?.ID ?? "")).Spec, {
    Commands: [{ Args: ["sh", "-c", "echo one\necho $KEY"], TimeoutSeconds: 5 }],
    Secrets: { KEY: null },
  });
  await page.getByRole("link", { name: "Edit and run again" }).click();
  await page.getByText("enter them again").waitFor();
  assert.deepEqual(JSON.parse(await json.inputValue()), { Commands: [{ Args: ["sh", "-c", "echo one\necho $KEY"], TimeoutSeconds: 5 }] });
});

browserTest("secrets are stored nowhere, and must be typed again when a job is changed", async (t) => {
  const { service, page, base } = await openPage(t);
  const id = await service.submit({ Name: "secretive", CommandLine: "echo $KEY", Secrets: { KEY: "s3cret-value" } });
  await service.wait(id);
  await page.goto(`${base}/ui/#/jobs/${id}`);
  await page.getByRole("button", { name: "Run again", exact: true }).click();
  await page.getByText("enter them again").waitFor();
  await page.getByLabel("Secret 1: value").fill("0ther-value");
  assert.equal(await page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage }).includes('0ther')"), false);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await waitForLines(page, "it is masked", (lines) => lines.includes("***"));
});

async function bash(command: string, url: string): Promise<string> {
  const child = spawn("bash", ["-c", command], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], JOBRUNNER_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  return `${out.toString()}${err.toString()}`;
}
