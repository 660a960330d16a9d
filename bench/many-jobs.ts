// The memory of the service at rest and with 5,000 running jobs, and how fast it answers meanwhile.
import { readFileSync } from "node:fs";
import { atMost } from "./lib/benchmark.ts";
import type { Benchmark, Context, Verdict } from "./lib/benchmark.ts";
import { type Build, thisBuild } from "./lib/builds.ts";
import { inParallel } from "./lib/http.ts";
import { type Memory, memoryOf, residentBytes, supervisorsOf } from "./lib/memory.ts";
import { processesInside } from "./lib/scope.ts";
import { type Service, startService } from "./lib/service.ts";
import { median, ms, percentile } from "./lib/statistics.ts";
import { sleep } from "./lib/tools.ts";

const jobs = 5000;
const fewJobs = 16;
const idleSeconds = 5;

export const benchmark: Benchmark = {
  name: "many-jobs",
  title: `memory, and ${jobs} jobs at once`,
  method:
    `Memory of the service is VmRSS: ${idleSeconds} s after its first 200 without any other request, and with ${jobs} running jobs of ` +
    "`exec sleep 600`, 2 s after the last one started. The build before is measured first, in the same way. Memory of each supervisor at " +
    "work: Private_Clean + Private_Dirty of its smaps_rollup, and Pss. Memory of idle supervisors likewise, right after " +
    `${fewJobs} jobs have ended at once. While the ${jobs} jobs run: 200 times GET / and 100 times POST / of another job, one after the ` +
    "other. Then DELETE of all jobs by 32 clients, until no process of any job is left.",
  limitSeconds: 300,
  run,
};

async function run(context: Context): Promise<void> {
  const { before, report } = context;
  const former = typeof before === "string" ? null : await measureMemory(context, before);
  await former?.service.stop();
  const { service, ...memory } = await measureMemory(context, thisBuild);

  const row = (
    name: string,
    figures: [ours: string, peer: string, measured: string],
    demanded = "",
    verdict: Verdict = "for information",
  ): void => {
    const [ours, peer, measured] = figures;
    report({ name, ours, peer, measured, demanded, verdict });
  };
  const ofFormer = (show: (memory: Measured) => string): string => (former === null ? "" : `${show(former)} (build before)`);
  const started = ({ startedSeconds }: Measured): string => `${startedSeconds.toFixed(1)} s`;
  row(`start of ${jobs} jobs by 16 clients`, [started(memory), ofFormer(started), `${(jobs / memory.startedSeconds).toFixed(0)}/s`]);
  for (const [name, of, bound] of [
    ["at rest", (one: Measured) => one.idleMegabytes, 80],
    [`with ${jobs} jobs`, (one: Measured) => one.busyMegabytes, 130],
  ] as const) {
    const value = of(memory);
    row(
      `memory of the service ${name} (RSS)`,
      [megabytes(value), ofFormer((one) => megabytes(of(one))), megabytes(value)],
      `<= ${bound} MB`,
      atMost(value, bound),
    );
  }
  for (const [name, of] of [
    ["at work", (one: Measured) => one.working],
    ["that is idle", (one: Measured) => one.idle],
  ] as const) {
    const own = of(memory);
    const worst = Math.max(...own.map(({ privateKilobytes }) => privateKilobytes));
    const format = (one: Measured): string => medians(of(one));
    if (own.length > 0)
      row(
        `memory of a supervisor ${name}`,
        [format(memory), ofFormer(format), `${worst} kB at most, private`],
        "<= 60 kB",
        atMost(worst, 60),
      );
    else row(`memory of a supervisor ${name}`, ["none stays", ofFormer(format), ""]);
  }
  await measureAnswers(context, service);
}

type Measured = { startedSeconds: number; idleMegabytes: number; busyMegabytes: number; working: Memory[]; idle: Memory[] };

const megabytes = (value: number): string => `${value.toFixed(1)} MB`;

const medians = (all: Memory[]): string =>
  all.length === 0
    ? "none stays"
    : `${median(all.map((one) => one.privateKilobytes))} kB private, ${median(all.map((one) => one.proportionalKilobytes))} kB Pss`;

async function measureMemory({ scope, progress }: Context, build: Build): Promise<Measured & { service: Service }> {
  const service = await startService(scope, { build, environment: { JOBRUNNER_MAX_RUNNING: String(jobs + 500) } });
  await sleep(idleSeconds * 1000);
  const idleMegabytes = residentBytes(service.pid) / 1e6;
  const idle = await idleSupervisors(service);
  const began = performance.now();
  await submit(service, jobs, "exec sleep 600");
  while (sleepers(service) < jobs) {
    if (performance.now() - began > 120_000) throw new Error(`only ${sleepers(service)} of ${jobs} jobs run after 120 s`);
    await sleep(250);
  }
  const startedSeconds = (performance.now() - began) / 1000;
  progress(`${build.name}: ${jobs} jobs run after ${startedSeconds.toFixed(1)} s`);
  await sleep(2000);
  const busyMegabytes = residentBytes(service.pid) / 1e6;
  const { working } = supervisorsOf(service);
  if (working.length < jobs) throw new Error(`found ${working.length} supervisors for ${jobs} jobs`);
  return { service, startedSeconds, idleMegabytes, busyMegabytes, working: memoriesOf(working), idle };
}

/** The memory of supervisors that wait for another job, after a few jobs have finished. */
async function idleSupervisors(service: Service): Promise<Memory[]> {
  const ids = await submit(service, fewJobs, "sleep 0.5");
  await inParallel(ids, fewJobs, async (id) => {
    await service.client.finished(id, 30);
  });
  return memoriesOf(supervisorsOf(service).idle);
}

const memoriesOf = (pids: number[]): Memory[] => pids.map(memoryOf).filter((memory) => memory !== null);

async function submit({ client }: Service, count: number, command: string): Promise<string[]> {
  const ids: string[] = [];
  await inParallel(Array.from({ length: count }), 16, async () => {
    ids.push(await client.submit({ CommandLine: command }));
  });
  return ids;
}

async function measureAnswers({ report }: Context, service: Service): Promise<void> {
  const { client } = service;
  const [listing, submitting]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 200; turn++) {
    const before = performance.now();
    const ids = await client.running();
    listing.push(performance.now() - before);
    if (ids.length < jobs) throw new Error(`GET / lists ${ids.length} of ${jobs} jobs`);
  }
  for (let turn = 0; turn < 100; turn++) {
    const before = performance.now();
    await client.submit({ CommandLine: "true" });
    submitting.push(performance.now() - before);
  }
  for (const [name, values] of [
    ["GET / meanwhile", listing],
    ["POST / meanwhile", submitting],
  ] as const) {
    const p99 = percentile(values, 0.99);
    report({
      name,
      ours: `median ${ms(median(values))}`,
      peer: "",
      measured: `p99 ${ms(p99)}`,
      demanded: "p99 <= 100 ms",
      verdict: atMost(p99, 100),
    });
  }
  const ids = await client.running();
  const killing = performance.now();
  await inParallel(ids, 32, async (id) => {
    await client.json("DELETE", `/${id}`);
  });
  const killed = (performance.now() - killing) / 1000;
  const left = sleepers(service);
  const name = `DELETE of ${jobs} jobs by 32 clients`;
  report({
    name,
    ours: `${killed.toFixed(1)} s`,
    peer: "",
    measured: `${left} processes left`,
    demanded: "0 left",
    verdict: atMost(left, 0),
  });
}

const sleepers = ({ stateDirectory }: Service): number =>
  processesInside(stateDirectory).filter((pid) => commandOf(pid) === "sleep").length;

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
