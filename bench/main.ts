// `node bench/main.ts [names…]` measures jobrunner and its peers on this machine and reports missed targets.
// Every figure comes with its peer's from the same minutes; a figure alone says more about the machine than about jobrunner.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildBefore, thisBuild } from "./lib/builds.ts";
import { repository } from "./lib/tools.ts";
import { busyShare, describeMachine } from "./lib/machine.ts";
import { Scope } from "./lib/scope.ts";
import { printTable, writeReport } from "./lib/report.ts";
import type { Outcome } from "./lib/report.ts";
import type { Benchmark, Row } from "./lib/benchmark.ts";
import * as spawnRate from "./spawn-rate.ts";
import * as jobSpeed from "./job-speed.ts";
import * as attach from "./attach.ts";
import * as firstByte from "./first-byte.ts";
import * as start from "./start.ts";
import * as commandLine from "./command-line.ts";
import * as manyJobs from "./many-jobs.ts";
import * as manyReaders from "./many-readers.ts";
import * as database from "./database.ts";
import * as containers from "./containers.ts";
import * as page from "./page.ts";

const all: Benchmark[] = [
  spawnRate.benchmark,
  jobSpeed.benchmark,
  attach.benchmark,
  firstByte.benchmark,
  start.benchmark,
  commandLine.benchmark,
  manyJobs.benchmark,
  manyReaders.benchmark,
  database.benchmark,
  containers.benchmark,
  page.benchmark,
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.some((one) => one.name === name));
if (unknown.length > 0) {
  console.error(`unknown benchmark ${unknown.join(", ")}; the benchmarks are: ${all.map((one) => one.name).join(", ")}`);
  process.exit(2);
}
const chosen = wanted.length === 0 ? all : all.filter((one) => wanted.includes(one.name));

const whole = new Scope();
const scopes = [whole];
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void closeAll().finally(() => process.exit(130)));
const before = await buildBefore(whole, process.env["BENCH_BEFORE"], console.log);
const machine: [string, string][] = [
  ...describeMachine(),
  ["this build", thisBuild.revision],
  ["build before", typeof before === "string" ? `none: ${before}` : before.revision],
];
console.log(machine.map(([what, value]) => `${what}: ${value}`).join("\n"));
const outcomes: Outcome[] = [];
for (const one of chosen) outcomes.push(await run(one));

// Only a run of all benchmarks writes the document.
if (chosen.length === all.length) {
  const file = join(repository, "docs", "benchmarks.md");
  writeFileSync(file, writeReport(machine, outcomes));
  console.log("\nwrote docs/benchmarks.md");
} else console.log("\nonly a run of all benchmarks writes docs/benchmarks.md");
await whole.close();
const isShort = ({ verdict }: Row): boolean => verdict === "short" || verdict === "no build before";
process.exit(outcomes.some((one) => one.failure !== null || one.rows.some(isShort)) ? 1 : 0);

async function closeAll(): Promise<void> {
  for (const scope of scopes.toReversed()) await scope.close();
}

/** Runs one benchmark within its time limit, and always removes what it started. */
async function run(one: Benchmark): Promise<Outcome> {
  const busy = await busyShare(1000);
  console.log(
    `\n${one.name}: ${one.title}${busy > 0.15 ? `\n  note: the machine was ${Math.round(busy * 100)} % busy before the start` : ""}`,
  );
  const scope = new Scope();
  scopes.push(scope);
  const outcome: Outcome = { benchmark: one, busy, rows: [], failure: null };
  const progress = (text: string): void => {
    console.log(`  … ${text}`);
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`not finished within ${one.limitSeconds} s`));
      }, one.limitSeconds * 1000);
    });
    await Promise.race([
      one.run({
        scope,
        before,
        progress,
        report: (row) => {
          outcome.rows.push(row);
        },
      }),
      late,
    ]);
  } catch (error) {
    outcome.failure = error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
    await scope.close();
    scopes.pop();
  }
  printTable(outcome);
  return outcome;
}
