import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Rings } from "../src/runner/local/doorbell.ts";
import { type Service, startService } from "./helper/service.ts";
import { injectFailure, withoutStrace } from "./helper/strace.ts";
import { waitFor } from "./helper/wait.ts";

/** The doorbell, drawn in supervisor/formats.h: rings are used if they fit, and in every other case the status file is the truth. */

const idA = "01a22e9b-8de4-7000-8281-d20471db2772";
const idB = "01a22e9b-8de4-7001-8281-d20471db2772";

test("rings of the old form and of the new are distinguished, wherever a read ends", () => {
  const text = `${idA}\nat ${idB} 0\nfirst\nstart 1 2 3\n${idB}\nat ${idA} 120\nend 1\ndone 2\n${idA}\n${idB}\n`;
  for (let size = 1; size <= text.length; size += 1) {
    const rings = new Rings();
    const heard: [string, unknown][] = [];
    for (let at = 0; at < text.length; at += size) heard.push(...rings.read(text.slice(at, at + size)));
    const told = { offset: 0, text: "first\nstart 1 2 3\n" };
    if (size === 1)
      assert.deepEqual(heard, [
        [idA, null],
        [idB, told],
        [idA, { offset: 120, text: "end 1\ndone 2\n" }],
        [idB, null],
      ]);
    // Read together: rings of one job that lack earlier lines, so its file must be read.
    if (size === text.length)
      assert.deepEqual(heard, [
        [idA, null],
        [idB, null],
      ]);
  }
});

test("rings of one job are joined if one continues where the other ended", () => {
  const rings = new Rings();
  assert.deepEqual([...rings.read(`at ${idA} 0\none\n${idA}\nat ${idA} 4\ntwo\n${idA}\n`)], [[idA, { offset: 0, text: "one\ntwo\n" }]]);
  assert.deepEqual([...rings.read(`at ${idA} 0\none\n${idA}\nat ${idA} 5\ntwo\n${idA}\n`)], [[idA, null]]);
  assert.deepEqual(
    [...rings.read(`at ${idA} 0\none\nat ${idB} 4\ntwo\n${idB}\n`)],
    [[idB, { offset: 4, text: "two\n" }]],
    "a torn one takes no other with it",
  );
});

const twoSteps = { Commands: [{ CommandLine: "until [ -e go ]; do sleep 0.01; done" }, { CommandLine: "exit 3" }] };

test("lines that arrive by a ring need no status file", async (t) => {
  const service = await startService(t);
  const bell = new Bell(t, service);
  const id = await service.submit(twoSteps);
  bell.pass(...(await bell.heard(id, "start 1 ")));
  await waitFor("it runs", async () => (await service.get(id)).State === "Running");
  const status = join(service.stateDir, "jobs", id, "status");
  execFileSync("touch", [join(service.workspaceOf(id), "go")]);
  const last = await bell.heard(id, "done ");
  renameSync(status, `${status}.away`);
  bell.pass(...last);
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.ExitCode, job.Steps.map(({ ExitCode }) => ExitCode)], ["Failed", 3, [0, 3]]);
});

const moods: [string, (ring: string) => string][] = [
  ["of the old form", (ring) => `${ring.split("\n").at(-2)}\n`],
  ["with a place far behind", (ring) => ring.replace(/^at (\S+) \d+/, "at $1 100000")],
  ["with a place before", (ring) => ring.replace(/^at (\S+) \d+/, "at $1 0")],
  ["of another job's lines", (ring) => ring.replace(/^at (\S+) \d+/, `at ${idA} 7`)],
  ["torn", (ring) => ring.slice(0, ring.length / 2)],
  ["lost", () => ""],
];

for (const [name, change] of moods) {
  test(`rings that are ${name} change nothing of what becomes of a job`, async (t) => {
    const service = await startService(t);
    const bell = new Bell(t, service);
    const id = await service.submit(twoSteps);
    bell.pass(...(await bell.heard(id, "start 1 ")).map(change));
    await waitFor("it runs", async () => (await service.get(id)).State === "Running");
    execFileSync("touch", [join(service.workspaceOf(id), "go")]);
    bell.pass(...(await bell.heard(id, "done ")).map(change));
    const job = await service.wait(id);
    assert.deepEqual([job.State, job.ExitCode, job.Steps.map(({ ExitCode }) => ExitCode)], ["Failed", 3, [0, 3]]);
  });
}

test("a kill does not wait for the ring of the start", async (t) => {
  const service = await startService(t);
  const bell = new Bell(t, service);
  const id = await service.submit({ CommandLine: "sleep 1000" });
  await bell.heard(id, "start 1 ");
  const killed = service.kill(id);
  bell.pass(...(await bell.heard(id, "done ")));
  await killed;
  assert.equal((await service.get(id)).State, "Killed");
});

test("a doorbell that cannot be read is logged, and the patrol finds the jobs' progress", { skip: withoutStrace }, async (t) => {
  const service = await startService(t);
  const running = await service.submit({ CommandLine: "echo ready; until [ -e go ]; do sleep 0.01; done; exit 3" });
  await (await service.attach(running)).until("ready");
  const end = await injectFailure(t, { pid: service.pid, call: "read", file: join(service.stateDir, "doorbell"), how: "error=EIO" });
  writeFileSync(join(service.workspaceOf(running), "go"), ""); // the job rings at the latest when it ends
  await waitFor("the error is logged", () =>
    /"level":"error"[^\n]*EIO[^\n]*"the doorbell cannot be read; jobs are checked by the patrol alone"/.test(service.log),
  );
  await end();
  assert.deepEqual([(await service.wait(running)).ExitCode, (await service.call("GET", "/healthz")).status], [3, 200]);
  const later = await service.submit(twoSteps);
  await waitFor("it runs", async () => (await service.get(later)).State === "Running");
  writeFileSync(join(service.workspaceOf(later), "go"), "");
  assert.equal((await service.wait(later)).ExitCode, 3);
  const deaf = await service.submit({ CommandLine: "sleep 1000" });
  assert.equal((await service.call("DELETE", `/${deaf}`)).status, 200);
  assert.equal((await service.get(deaf)).State, "Killed");
});

/** Takes the place of the service's doorbell: rings arrive here, and the test decides which of them the service gets. */
class Bell {
  readonly #own: number;
  readonly #service: number;
  #text = "";

  constructor(t: TestContext, { stateDir }: Service) {
    const path = join(stateDir, "doorbell");
    renameSync(path, `${path}.service`);
    execFileSync("mkfifo", [path]);
    this.#own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#service = openSync(`${path}.service`, constants.O_WRONLY | constants.O_NONBLOCK);
    t.after(() => [this.#own, this.#service].forEach(closeSync));
  }

  /** The new rings of the job, up to one with a line that begins with this. */
  async heard(id: string, line: string): Promise<string[]> {
    let rings: string[] = [];
    await waitFor(`a ring of ${id} with ${line}`, () => {
      this.#text += this.#read();
      rings = this.#text.match(new RegExp(`at ${id} \\d+\\n[^]*?\\n${id}\\n`, "g")) ?? [];
      return rings.some((ring) => ring.includes(`\n${line}`));
    });
    this.#text = "";
    return rings;
  }

  pass(...rings: string[]): void {
    for (const ring of rings) if (ring !== "") writeSync(this.#service, ring);
  }

  #read(): string {
    const bytes = Buffer.alloc(65536);
    try {
      return bytes.toString("latin1", 0, readSync(this.#own, bytes));
    } catch {
      return ""; // EAGAIN: no ring has arrived
    }
  }
}
