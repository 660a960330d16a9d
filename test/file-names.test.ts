import { strict as assert } from "node:assert";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry } from "../src/client/index.ts";
import { folderInMemory } from "./helper/folders.ts";
import { assertProblem } from "./helper/problems.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** Jobs may create files with any name, time and kind. */

type Folder = { Entries: Entry[]; NextAfter: string | null };

const café = Buffer.from("caf\xe9", "latin1");

test("files whose names are not UTF-8 are listed, fetched, stored, found by page and removed", async (t) => {
  const service = await startService(t);
  const { job } = await service.run({
    CommandLine:
      `printf old > $'caf\\xe9'; printf utf8 > café; mkdir $'\\xff\\xfe'; printf in > $'\\xff\\xfe'/'100%'; printf '?' > ` +
      `'a?b#c d%41'; ln -s $'caf\\xe9' $'l\\xe9'`,
  });
  const { Entries } = await list(service, job.ID, "");
  assert.deepEqual(
    Entries.map(({ Name, EncodedName, Type, Target }) => [Name, EncodedName, Type, Target]),
    [
      ["a?b#c d%41", "a%3Fb%23c%20d%2541", "file", null],
      ["café", "caf%C3%A9", "file", null],
      ["caf\ufffd", "caf%E9", "file", null],
      ["l\ufffd", "l%E9", "link", "caf\ufffd"],
      ["\ufffd\ufffd", "%FF%FE", "folder", null],
    ],
  );
  const get = async (path: string): Promise<string> => (await service.call("GET", `/${job.ID}/files/${path}`)).text;
  assert.deepEqual(await Promise.all(["caf%E9", "caf%C3%A9", "l%e9", "%FF%FE/100%25", "a%3Fb%23c%20d%2541"].map(get)), [
    "old",
    "utf8",
    "old",
    "in",
    "?",
  ]);
  assert.equal((await service.call("PUT", `/${job.ID}/files/n%80w/caf%E9`, { body: "put" })).status, 200);
  assert.equal(await get("n%80w/caf%E9"), "put");
  assert.deepEqual(readdirSync(join(service.workspaceOf(job.ID)), { encoding: "buffer" }).filter((name) => name.equals(café)).length, 1);

  const paged: string[] = [];
  for (let after = ""; ;) {
    const page = await list(service, job.ID, `?limit=1${after}`);
    paged.push(...page.Entries.map(({ EncodedName }) => EncodedName));
    if (page.NextAfter === null) break;
    after = `&after=${encodeURIComponent(page.NextAfter)}`;
  }
  assert.deepEqual(paged, ["a%3Fb%23c%20d%2541", "caf%C3%A9", "caf%E9", "l%E9", "n%80w", "%FF%FE"]);
  for (const path of ["caf%E9", "%FF%FE?recursive=true", "n%80w?recursive=true", "l%E9"])
    assert.equal((await service.call("DELETE", `/${job.ID}/files/${path}`)).status, 200, path);
  assert.deepEqual(readdirSync(service.workspaceOf(job.ID)), ["a?b#c d%41", "café"]);
  assert.match((await service.call("GET", `/${job.ID}/files/%zz`)).text, /must be followed by two hexadecimal digits/);
});

test("a FIFO, a socket or a device is shown, and never opened", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    CommandLine:
      `mkfifo fifo; mknod device c 1 5 2> /dev/null; ${process.execPath} -e ` +
      `'require("node:net").createServer().listen("socket", () => process.exit())'; mv socket kept; touch ready; echo x > fifo; touch ` +
      `opened`,
  });
  await waitFor("the job waits for who reads the FIFO", () => existsSync(join(service.workspaceOf(id), "ready")));
  const { Entries } = await list(service, id, "");
  const others = Entries.filter(({ Type }) => Type === "other").map(({ Name }) => Name);
  assert.ok(others.includes("fifo"));
  for (const name of others) {
    assertProblem(await service.call("GET", `/${id}/files/${name}`), 409);
    assertProblem(await service.call("GET", `/${id}/files/${name}/in`), 409);
    assertProblem(await service.call("PUT", `/${id}/files/${name}/in`, { body: "x" }), 409);
  }
  assert.ok(!existsSync(join(service.workspaceOf(id), "opened")));
  for (const name of others) assert.equal((await service.call("DELETE", `/${id}/files/${name}`)).status, 200);
});

test("a time outside of the years 1 to 9999 is null, and the other entries of its folder are listed", async (t) => {
  const service = await startService(t, { stateDir: folderInMemory(t) });
  const seconds = {
    ancient: -1e11,
    before: -62_135_596_801,
    first: -62_135_596_800,
    usual: 1.7e9,
    last: 253_402_300_799,
    after: 253_402_300_800,
    far: 1e15,
  };
  const { job } = await service.run({ Commands: [{ Args: ["touch", ...Object.keys(seconds)] }] });
  for (const [name, time] of Object.entries(seconds)) utimesSync(join(service.workspaceOf(job.ID), name), time, time);
  const { Entries } = await list(service, job.ID, "");
  const yearOf = (name: string): number => new Date(statSync(join(service.workspaceOf(job.ID), name)).mtimeMs).getUTCFullYear();
  for (const { Name, ModifiedAt } of Entries) {
    const year = yearOf(Name); // as the file system has stored it
    assert.equal(ModifiedAt?.slice(0, 4) ?? null, year >= 1 && year <= 9999 ? String(year).padStart(4, "0") : null, Name);
    assert.equal((await service.call("GET", `/${job.ID}/files/${Name}`)).status, 200);
  }
  assert.equal(Entries.length, 7);
});

async function list(service: Service, id: string, path: string): Promise<Folder> {
  const answer = await service.call("GET", `/${id}/files/${path}`);
  assert.equal(answer.status, 200, answer.text);
  const folder: Folder = JSON.parse(answer.text);
  return folder;
}
