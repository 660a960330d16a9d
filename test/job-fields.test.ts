import { strict as assert } from "node:assert";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable, Writable } from "node:stream";
import { json } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import type { Locator, Page } from "playwright-core";
import { Check } from "typebox/value";
import { makeProgram } from "../src/cli/program.ts";
import type { JobSpec } from "../src/client/index.ts";
import { isObject, type Leaf, type LeafField, objectOf, valueAt } from "../src/fields/field.ts";
import { jobLeaves } from "../src/fields/job-table.ts";
import { stepLeaves } from "../src/fields/step-table.ts";
import { JobSpec as JobSpecSchema } from "../src/job/spec.ts";
import { draftOf, writtenIn } from "../web/pages/new/draft.ts";
import { optionGroupsOf } from "../web/pages/new/same-options.ts";
import { browserTest, startSite } from "./helper/browser.ts";
import { openPage } from "./helper/page.ts";
import { shownFields } from "./helper/schema-fields.ts";

/** Every field of the job schema can be set on the command line and in the form of the web page. */

const shown = shownFields();
const byField = Map.groupBy(shown, ({ path }) => path);

test("a job is found for every field of the schema", () => {
  assert.ok(byField.size > 30, [...byField.keys()].join(", "));
});

for (const [path, jobs] of byField) {
  test(`${path} is set by options of jobrunner run, without a file`, async (t) => {
    const submit = await startCommandLine(t);
    for (const { spec } of jobs) {
      const words = optionGroupsOf(spec)?.flat();
      assert.ok(words !== undefined, `options say ${JSON.stringify(spec)}`);
      assert.deepEqual(await submit(words, spec), spec, words.join(" "));
    }
  });

  test(`${path} goes through the form of the page: into its fields and out of them`, () => {
    for (const { spec } of jobs) {
      const draft = draftOf(spec);
      assert.equal(draft.kind, "fields", JSON.stringify(spec));
      assert.deepEqual(writtenIn(draft), { kind: "spec", spec });
    }
  });
}

const word = fc.constantFrom("a", "-b", "--", "--step", "-c", "a=b", "=", " ", 'it\'s "$x" `y` \\', "é\n😀", "--name=x", "-");
const shared = {
  Name: fc.constantFrom("--step", "-", "it's"),
  Environment: fc.dictionary(fc.constantFrom("A", "-b", "--step"), fc.oneof(word, fc.constant("")), { minKeys: 1 }),
  WorkingDir: fc.constantFrom("a", "/a b", "-w"),
  TimeoutSeconds: fc.constantFrom(0.001, 1.5, 3600),
};
const ofStep = { ...shared, RunOn: fc.constantFrom("success", "failure", "always"), IgnoreError: fc.constant(true) };
const Args = fc.array(word, { minLength: 1, maxLength: 4 });
const steps = fc.oneof(
  fc.record({ ...ofStep, CommandLine: word, Shell: word }, { requiredKeys: ["CommandLine"] }),
  fc.record({ ...ofStep, Args }, { requiredKeys: ["Args"] }),
  fc.record({ ...ofStep, Image: fc.constant("debian:12"), Args, Entrypoint: Args, User: fc.constant("1:2") }, { requiredKeys: ["Image"] }),
);
const ofJob = { ...shared, Stdin: word, Labels: fc.constant({ team: "a=b", "x/y": "" }), Secrets: fc.constant({ KEY: "s3cret" }) };
const jobsOfAnyKind = fc.oneof(
  fc.record({ ...ofJob, CommandLine: word, User: fc.constant("nobody") }, { requiredKeys: ["CommandLine"] }),
  fc.record({ ...ofJob, Commands: fc.array(steps, { minLength: 1, maxLength: 4 }) }, { requiredKeys: ["Commands"] }),
);

test("jobs with many fields and unusual values stay the same, as options and in the form", async (t) => {
  const submit = await startCommandLine(t);
  const same = fc.asyncProperty(jobsOfAnyKind, async (job) => {
    const spec: JobSpec = JSON.parse(JSON.stringify(job)); // without fast-check's prototypes
    assert.ok(Check(JobSpecSchema, spec));
    assert.deepEqual(writtenIn(draftOf(spec)), { kind: "spec", spec });
    const words = optionGroupsOf(spec)?.flat();
    assert.ok(words !== undefined);
    assert.deepEqual(await submit(words, spec), spec, words.join(" "));
  });
  await fc.assert(same, { numRuns: 100 });
});

browserTest("every field of a job has a control on the page, in which it can be typed", async (t) => {
  const { page } = await openPage(t, { at: "/ui/#/new" });
  await page.getByText("More options").click();
  const expected = await fillAll(page.locator("form"), { leaves: jobLeaves, prefix: "" });
  assert.deepEqual(await jsonOf(page), expected);
});

