import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { WholeJob } from "../src/client/index.ts";
import { cgroupModes } from "./helper/cgroups.ts";
import { isAlive, jobProcessesOf, openFilesOf } from "./helper/processes.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const mebibyte = 1 << 20;

/** The numbered lines of a job that must not be disturbed: for about five seconds, then an exit code of its own. */
const steady = { CommandLine: "for ((i = 0; i < 500; i++)); do echo line $i; sleep 0.01; done; exit 7" };
const steadyOutput = Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join("");

for (const { cgroups, skip } of cgroupModes) {
  test(`a fork bomb harms no other job, and a kill leaves nothing of it (cgroups: ${cgroups})`, { timeout: 120_000, skip }, async (t) => {
    const service = await startService(t, { environment: { JOBRUNNER_CGROUPS: cgroups } });
    // The kernel limits it, so that the machine survives. The limit binds root only as another user.
    const [prefix, bound] =
      process.getuid?.() === 0
        ? ["setpriv --reuid 54321 --regid 54321 --clear-groups", "300"]
        : ["", "$(($(ps -L -u $UID | wc -l) + 300))"];
    const bomb = await service.submit({
      CommandLine: `${prefix} bash -c 'ulimit -u ${bound}; f() { f | f & }; f' & exec sleep 1000`,
      StopTimeoutSeconds: 0.1,
    });
    await waitFor("the bomb has gone off", () => jobProcessesOf(service.stateDir).length > 100, 60);
    const bystander = service.run(steady);
    const worstMs = await healthUntil(service, bystander);
    t.diagnostic(`slowest of the health checks: ${worstMs.toFixed(0)} ms`);
    await assertSteady(bystander);
    assert.ok(jobProcessesOf(service.stateDir).length > 100, "the bomb still goes on");
    await service.kill(bomb);
    assert.deepEqual(jobProcessesOf(service.stateDir), [], "none is left when the kill is answered");
    assert.equal((await service.get(bomb)).State, "Killed");
  });
}

test("a job that floods its output and readers that do not read delay no other client", { timeout: 120_000 }, async (t) => {
  const service = await startService(t);
  const flood = await waitingJob(service, "for ((i = 0; i < 800; i++)); do yes | head -c 1M; sleep 0.02; done");
  await stalledReaders(t, service, flood, 20);
  const before = residentBytes(service);
  const taken = takeYes(service, flood);
  const bystander = service.run(steady);
  go(service, flood);
  const worstMs = await healthUntil(service, bystander);
  await assertSteady(bystander);
  await waitFor("the flood is high", async () => ((await service.get(flood)).OutputBytes ?? 0) > 200 * mebibyte, 60);
  assert.equal((await service.get(flood)).State, "Running", "the flood still goes on");
  const grown = residentBytes(service) - before;
  t.diagnostic(`slowest of the health checks: ${worstMs.toFixed(0)} ms; the service grew by ${inMebibytes(grown)}`);
  assert.ok(grown < 150 * mebibyte, `the service grew by ${inMebibytes(grown)}`);
  await service.kill(flood);
  assert.deepEqual(jobProcessesOf(service.stateDir), [], "none is left when the kill is answered");
  const job = await service.get(flood);
  assert.equal(job.State, "Killed");
  assert.equal(await taken, job.OutputBytes);
});

test("two hundred readers that never read a byte delay neither the job nor other readers", { timeout: 120_000 }, async (t) => {
  const service = await startService(t);
  const flood = "yes | head -c 300M";
  const alone = await waitingJob(service, flood);
  go(service, alone);
  const aloneSeconds = lastStepSeconds(await service.wait(alone));

  const watched = await waitingJob(service, flood);
  await stalledReaders(t, service, watched, 200);
  const before = residentBytes(service);
  const taken = takeYes(service, watched);
  const over = service.wait(watched);
  go(service, watched);
  const worstMs = await healthUntil(service, over);
  const watchedSeconds = lastStepSeconds(await over);
  assert.equal(await taken, 300 * mebibyte);
  const grown = residentBytes(service) - before;
  t.diagnostic(`slowest of the health checks: ${worstMs.toFixed(0)} ms; the service grew by ${inMebibytes(grown)}`);
  t.diagnostic(`the job took ${aloneSeconds} s alone and ${watchedSeconds} s with stalled readers`);
  assert.ok(watchedSeconds < aloneSeconds * 3 + 2, `${aloneSeconds} s alone, ${watchedSeconds} s with stalled readers`);
  assert.ok(grown < 150 * mebibyte, `the service grew by ${inMebibytes(grown)}`);
});

