import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { test } from "node:test";
import { folderInMemory } from "./helper/folders.ts";
import type { Reader } from "./helper/http.ts";
import { Neighbour } from "./helper/neighbour.ts";
import { openFilesOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken, type Headers } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

/** How much one identity can occupy with the files of its jobs. */

test(
  "uploads and downloads of deeply nested files hold no folder open, and do not affect other clients",
  { timeout: 120_000 },
  async (t) => {
    const service = await startService(t);
    const greedy = bearer(await createToken(service, "greedy", "submit"));
    const folders = `for (let i = 0; i < 300; i += 1) { fs.mkdirSync("d"); process.chdir("d"); }`;
    const make = `${folders} fs.writeFileSync("large", Buffer.alloc(50e6))`;
    const id = await service.submit({ Commands: [{ Args: [process.execPath, "-e", make] }] }, greedy);
    await service.wait(id);
    const folder = `/${id}/files/${"d/".repeat(300)}`;
    const neighbour = await Neighbour.moveIn(t, service);
    const before = openFilesOf(service.pid).length;
    const downloads: Reader[] = [];
    for (let count = 0; count < 2; count += 1) downloads.push(await stalled(service, `${folder}large`, greedy));
    const uploads = Array.from({ length: 30 }, (_, count) => trickling(service, `${folder}${count}`, greedy));
    const drafts = (): string[] => openFilesOf(service.pid).filter((path) => path.includes("/draft-"));
    await waitFor("all uploads have begun", () => drafts().length === 30, 60);
    const open = openFilesOf(service.pid);
    assert.deepEqual(
      open.filter((path) => path.includes("/work/") && !path.endsWith("/large")),
      [],
    );
    assert.ok(open.length <= before + 2 * 2 + 30 * 2 + 20, `${before} before, ${open.length} then`);
    await neighbour.wasNotDisturbed();
    for (const upload of uploads) upload.destroy();
    for (const download of downloads) download.close();
    await waitFor(
      "nothing of them is held any more",
      () => drafts().length === 0 && !openFilesOf(service.pid).some((path) => path.endsWith("/large")),
    );
  },
);

test(
  "thirty pages of a folder of 600,000 names do not delay others, and use no memory for unwanted names",
  { timeout: 600_000 },
  async (t) => {
    const service = await startService(t, { stateDir: folderInMemory(t) });
    const greedy = bearer(await createToken(service, "greedy", "submit"));
    const make =
      `fs.writeFileSync("file", ""); fs.mkdirSync("huge"); for (let i = 0; i < 600000; i += 1) fs.linkSync("file", ` +
      `"huge/name-" + String(i).padStart(6, "0"))`;
    const id = await service.submit({ Commands: [{ Args: [process.execPath, "-e", make] }] }, greedy);
    assert.equal((await service.wait(id)).State, "Succeeded");
    const before = residentBytes(service);
    const neighbour = await Neighbour.moveIn(t, service);
    const pages = await Promise.all(
      Array.from({ length: 30 }, (_, count) =>
        service.call("GET", `/${id}/files/huge?limit=1&after=name-${String(count * 20_000).padStart(6, "0")}`, { headers: greedy }),
      ),
    );
    const grown = residentBytes(service) - before;
    await neighbour.wasNotDisturbed();
    for (const [count, { status, text }] of pages.entries()) {
      assert.equal(status, 200, text);
      assert.match(text, new RegExp(`"EncodedName":"name-${String(count * 20_000 + 1).padStart(6, "0")}".*"NextAfter":"name-`));
    }
    t.diagnostic(`the service grew by ${(grown / 2 ** 20).toFixed(0)} MiB`);
    assert.ok(grown < 100 * 2 ** 20, `the service grew by ${grown} bytes`);
    assert.equal((await service.call("DELETE", `/jobs/${id}`, { headers: greedy })).text, "{}");
  },
);

test("the number of files that one token may upload at once is limited, and the refusal says so", { timeout: 120_000 }, async (t) => {
  const service = await startService(t);
  const greedy = bearer(await createToken(service, "greedy", "submit"));
  const id = await service.submit({ CommandLine: "true" }, greedy);
  await service.wait(id);
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync(`/proc/${service.pid}/limits`, "latin1"))?.[1]);
  if (limit > 50_000) return t.skip("there are too many descriptors to use them up in a test");
  const refused: string[] = [];
  const uploads: ClientRequest[] = [];
  const neighbour = await Neighbour.moveIn(t, service);
  for (let count = 0; refused.length === 0; count += 1) {
    const upload = trickling(service, `/${id}/files/${count}`, greedy);
    upload.once("response", (response) => refused.push(`${response.statusCode}`));
    uploads.push(upload);
    assert.ok(count < limit / 16, "all were let in");
    if (count % 50 === 49)
      await waitFor(
        "they have begun",
        () => refused.length > 0 || openFilesOf(service.pid).filter((path) => path.includes("/draft-")).length > count,
        60,
      );
  }
  assert.equal(refused[0], "429");
  await neighbour.wasNotDisturbed();
  for (const upload of uploads) upload.destroy();
});

async function stalled(service: Service, path: string, headers: Headers): Promise<Reader> {
  const reader = await service.open("GET", path, headers);
  assert.equal(reader.status, 200);
  reader.stall();
  return reader;
}

/** An upload that sends one byte and then stalls. */
function trickling(service: Service, path: string, headers: Headers): ClientRequest {
  const upload = request(`${service.url}${path}`, { method: "PUT", headers: { ...headers, "Content-Length": "100" }, agent: false });
  upload.on("error", () => undefined);
  upload.write("x");
  return upload;
}

function residentBytes({ pid }: Service): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
