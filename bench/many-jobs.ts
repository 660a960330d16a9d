// What 5,000 jobs that run at once cost, and whether the service still answers meanwhile.
import { readFileSync, readlinkSync } from "node:fs";
import { atMost } from "./lib/benchmark.ts";
import type { Benchmark, Context, Verdict } from "./lib/benchmark.ts";
import { inParallel } from "./lib/http.ts";
import { processesInside } from "./lib/scope.ts";
import { startService } from "./lib/service.ts";
import type { Service } from "./lib/service.ts";
import { median, ms, percentile } from "./lib/statistics.ts";
import { sleep } from "./lib/tools.ts";

const jobs = 5000;

export const benchmark: Benchmark = {
  name: "many-jobs",
  title: `${jobs} jobs at once`,
  method:
    `${jobs} jobs of \`exec sleep 600\`. Memory of the service: VmRSS, with all running and idle; of each supervisor: Private_Clean + ` +
    "Private_Dirty of its smaps_rollup. Then 200 times GET / and 100 times POST / of another job, one after the other. Then DELETE of all, " +
    "by 32 clients, until no process of any job is left.",
  limitSeconds: 300,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  const service = await startService(scope, { environment: { JOBRUNNER_MAX_RUNNING: String(jobs + 500) } });
  const { client } = service;
  const began = performance.now();
  const numbered = Array.from({ length: jobs }, (_, index) => index);
  await inParallel(numbered, 16, async () => {
    await client.submit({ CommandLine: "exec sleep 600" });
  });
  while (sleepers(service) < jobs) {
    if (performance.now() - began > 120_000) throw new Error(`only ${sleepers(service)} of ${jobs} jobs run after 120 s`);
    await sleep(250);
  }
  const started = (performance.now() - began) / 1000;
  progress(`${jobs} jobs run after ${started.toFixed(1)} s`);
  await sleep(2000);

  const rss = residentBytes(service.pid) / 1e6;
  const bare = (name: string, ours: string, measured: string, demanded: string, verdict: Verdict): void => {
    report({ name, ours, peer: "", measured, demanded, verdict });
  };
  bare(`start of ${jobs} jobs by 16 clients`, `${started.toFixed(1)} s`, `${(jobs / started).toFixed(0)}/s`, "", "for information");
  bare("memory of the service (RSS)", `${rss.toFixed(0)} MB`, `${rss.toFixed(0)} MB`, "< 150 MB", atMost(rss, 150));
  const own = supervisors(service).map(privateKilobytes);
  if (own.length < jobs) throw new Error(`found ${own.length} supervisors for ${jobs} jobs`);
  const worst = Math.max(...own);
  bare("private memory of a supervisor", `median ${median(own)} kB`, `max ${worst} kB`, "< 300 kB", atMost(worst, 299));

  const listing: number[] = [],
    submitting: number[] = [];
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
  const latency = (name: string, values: number[]): void => {
    const p99 = percentile(values, 0.99);
    bare(name, `median ${ms(median(values))}`, `p99 ${ms(p99)}`, "p99 <= 100 ms", atMost(p99, 100));
  };
  latency("GET / meanwhile", listing);
  latency("POST / meanwhile", submitting);

  const ids = await client.running();
  const killing = performance.now();
  await inParallel(ids, 32, async (id) => {
    await client.json("DELETE", `/${id}`);
  });
  const killed = (performance.now() - killing) / 1000;
  const left = sleepers(service);
  bare(`DELETE of ${jobs} jobs by 32 clients`, `${killed.toFixed(1)} s`, `${left} processes left`, "0 left", atMost(left, 0));
}

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
};

const sleepers = (service: Service): number => processesInside(service.stateDirectory).filter((pid) => commandOf(pid) === "sleep").length;

/** The supervisors: they run the same program as the launcher, a child of the service, and are not children of it themselves. */
function supervisors(service: Service): number[] {
  const program = (pid: number): string => {
    try {
      return readlinkSync(`/proc/${pid}/exe`);
    } catch {
      return "";
    }
  };
  const ownProgram = program(service.pid);
  const inside = processesInside(service.stateDirectory).filter((pid) => pid !== service.pid && program(pid) !== ownProgram);
  return inside.filter((pid) => program(pid).startsWith(repositoryPrefix) && parentOf(pid) !== service.pid);
}

const repositoryPrefix = `${import.meta.dirname.replace(/\/bench$/, "")}/`;

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;
}

function privateKilobytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return ["Private_Clean", "Private_Dirty"].reduce(
    (sum, name) => sum + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0),
    0,
  );
}