browserTest("every field of a step has a control on the page, in which it can be typed", async (t) => {
  const { page } = await openPage(t, { at: "/ui/#/new" });
  await page.getByRole("button", { name: "Steps" }).click();
  await page.getByRole("button", { name: "Add step" }).click();
  const [line, program] = [1, 2].map((number) => page.getByRole("group", { name: `Step ${number}`, exact: true }));
  assert.ok(line !== undefined && program !== undefined);
  await line.getByLabel("Where").selectOption("container");
  await line.getByText("More options").click();
  await program.getByLabel("What runs").selectOption("args");
  const ofArguments = stepLeaves.filter(({ path }) => path === "Args");
  const others = stepLeaves.filter((leaf) => !ofArguments.includes(leaf));
  const first = await fillAll(line, { leaves: others, prefix: "Commands." });
  const second = await fillAll(program, { leaves: ofArguments, prefix: "Commands." });
  assert.deepEqual(await jsonOf(page), { Commands: [first, second] });
});

/** Runs `jobrunner run` with these words, in this process, and returns the job that a service would get. */
async function startCommandLine(t: TestContext): Promise<(words: string[], sample: JobSpec) => Promise<unknown>> {
  let submitted: unknown = null;
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    submitted = await json(request);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ ID: "00000000-0000-4000-8000-000000000000" }));
  };
  const port = await startSite(t, (request, response) => void take(request, response));
  return async (words, { Stdin = "", Secrets = {} }) => {
    submitted = null;
    const session = { stdin: Readable.from([Buffer.from(Stdin)]), stdout: sink(), stderr: sink(), environment: Secrets };
    const none = (): never => assert.fail("is not called");
    const off = (): void => undefined;
    let status: number | null = null;
    const program = makeProgram({
      version: "",
      session: { ...session, onInterrupt: () => off, onReaderGone: async () => off },
      finish: (code) => (status = code),
      print: none,
      serve: none,
      stateDirectory: none,
      helpText: none,
      configuration: none,
      supervisorPath: none,
    });
    await program.parseAsync(["run", "--detach", "--url", `http://127.0.0.1:${port}`, ...words], { from: "user" });
    assert.equal(status, 0);
    return submitted;
  };
}

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

/** Types a value into the control of each field. Returns the form's expected values, with secrets hidden. */
async function fillAll(form: Locator, { leaves, prefix }: { leaves: readonly Leaf[]; prefix: string }): Promise<Record<string, unknown>> {
  const values: [string, unknown][] = [];
  for (const { path, field } of leaves) {
    const value = sampleOf({ path, field }, prefix);
    await typeInto(form, field, value);
    values.push([
      path,
      field.kind === "secrets" && isObject(value) ? Object.fromEntries(Object.keys(value).map((name) => [name, "…"])) : value,
    ]);
  }
  return objectOf(values);
}

/** A value that fits the schema and, for a choice, is one of its options. The last value has the most parts. */
function sampleOf({ path, field }: Leaf, prefix: string): unknown {
  const own = shown.filter((one) => one.path === `${prefix}${path}` || one.path.startsWith(`${prefix}${path}.`));
  const values = own.map(({ spec }) =>
    [spec, ...(spec.Commands ?? [])].map((part) => valueAt(part, path)).find((value) => value !== undefined),
  );
  const value = field.kind === "choice" ? values.find((one) => field.choices.some(([choice]) => choice === one)) : values.at(-1);
  assert.ok(value !== undefined, `the schema has ${prefix}${path}`);
  return value;
}

async function typeInto(form: Locator, field: LeafField, value: unknown): Promise<void> {
  const control = form.getByLabel(field.label, { exact: true });
  if (field.kind === "choice") await control.selectOption(String(value));
  else if (field.kind === "flag") await control.check();
  else if ("what" in field) await typePairs(form, field.what, value);
  else if (field.kind === "items") await control.fill(linesOf(value).map(field.format).join("\n"));
  else await control.fill(field.kind === "list" ? linesOf(value).join("\n") : String(value));
}

async function typePairs(form: Locator, what: string, pairs: unknown): Promise<void> {
  for (const [index, [name, value]] of Object.entries(isObject(pairs) ? pairs : {}).entries()) {
    await form.getByRole("button", { name: `Add ${what.toLowerCase()}` }).click();
    await form.getByLabel(`${what} ${index + 1}: name`).fill(name);
    await form.getByLabel(`${what} ${index + 1}: value`).fill(String(value));
  }
}

function linesOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

async function jsonOf(page: Page): Promise<unknown> {
  await page.getByRole("group", { name: "Format" }).getByRole("button", { name: "JSON" }).click();
  return JSON.parse(await page.locator(".same pre").innerText());
}
