import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commandLinePage, manualPage } from "../docs/cli.ts";
import { asMarkdown, asRoff, table, text, typed } from "../docs/document.ts";
import { variables } from "../src/config.ts";
import { repository } from "./helper/service.ts";

const needsGroff = {
  skip:
    spawnSync("groff", ["--version"]).status === 0 || process.env["CI"] !== undefined
      ? false
      : "the Debian package groff-base is not installed",
};

test("docs/cli.md and the manual page match the commands: make docs writes them", () => {
  assert.equal(readFileSync(join(repository, "docs", "cli.md"), "utf8"), commandLinePage());
  assert.equal(readFileSync(join(repository, "docs", "jobrunner.1"), "utf8"), manualPage());
});

test("groff finds nothing wrong with the manual page", needsGroff, () => {
  const { status, stdout, stderr } = spawnSync("groff", ["-man", "-ww", "-z", join(repository, "docs", "jobrunner.1")], {
    encoding: "utf8",
  });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
});

test("the manual page shows every variable completely, and its examples as they are typed", needsGroff, () => {
  const shown = render(manualPage());
  for (const { name } of variables({})) assert.match(shown, new RegExp(`^ +${name}$`, "m"));
  const consoles = [...commandLinePage().matchAll(/^```console\n([^]*?)^```/gm)].flatMap(([, lines = ""]) => lines.split("\n"));
  assert.ok(consoles.length > 10);
  for (const line of consoles) assert.ok(shown.includes(line), line);
});

test("text with a meaning in roff or Markdown is shown literally", needsGroff, () => {
  const odd = ".dot 'quote' \\n ~/.x ^ -- \"a\" … | <b>";
  const parts = [text(odd), table([[`\`${odd}\``, odd]]), typed(`${odd}\n'${odd}`)];
  const lines = render(`.TH A 1\n.ad l\n${asRoff([{ title: "`odd`", parts, subsections: [{ title: `\`${odd}\``, parts: [] }] }])}`)
    .split("\n")
    .map((line) => line.trim());
  assert.deepEqual(
    lines.filter((line) => line.includes("dot")),
    [odd, odd, odd, odd, `'${odd}`, odd],
  );
  assert.match(asMarkdown([{ title: "odd", parts }]), /\| `.*\\\| <b>` \|/);
});

function render(roff: string): string {
  return spawnSync("groff", ["-man", "-Tutf8", "-rLL=200n", "-P-cbou"], { input: roff, encoding: "utf8" }).stdout;
}
