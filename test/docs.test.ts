import { strict as assert } from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { configurationPage } from "../docs/configuration.ts";
import { digestOfPage } from "../docs/screenshots.ts";
import { foreign, variables } from "../src/config.ts";
import { repository } from "./helper/service.ts";

test("docs/screenshots match the page: make screenshots creates them", () => {
  assert.equal(readFileSync(join(repository, "docs", "screenshots", "page.sha256"), "utf8").trim(), digestOfPage());
});

test("docs/configuration.md matches the table in the code: make docs writes it", () => {
  assert.equal(readFileSync(join(repository, "docs", "configuration.md"), "utf8"), configurationPage());
});

test("every variable that a page names exists", () => {
  const known = new Set([...variables({}).map(({ name }) => name), ...foreign]);
  for (const page of globSync(["*.md", "docs/*.md", "packaging/**/*.md"], { cwd: repository })) {
    for (const [name] of readFileSync(join(repository, page), "utf8").matchAll(/\bJOBRUNNER_[A-Z_]*[A-Z]/g))
      assert.ok(known.has(name), `${page} names ${name}`);
  }
});
