import { strict as assert } from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "./helper/service.ts";

/** Each folder of src/ and those that it may import from. */
const mayImport: Record<string, string[]> = {
  job: [],
  store: ["job"],
  output: ["job"],
  files: [],
  audit: [],
  sockets: [],
  metrics: ["job"],
  identity: ["store", "sockets"],
  runner: ["job", "store", "output", "identity", "files"],
  api: ["job", "output", "files", "audit", "identity", "runner", "sockets", "metrics"],
  client: [],
  doctor: ["store", "identity", "runner", "sockets", "job"],
  cli: ["client", "store", "audit", "identity", "runner", "sockets", "job", "doctor"],
};

test("imports go one way: job, then store, output and audit, identity, runner, api and doctor, cli, main; the client knows the API alone", () => {
  for (const [folder, allowed] of Object.entries(mayImport)) {
    for (const file of globSync(`src/${folder}/**/*.ts`, { cwd: repository })) {
      const text = readFileSync(join(repository, file), "utf8");
      for (const [, path = ""] of text.matchAll(/from "(\.[^"]+)"/g)) {
        const [, target = ""] = /^src\/([^/]+)/.exec(join(file, "..", path)) ?? [];
        assert.ok(target === folder || allowed.includes(target), `${file} imports ${path}`);
      }
    }
  }
});

test("the web page imports itself, libraries and the client: nothing else of the program", () => {
  for (const file of globSync("web/**/*.{ts,tsx}", { cwd: repository })) {
    const text = readFileSync(join(repository, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)) {
      assert.match(join(file, "..", path), /^(web\/|src\/client\/index\.ts$)/, `${file} imports ${path}`);
    }
  }
});

test("no file of the program reads the environment but main, and none ends the process but main", () => {
  for (const file of globSync("src/**/*.ts", { cwd: repository })) {
    if (file === "src/main.ts") continue;
    const text = readFileSync(join(repository, file), "utf8");
    assert.doesNotMatch(text, /process\.(env|exit)\b/, file);
  }
});
