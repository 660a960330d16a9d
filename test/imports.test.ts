import { strict as assert } from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "./helper/service.ts";

/** Each folder of src/ with the folders from which it may import. */
const mayImport: Record<string, string[]> = {
  lib: [],
  job: ["lib"],
  store: ["lib", "job"],
  output: ["lib", "job"],
  files: ["lib"],
  audit: ["lib"],
  sockets: ["lib"],
  metrics: ["lib", "job"],
  identity: ["lib", "store", "sockets"],
  runner: ["lib", "job", "store", "output", "identity", "files"],
  operations: ["lib", "job", "output", "files", "audit", "identity", "runner"],
  api: ["lib", "job", "output", "files", "audit", "identity", "runner", "operations", "sockets", "metrics"],
  client: [],
  fields: ["client"],
  doctor: ["lib", "store", "identity", "runner", "sockets", "job"],
  cli: ["lib", "client", "fields", "store", "audit", "identity", "runner", "sockets", "job", "doctor"],
};

test("imports go one way: job, then store, output and audit, identity, runner, operations, api, doctor, cli, main; the client none", () => {
  const folders = globSync("src/*/", { cwd: repository }).map((folder) => folder.replace(/^src\/|\/$/g, ""));
  assert.deepEqual(folders.toSorted(), Object.keys(mayImport).toSorted(), "every folder is in the table");
  for (const [folder, allowed] of Object.entries(mayImport)) {
    const files = globSync(`src/${folder}/**/*.ts`, { cwd: repository });
    assert.ok(files.length > 0, `${folder} has files`);
    for (const file of files) {
      for (const path of importsOf(file)) {
        const [, target = ""] = /^src\/([^/]+)/.exec(path) ?? [];
        assert.ok(target === folder || allowed.includes(target), `${file} imports ${path}`);
      }
    }
  }
});

test("operations know nothing of HTTP", () => {
  const files = globSync("src/operations/**/*.ts", { cwd: repository });
  assert.ok(files.length > 5, "files are found");
  for (const file of files) {
    const text = readFileSync(join(repository, file), "utf8");
    assert.doesNotMatch(text, /"(@?fastify\b[^"]*|node:(http|https|http2|net|tls))"/, file);
  }
});

test("the web page imports itself, libraries, the client, the tables of fields and lib: nothing else of the program", () => {
  const files = globSync("web/**/*.{ts,tsx}", { cwd: repository });
  assert.ok(files.flatMap(importsOf).length > 100, "the page's imports are found");
  for (const file of files) {
    for (const path of importsOf(file)) {
      assert.match(path, /^(web\/|src\/client\/index\.ts$|src\/fields\/|src\/lib\/)/, `${file} imports ${path}`);
    }
  }
});

test("no file of src/ and web/ imports itself indirectly: not by values, types or dynamic imports", () => {
  const files = globSync("{src,web}/**/*.{ts,tsx}", { cwd: repository });
  const found = circleIn(new Map(files.map((file) => [file, importsOf(file)])));
  assert.equal(found?.join(" imports "), undefined);
});

test("a circle is found over static, type-only, dynamic and re-exporting imports", () => {
  const circle = new Map([
    ["a.ts", importsIn('import { b } from "./b.ts";', "a.ts")],
    ["b.ts", importsIn('import type { C } from "./c.ts";', "b.ts")],
    ["c.ts", importsIn('const d = await import("./d.ts");', "c.ts")],
    ["d.ts", importsIn('export * from "./e.ts";', "d.ts")],
    ["e.ts", importsIn('type A = import("./a.ts").A;', "e.ts")],
  ]);
  assert.deepEqual(circleIn(circle), ["a.ts", "b.ts", "c.ts", "d.ts", "e.ts", "a.ts"]);
  assert.equal(circleIn(new Map([...circle].slice(0, -1))), null);
});

test("only main reads the environment, and only main ends the process", () => {
  for (const file of globSync("src/**/*.ts", { cwd: repository })) {
    if (file === "src/main.ts") continue;
    const text = readFileSync(join(repository, file), "utf8");
    assert.doesNotMatch(text, /process\.(env|exit)\b/, file);
  }
});

/** The files of the repository that a file imports, in any way. */
function importsOf(file: string): string[] {
  return importsIn(readFileSync(join(repository, file), "utf8"), file);
}

function importsIn(text: string, file: string): string[] {
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)"(\.[^"]+)"/g)].map(([, path = ""]) => join(file, "..", path));
}

/** The first circle found, from a file back to itself, or null. */
function circleIn(imports: Map<string, string[]>): string[] | null {
  const finished = new Set<string>();
  const search = (file: string, path: string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return null;
    for (const imported of imports.get(file) ?? []) {
      const circle = search(imported, [...path, file]);
      if (circle !== null) return circle;
    }
    finished.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const circle = search(file, []);
    if (circle !== null) return circle;
  }
  return null;
}
