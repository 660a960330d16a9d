import { strict as assert } from "node:assert";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { WorkspaceFiles } from "../src/files/workspace-files.ts";
import { assertProblem } from "./helper/problems.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { bearer, createToken } from "./helper/tokens.ts";

const program = join(repository, "build", "jobrunner-supervisor");

type Entry = { Name: string; Type: string; SizeBytes: number; ModifiedAt: string; Mode: string; Target: string | null };
type Folder = { Entries: Entry[]; NextAfter: string | null };

test("a workspace's folders and files are listed and fetched, whole or in ranges, during the job and after it", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit({
    CommandLine: "mkdir -p a/b; printf 0123456789 > a/b/c; chmod 750 a/b/c; ln -s a/b link; touch ready; sleep 1000",
  });
  await untilThere(service, id, "ready");
  const { Entries, NextAfter } = await list(service, id, "");
  assert.deepEqual(
    [Entries.map(({ Name, Type, Target }) => [Name, Type, Target]), NextAfter],
    [
      [
        ["a", "folder", null],
        ["link", "link", "a/b"],
        ["ready", "file", null],
      ],
      null,
    ],
  );
  const [file] = (await list(service, id, "link/")).Entries;
  assert.deepEqual([file?.Name, file?.SizeBytes, file?.Mode], ["c", 10, "750"]);
  const whole = await service.call("GET", `/${id}/files/link/c`);
  assert.deepEqual(
    [whole.status, whole.text, whole.headers["content-type"], whole.headers["content-disposition"]],
    [200, "0123456789", "application/octet-stream", "attachment"],
  );
  const part = await service.call("GET", `/${id}/files/a/b/c`, { headers: { Range: "bytes=2-4" } });
  assert.deepEqual([part.status, part.text, part.headers["content-range"]], [206, "234", "bytes 2-4/10"]);
  assertProblem(await service.call("GET", `/${id}/files/a/b/c`, { headers: { Range: "bytes=10-" } }), 416);
  const head = await service.call("HEAD", `/${id}/files/a/b/c`);
  assert.deepEqual([head.status, head.text, head.headers["content-length"]], [200, "", "10"]);
  await service.kill(id);
  assert.equal((await service.call("GET", `/${id}/files/a/b/c`)).text, "0123456789");
});

test("a folder is listed in pages, by name", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "touch $(seq -w 250)" });
  const names: string[] = [];
  for (let after = ""; ;) {
    const { Entries, NextAfter } = await list(service, job.ID, `?limit=100${after}`);
    names.push(...Entries.map(({ Name }) => Name));
    if (NextAfter === null) break;
    after = `&after=${NextAfter}`;
  }
  assert.deepEqual(
    names,
    Array.from({ length: 250 }, (_, index) => String(index + 1).padStart(3, "0")),
  );
});

test("a file is stored completely, with its missing parent folders, and a job reads it", async (t) => {
  const service = await sharedService(t);
  const id = await service.submit({ CommandLine: "until [ -e in/go ]; do sleep 0.01; done; ./in/run; sha256sum < in/data" });
  await untilThere(service, id, "");
  const data = randomBytes(20_000_000);
  assert.equal((await put(service, id, "in/data", data)).status, 200);
  assert.equal((await put(service, id, "in/run?mode=755", "#!/bin/sh\necho ran\n")).status, 200);
  assert.equal((await put(service, id, "in/go", "")).status, 200);
  await service.wait(id);
  assert.equal((await service.output(id)).toString(), `ran\n${createHash("sha256").update(data).digest("hex")}  -\n`);
  assert.equal((await put(service, id, "in/run", "other")).status, 200);
  assert.equal((await service.call("GET", `/${id}/files/in/run`)).text, "other");
  assert.equal(statSync(join(service.workspaceOf(id), "in", "run")).mode & 0o777, 0o644);
});

test("an upload that is too large, interrupted or of another kind leaves the existing file unchanged, and no other", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_FILE_BYTES: "100000" } });
  const { job } = await service.run({ CommandLine: "mkdir folder; echo old > file; touch folder/in" });
  const { ID: id } = job;
  assertProblem(await put(service, id, "file", Buffer.alloc(5_000_000)), 413);
  assertProblem(await put(service, id, "folder", "x"), 409);
  assertProblem(await put(service, id, "file/below", "x"), 409);
  assertProblem(await put(service, id, "", "x"), 409);
  assertProblem(await put(service, id, "n".repeat(300), "x"), 400);
  assertProblem(await put(service, id, "file?mode=4755", "x"), 400);
  assertProblem(await service.call("DELETE", `/${id}/files/folder`), 409);
  assertProblem(await service.call("DELETE", `/${id}/files/`), 409);
  assertProblem(await service.call("DELETE", `/${id}/files/none`), 404);
  assert.deepEqual(readdirSync(service.workspaceOf(id)).toSorted(), ["file", "folder"]);
  assert.equal((await service.call("GET", `/${id}/files/file`)).text, "old\n");
  assert.equal((await service.call("DELETE", `/${id}/files/folder?recursive=true`)).status, 200);
  assert.equal((await service.call("DELETE", `/${id}/files/file`)).status, 200);
  assert.deepEqual(readdirSync(service.workspaceOf(id)), []);
});