test("more connections than file descriptors affect no job, and are refused with an answer", { timeout: 120_000 }, async (t) => {
  const service = await startService(t, { program: programWithFewDescriptors(t, 400) });
  const before = openFilesOf(service.pid).length;
  const ending = await service.submit(steady); // submitted while no descriptor is free
  const watched = await waitingJob(service, steady.CommandLine);
  const supervisors = [ending, watched].map((id) => service.supervisorOf(id));

  const visits = Array.from({ length: 600 }, (_, index) => new Visit(service, index % 4 === 0 ? `/${watched}/attach` : null));
  t.after(() => visits.forEach((visit) => visit.leave()));
  await waitFor("every connection is made or refused", () => visits.every((visit) => visit.isMade || visit.isClosed));
  const submissions = Array.from({ length: 20 }, (_, index) => new Visit(service, "/", JSON.stringify({ CommandLine: `echo ${index}` })));
  t.after(() => submissions.forEach((visit) => visit.leave()));
  go(service, watched);
  await waitFor("the jobs are finished", () => supervisors.every((pid) => !isAlive(pid)), 40);
  await waitFor("every request is answered or refused", () => [...visits, ...submissions].every((visit) => visit.isSettled), 30);
  assert.ok(isAlive(service.pid), service.log);

  const accepted = submissions.flatMap((visit, index) => (visit.status === 200 ? [{ id: visit.jobId, output: `${index}\n` }] : []));
  const attached = visits.filter(({ status }) => status === 200);
  const refused = [...visits, ...submissions].filter(({ status }) => status !== null && status !== 200);
  t.diagnostic(
    `${attached.length} readers and ${accepted.length} jobs accepted, ${refused.length} refused by an answer, ` +
      `${visits.filter(({ isClosed }) => isClosed).length} of 600 closed`,
  );
  for (const { text } of refused) assert.match(text, /^HTTP\/1\.1 503 [^]*^Retry-After: \d+\r$/im);
  assert.ok(attached.length > 0);
  await waitFor("who was accepted gets all of it", () => attached.every(({ body }) => body === steadyOutput)).catch((error: unknown) => {
    assert.fail(`${String(error)}: ${service.log.slice(0, 2000)}`);
  });

  for (const visit of [...visits, ...submissions]) visit.leave();
  await waitFor("the descriptors are free again", () => openFilesOf(service.pid).length <= before + 10);
  await assertSteady(outcomeOf(service, ending));
  await assertSteady(outcomeOf(service, watched));
  for (const { id, output } of accepted) assert.equal((await outcomeOf(service, id)).output.toString(), output);
  assert.equal((await service.run({ CommandLine: "echo after" })).output.toString(), "after\n");
  assert.doesNotMatch(service.log, /"level":"error"/);
});

/** Prints ready, and continues when it is told to, in the next step. */
async function waitingJob(service: Service, commandLine: string): Promise<string> {
  const wait = { CommandLine: "until [ -e go ]; do sleep 0.01; done" };
  const id = await service.submit({ Commands: [wait, { CommandLine: commandLine }], StopTimeoutSeconds: 1 });
  await waitFor("the job runs", async () => (await service.get(id)).State === "Running");
  return id;
}

function go(service: Service, id: string): void {
  writeFileSync(join(service.workspaceOf(id), "go"), "");
}

function lastStepSeconds({ Steps }: WholeJob): number {
  const { StartedAt, EndedAt } = Steps.at(-1) ?? {};
  return (Date.parse(EndedAt ?? "") - Date.parse(StartedAt ?? "")) / 1000;
}

type Outcome = Awaited<ReturnType<Service["run"]>>;

