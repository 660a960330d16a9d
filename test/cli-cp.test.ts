import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { cli, startProgram } from "./helper/cli.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { createToken } from "./helper/tokens.ts";
import { become, cannotBe, findUser } from "./helper/users.ts";

/** The results of cp, and its messages about files that it omits. */

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

test("cp keeps permissions, empty folders and every byte of a name, in both directions", async (t) => {
  const { service, id } = await withJob(t);
  const folder = folderOf(t);
  const data = join(folder, "data");
  mkdirSync(join(data, "empty/inner"), { recursive: true });
  for (const [name, mode] of [
    ["private", 0o600],
    ["run", 0o755],
    ["shared", 0o666],
    ["fixed", 0o444],
  ] as const) {
    writeFileSync(join(data, name), name);
    chmodSync(join(data, name), mode);
  }
  const odd = Buffer.concat([latin1(`${data}/d\xff`)]);
  mkdirSync(odd);
  writeFileSync(Buffer.concat([odd, latin1("/caf\xe9 100%41?#")]), "odd");
  for (const [name, mode] of [
    ["empty/inner", 0o700],
    ["empty", 0o555],
  ] as const)
    chmodSync(join(data, name), mode);
  assert.deepEqual(await cli(t, service.url, ["cp", data, `${id}:in/`]), { code: 0, signal: null, stdout: "", stderr: "" });
  assert.deepEqual(tree(join(service.workspaceOf(id), "in/data")), tree(data));

  const out = join(folder, "out");
  assert.deepEqual(await cli(t, service.url, ["cp", `${id}:in/data`, out]), { code: 0, signal: null, stdout: "", stderr: "" });
  assert.deepEqual(tree(out), tree(data));
  assert.equal((await cli(t, service.url, ["cp", `${id}:in/data/run`, join(folder, "alone")])).code, 0);
  assert.equal(statSync(join(folder, "alone")).mode & 0o777, 0o755);
});

test("cp keeps the permissions of existing files, and writes to a device", async (t) => {
  const { service, id } = await withJob(t, "mkdir sub; echo new > sub/file; chmod 711 sub; chmod 600 sub/file");
  const out = folderOf(t);
  chmodSync(out, 0o750);
  const device = statSync("/dev/null").mode;
  assert.equal((await cli(t, service.url, ["cp", `${id}:`, out])).code, 0);
  assert.deepEqual(
    [out, join(out, "sub"), join(out, "sub/file")].map((path) => (statSync(path).mode & 0o777).toString(8)),
    ["750", "711", "600"],
  );
  assert.equal((await cli(t, service.url, ["cp", `${id}:sub/file`, "/dev/null"])).code, 0);
  assert.equal(statSync("/dev/null").mode, device);
});

test("cp names what it omits, and exits with 1 after it has copied the rest", async (t) => {
  const { service, id } = await withJob(t, `mkdir -p a/b; ln -s b a/link; mkfifo a/fifo; echo x > a/b/file; ln -s none $'a/l\\x1b'`);
  const folder = folderOf(t);
  const out = await cli(t, service.url, ["cp", `${id}:a`, join(folder, "out")]);
  assert.equal(out.code, 1);
  assert.deepEqual(
    out.stderr.split("\n").toSorted(),
    [
      "",
      "jobrunner: a/fifo is neither a file nor a folder, and omitted",
      "jobrunner: a/link is a link, and omitted",
      "jobrunner: a/l\\u001b is a link, and omitted",
    ].toSorted(),
  );
  assert.equal(readFileSync(join(folder, "out/b/file"), "utf8"), "x\n");

  mkdirSync(join(folder, "in"));
  symlinkSync("none", join(folder, "in/link"));
  assert.equal(spawnSync("mkfifo", [join(folder, "in/fifo")]).status, 0);
  writeFileSync(join(folder, "in/z"), "x");
  const into = await cli(t, service.url, ["cp", join(folder, "in"), `${id}:`]);
  assert.equal(into.code, 1);
  assert.match(into.stderr, /in\/fifo is neither a file nor a folder, and omitted\n.*in\/link is a link, and omitted\n$/);
  assert.deepEqual(readdirSync(join(service.workspaceOf(id), "in")), ["z"]);
});

const nobody = findUser("nobody");

test(
  "a file that cannot be read, or cannot be written, does not prevent the others from being copied",
  { skip: cannotBe(nobody, "nobody") },
  async (t) => {
    assert.ok(nobody !== null);
    const { service, id } = await withJob(t, "mkdir -p there/taken");
    const folder = folderOf(t);
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "there/closed"), { recursive: true });
    for (const name of ["hidden", "last", "taken"]) writeFileSync(join(folder, "there", name), name);
    for (const name of ["hidden", "closed"]) chmodSync(join(folder, "there", name), 0);
    const environment = { JOBRUNNER_URL: service.url, JOBRUNNER_TOKEN: await createToken(service, "nobody", "admin"), HOME: "/" };
    const { code, stderr } = await startProgram(
      t,
      ["setpriv", ...become(nobody), join(repository, "bin", "jobrunner"), "cp", join(folder, "there"), `${id}:`],
      { environment },
    ).ended();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /there\/closed is omitted: EACCES.*\n.*there\/hidden is omitted: EACCES.*\n.*there\/taken is omitted: what is at this path is a folder: name a file\n$/,
    );
    assert.equal(readFileSync(join(service.workspaceOf(id), "there/last"), "utf8"), "last");
  },
);

async function withJob(t: TestContext, CommandLine = "true"): Promise<{ service: Service; id: string }> {
  const service = await startService(t);
  const { job } = await service.run({ CommandLine });
  assert.equal(job.State, "Succeeded");
  return { service, id: job.ID };
}

/** Each path with its permissions, and the contents of files. */
function tree(root: string, below = ""): string[] {
  return readdirSync(latin1(`${root}/${below}`), { encoding: "latin1" })
    .toSorted()
    .flatMap((name) => {
      const path = `${below}${name}`;
      const bytes = latin1(`${root}/${path}`);
      const stats = statSync(bytes);
      const mode = (stats.mode & 0o777).toString(8);
      return stats.isFile() ? [`${path} ${mode} ${readFileSync(bytes, "utf8")}`] : [`${path}/ ${mode}`, ...tree(root, `${path}/`)];
    });
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cp-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