test("no path and no link gives access to files outside of the workspace", async (t) => {
  const service = await sharedService(t);
  const outside = folderOf(t);
  writeFileSync(join(outside, "secret"), "hunter22");
  const { job } = await service.run({
    CommandLine:
      `ln -s ${outside} out; ln -s ../plan plan; ln -s ../../../../../../../../etc up; ln -s loop loop; mkfifo fifo; ln -s ` +
      `"$PWD/in" mine; echo fine > in`,
  });
  const { ID: id } = job;
  const paths = ["out/secret", "plan", "up/passwd", "../plan", "..%2fplan", "%2e%2e/plan", "in/../../plan", "loop", "./in"];
  for (const path of paths) {
    assertProblem(await service.call("GET", `/${id}/files/${path}`), 403);
    if (path.includes("/")) assertProblem(await put(service, id, path, "evil"), 403);
  }
  assertProblem(await service.call("DELETE", `/${id}/files/out/secret`), 403);
  assertProblem(await service.call("GET", `/${id}/files/fifo`), 409);
  assertProblem(await service.call("GET", `/${id}/files/a%00b`), 400);
  assert.equal((await service.call("GET", `/${id}/files/mine`)).text, "fine\n");
  assert.equal((await service.call("DELETE", `/${id}/files/out?recursive=true`)).status, 200);
  assert.equal(readFileSync(join(outside, "secret"), "utf8"), "hunter22");
  assert.ok(existsSync(join(service.stateDir, "jobs", id, "plan")));
});

test("a job that replaces a folder by a link, at any moment, gives no access outside", async (t) => {
  const service = await sharedService(t);
  const outside = folderOf(t);
  writeFileSync(join(outside, "file"), "hunter22");
  const id = await service.submit({
    CommandLine: `mkdir a; echo fine > a/file; touch ready; while :; do mv a b; ln -s ${outside} a; rm a; mv b a; done`,
  });
  await untilThere(service, id, "ready");
  const seen = new Map<string, number>();
  for (let round = 0; round < 300; round += 1) {
    const [read, written] = await Promise.all([service.call("GET", `/${id}/files/a/file`), put(service, id, "a/new", "x")]);
    for (const { status, text } of [read, written]) {
      assert.ok([200, 403, 404, 409].includes(status), text);
      assert.ok(!text.includes("hunter22"));
      seen.set(String(status), (seen.get(String(status)) ?? 0) + 1);
    }
  }
  assert.deepEqual(readdirSync(outside), ["file"]);
  assert.ok((seen.get("200") ?? 0) > 0 && seen.size > 1, JSON.stringify([...seen]));
});

test("in any workspace, a walk ends inside of it or is refused", async (t) => {
  const outside = folderOf(t);
  writeFileSync(join(outside, "x"), "hunter22");
  const drafts = folderOf(t);
  const name = fc.constantFrom("a", "b", "c", "x");
  const target = fc
    .array(fc.constantFrom("a", "b", "c", "x", "..", ".", ""), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));
  const link = fc.oneof(
    target,
    target.map((path) => `${outside}/${path}`),
    fc.constantFrom(outside, "ROOT/a", "ROOT/../..", "ROOTx"),
  );
  const tree = fc.dictionary(
    fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
    fc.oneof(link, fc.constant(null)),
    { maxKeys: 8 },
  );
  const property = fc.asyncProperty(tree, fc.array(fc.oneof(name, fc.constant("..")), { maxLength: 5 }), async (entries, path) => {
    const parent = join(folderOf(t), "1/2/3/4/5/6/7/8"); // deep enough that a path with too many .. reaches nothing of the machine
    const root = join(parent, "root");
    mkdirSync(root, { recursive: true });
    writeFileSync(join(parent, "x"), "hunter22");
    for (const [place, to] of Object.entries(entries)) lay(root, place, to?.replace("ROOT", root) ?? null);
    const files = new WorkspaceFiles({ root, draft: () => join(drafts, randomUUID()), program });
    assert.ok(!["hunter22", readdirSync(parent).join()].includes(await read(files, path).catch(() => "refused")));
    await files.write([...path, "new"], bytes("x"), { mode: 0o600, inTurn: async (work) => await work() }).catch(() => undefined);
    await files.remove(path, { isRecursive: true }).catch(() => undefined);
    assert.deepEqual(readdirSync(parent).toSorted(), ["root", "x"]);
    assert.deepEqual(readdirSync(outside), ["x"]);
    assert.deepEqual(readdirSync(drafts), []);
  });
  await fc.assert(property, { numRuns: 200 });
});