async function outcomeOf(service: Service, id: string): Promise<Outcome> {
  return { job: await service.wait(id), output: await service.output(id) };
}

async function assertSteady(outcome: Promise<Outcome>): Promise<void> {
  const { job, output } = await outcome;
  assert.deepEqual([job.State, job.ExitCode, job.OutputLostBytes], ["Failed", 7, 0]);
  assert.equal(output.toString(), steadyOutput);
}

/** Polls the service's health on fresh connections until the promise resolves. Returns the longest time of an answer. */
async function healthUntil(service: Service, end: Promise<unknown>): Promise<number> {
  let isFinished = false;
  const settled = end.finally(() => (isFinished = true));
  let worstMs = 0;
  while (!isFinished) {
    const startMs = performance.now();
    const answer = await service.call("GET", "/healthz");
    worstMs = Math.max(worstMs, performance.now() - startMs);
    assert.equal(answer.status, 200, answer.text);
  }
  await settled;
  return worstMs;
}

function residentBytes({ pid }: Service): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
}

function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}

const manyYes = Buffer.from("y\n".repeat(mebibyte));

/** Attaches to a job that prints the output of yes(1), and discards it. Returns the number of bytes, after checking all of them. */
function takeYes(service: Service, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = get(`${service.url}/${id}/attach`, { agent: false }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        const isRight = chunk.equals(manyYes.subarray(bytes % 2, (bytes % 2) + chunk.length));
        bytes += chunk.length;
        if (!isRight) response.destroy(new Error(`other bytes before ${bytes}`));
      });
      response.on("error", reject);
      response.on("end", () => resolve(bytes));
    });
    sent.on("error", reject);
  });
}

/** Connected readers that read nothing, so that all output stays in the kernel. */
async function stalledReaders(t: TestContext, service: Service, id: string, count: number): Promise<void> {
  const before = openFilesOf(service.pid).length;
  const sockets = Array.from({ length: count }, () => {
    const socket = new Socket().on("error", () => undefined); // the service may disconnect it
    socket.pause(); // paused before it connects, so it never reads
    return socket.connect(service.port, "127.0.0.1", () => socket.write(`GET /${id}/attach HTTP/1.1\r\nHost: localhost\r\n\r\n`));
  });
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await waitFor("all readers are there", () => openFilesOf(service.pid).length >= before + count);
}

/** A service with a low hard limit of descriptors. */
function programWithFewDescriptors(t: TestContext, count: number): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-abuse-"));
  t.after(() => t.after(() => rmSync(folder, { recursive: true, force: true }))); // after the service's own hook, which may need the folder
  const program = join(folder, "jobrunner");
  writeFileSync(program, `#!/bin/sh\nulimit -n ${count}\nexec '${join(repository, "bin", "jobrunner")}' "$@"\n`, { mode: 0o755 });
  return program;
}

/** A connection that sends a request or nothing at all, and everything that it receives. */
class Visit {
  text = "";
  isMade = false;
  isClosed = false;
  readonly #isIdle: boolean;
  readonly #socket = new Socket();

  constructor({ port }: Service, path: string | null, body = "") {
    this.#isIdle = path === null;
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (chunk: string) => (this.text += chunk));
    this.#socket.on("error", () => (this.isClosed = true));
    this.#socket.on("close", () => (this.isClosed = true));
    this.#socket.connect(port, "127.0.0.1", () => {
      this.isMade = true;
      if (path === null) return;
      const method = body === "" ? "GET" : "POST";
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  }

  get status(): number | null {
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(this.text)?.[1];
    return status === undefined ? null : Number(status);
  }

  get isSettled(): boolean {
    return this.#isIdle || this.isClosed || this.text.includes("\r\n\r\n");
  }

  /** The parts of a chunked answer. */
  get body(): string {
    return [...this.text.matchAll(/^[1-9a-f][0-9a-f]*\r\n([^\r]*)\r\n/gm)].map(([, chunk]) => chunk).join("");
  }

  get jobId(): string {
    return /"ID":"([^"]+)"/.exec(this.text)?.[1] ?? "";
  }

  leave(): void {
    this.#socket.destroy();
  }
}
