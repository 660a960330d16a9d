import assert from "node:assert/strict";
import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Box, type Job } from "./harness.ts";

/** How the program of a command is found: as by execvp(3). */

let box: Box;
before(() => {
  box = new Box();
});
after(() => box.close());

type Files = Record<string, { text: string; mode?: number } | "folder" | { link: string }>;

/** A job whose step runs in a workspace with these files. `PATH` is relative to the workspace. */
function prepare(files: Files, PATH: string, args: string[] = ["tool", "a b", ""]): Job {
  const job = box.prepare({ env: { PATH, X: "x" }, steps: [{ args }] });
  const work = join(job.directory, "work");
  mkdirSync(work, { mode: 0o755 });
  for (const [name, file] of Object.entries(files)) {
    const path = join(work, name);
    mkdirSync(join(path, ".."), { recursive: true });
    if (file === "folder") mkdirSync(path);
    else if ("link" in file) symlinkSync(file.link, path);
    else writeFileSync(path, file.text);
    if (typeof file === "object" && "text" in file) chmodSync(path, file.mode ?? 0o755);
  }
  return job;
}

async function run(job: Job): Promise<Job> {
  box.tell(`run ${job.id}`);
  return await job.finished();
}

async function printed(files: Files, PATH: string, args?: string[]): Promise<string> {
  const job = await run(prepare(files, PATH, args));
  assert.deepEqual(job.events(), ["start 1", "end 1", "done"], job.status().join("\n"));
  return job.text();
}

async function failed(files: Files, PATH: string, args?: string[]): Promise<string[] | undefined> {
  return (await run(prepare(files, PATH, args))).lines("fail")[0]?.slice(2);
}

const says = (text: string): { text: string } => ({ text: `#!/bin/sh\necho ${text} "$#"\n` });

test("a script without #! is run by /bin/sh with its arguments, and no other program of that name is tried", async () => {
  const files = { "first/tool": { text: 'echo "$0" "$#" "$1" "$X"\n' }, "second/tool": says("second") };
  assert.equal(await printed(files, "first:second"), "first/tool 2 a b x\n");
  assert.equal(await printed(files, "second", ["first/tool"]), "first/tool 0  x\n");
  assert.equal(await printed({ "first/tool": { text: "" }, "second/tool": says("second") }, "first:second"), "");
});

test("a busy program is a failure, and no other program of that name is tried", async () => {
  const job = prepare({ "first/tool": says("first"), "second/tool": says("second") }, "first:second");
  const fd = openSync(join(job.directory, "work", "first", "tool"), "r+");
  await run(job);
  closeSync(fd);
  assert.deepEqual(job.lines("fail")[0]?.slice(2), ["exec", "26"]);
});

test("folders without such a program, or with one that may not be executed, are skipped", async () => {
  const files: Files = {
    "a-file": { text: "" },
    "plain/tool": { text: "#!/bin/sh\necho plain\n", mode: 0o644 },
    "folder/tool": "folder",
    "lost/tool": { text: "#!/no/such/interpreter\n" },
    "last/tool": says("last"),
  };
  assert.equal(await printed(files, `none:a-file:plain:folder:lost:${"x/".repeat(3000)}:last`), "last 2\n");
  assert.deepEqual(await failed(files, "none:a-file:plain:folder:lost"), ["exec", "13"], "one was there, and could not be executed");
  assert.deepEqual(await failed(files, "none:a-file"), ["exec", "2"]);
  assert.deepEqual(
    await failed({ "loop/tool": { link: "tool" }, ...files }, "none:loop:last"),
    ["exec", "40"],
    "any other failure is final",
  );
});

test("only an empty element of PATH means the working directory", async () => {
  const files = { tool: says("here"), "other/tool": says("other") };
  for (const PATH of ["", ":", ":other", "none:", "none::other"]) assert.equal(await printed(files, PATH), "here 2\n", PATH);
  assert.equal(await printed(files, "other:"), "other 2\n");
  assert.deepEqual(await failed(files, "none"), ["exec", "2"]);
});

test("a program whose interpreter is missing is told from a missing program", async () => {
  for (const first of ["#!/no/such/interpreter\n", "#!/bin/sh\r\n", "#!/etc/passwd/sh\n"]) {
    const files = { "bin/tool": { text: first } };
    for (const args of [["tool"], ["bin/tool"]]) assert.equal((await failed(files, "none:bin", args))?.[0], "interpreter", first);
  }
  assert.deepEqual(await failed({}, "none", ["bin/tool"]), ["exec", "2"]);
});
