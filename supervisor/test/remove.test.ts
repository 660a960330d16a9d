import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { program } from "./harness.ts";

test("a folder is emptied, even if it is deep, wide or without permissions; targets of links stay", (t) => {
  const [folder, outside] = [folderOf(t), folderOf(t)];
  writeFileSync(join(outside, "kept"), "");
  const deep = join(folder, ...Array.from({ length: 100 }, () => "deep"));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, "file"), "");
  for (let count = 0; count < 500; count += 1) mkdirSync(join(folder, "wide", `${count}`, "inner"), { recursive: true });
  symlinkSync(outside, join(folder, "link"));
  mkdirSync(join(folder, "closed/inner"), { recursive: true });
  for (const [path, mode] of [
    ["closed/inner", 0o500],
    ["closed", 0],
  ] as const)
    chmodSync(join(folder, path), mode);
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x0a])]), "");
  assert.deepEqual(empty(folder), { code: 0, said: `removed ${100 + 1 + 1 + 1000 + 1 + 2 + 1}\n` });
  assert.deepEqual([readdirSync(folder), readdirSync(outside)], [[], ["kept"]]);
});

test("a folder is removed by its path, with its content; a path that is no folder is reported", (t) => {
  const folder = folderOf(t);
  mkdirSync(join(folder, "a/b"), { recursive: true });
  assert.equal(spawnSync(program, ["remove", join(folder, "a")]).status, 0);
  assert.ok(!existsSync(join(folder, "a")));
  const { status, stderr } = spawnSync(program, ["remove", join(folder, "a")], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [1, `jobrunner-supervisor: ${folder}/a/: No such file or directory\n`]);
});

test("a file is not emptied", () => {
  assert.deepEqual(empty("/dev/null"), { code: 1, said: "removed 0\nleft other Not a directory\n" });
});

function empty(folder: string): { code: number | null; said: string } {
  const fd = openSync(folder, "r");
  try {
    const { status, stdout } = spawnSync(program, ["empty"], { stdio: [fd, "pipe", "inherit"], encoding: "utf8" });
    return { code: status, said: stdout };
  } finally {
    closeSync(fd);
  }
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-remove-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