test("readers see no files, submitters those of their own jobs, and changes are audited", async (t) => {
  const service = await startService(t);
  const [read, submit] = [bearer(await createToken(service, "r", "read")), bearer(await createToken(service, "s", "submit"))];
  const own = await service.submit({ CommandLine: "true" }, submit);
  await service.wait(own);
  const { job } = await service.run({ CommandLine: "echo x > file" });
  assertProblem(await service.call("GET", `/${job.ID}/files/file`, { headers: read }), 403);
  assertProblem(await service.call("GET", `/${job.ID}/files/file`, { headers: submit }), 404);
  assertProblem(await service.call("PUT", `/${job.ID}/files/file`, { headers: submit, body: "y" }), 404);
  assert.equal((await service.call("PUT", `/${own}/files/file`, { headers: submit, body: "y" })).status, 200);
  assert.equal((await service.call("DELETE", `/${own}/files/file`, { headers: submit })).status, 200);
  const audit = readFileSync(join(service.stateDir, "audit.log"), "utf8");
  for (const event of ["file written", "file removed"])
    assert.match(audit, new RegExp(`"Event":"${event}","By":"token:s".*"Job":"${own}","Path":"file"`));
});

test(
  "files of a job with a User belong to that user, and files of others are not shown",
  { skip: process.getuid?.() === 0 ? false : "only a root service runs jobs as other users" },
  async (t) => {
    const service = await startService(t, { environment: { JOBRUNNER_ALLOWED_USERS: "nobody" } });
    const { job } = await service.run({ CommandLine: "mkdir -p own; echo mine > own/file", User: "nobody" });
    const workspace = `${service.stateDir}-workspaces/${job.ID}`;
    assert.equal((await service.call("GET", `/${job.ID}/files/own/file`)).text, "mine\n");
    assert.equal((await put(service, job.ID, "new/folder/file", "x")).status, 200);
    const { uid } = statSync(workspace);
    assert.notEqual(uid, 0);
    for (const path of ["new", "new/folder", "new/folder/file"]) assert.equal(statSync(join(workspace, path)).uid, uid, path);
    writeFileSync(join(service.stateDir, "foreign"), "hunter22", { mode: 0o600 });
    linkSync(join(service.stateDir, "foreign"), join(workspace, "hard"));
    assertProblem(await service.call("GET", `/${job.ID}/files/hard`), 409);
  },
);

async function list(service: Service, id: string, path: string): Promise<Folder> {
  const answer = await service.call("GET", `/${id}/files/${path}`);
  assert.equal(answer.status, 200, answer.text);
  const folder: Folder = JSON.parse(answer.text);
  return folder;
}

/** The contents of a file, or the names in a folder. */
async function read(files: WorkspaceFiles, path: string[]): Promise<string> {
  const found = await files.open(path);
  if (found.kind === "file") {
    await using file = found.file;
    return (await file.readFile()).toString();
  }
  await using folder = found.folder;
  return (await files.list(folder, { after: null, limit: 10, isWanted: () => true })).entries.map((entry) => entry.name).join();
}

function put(service: Service, id: string, path: string, body: string | Buffer) {
  return service.call("PUT", `/${id}/files/${path}`, { body });
}

async function untilThere(service: Service, id: string, path: string): Promise<void> {
  while ((await service.call("HEAD", `/${id}/files/${path}`)).status !== 200) assert.ok((await service.get(id)).EndedAt === null);
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-files-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Creates a link, or a file if there is no target, and its parent folders; does nothing if something is in the way. */
function lay(root: string, place: string, target: string | null): void {
  const names = place.split("/");
  for (const [index] of names.slice(0, -1).entries()) {
    const folder = join(root, ...names.slice(0, index + 1));
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(folder);
    else if (!found.isDirectory()) return;
  }
  const path = join(root, place);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  if (target === null) writeFileSync(path, "inside");
  else symlinkSync(target === "" ? "." : target, path);
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
