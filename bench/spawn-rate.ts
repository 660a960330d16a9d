// How many small jobs per second are accepted, run and recorded, and the CPU time of each.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { skipped, withoutBefore } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { type Build, thisBuild } from "./lib/builds.ts";
import { cgroupMeter, type CpuMeter, machineMeter, processMicroseconds, settled } from "./lib/cpu.ts";
import { Client, listField, nextCursor, stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import { compile, find, freePort, numbers, runProgram, sleep } from "./lib/tools.ts";
import { compare, type Comparison, type Contender, inTurns } from "./lib/turns.ts";
import type { Scope } from "./lib/scope.ts";

const command = "echo hello; echo err >&2";
const jobs = 600;
const warmUpJobs = 2000;
const clients = 16;
const rounds = 9;
const processesInFlight = cpus().length;

export const benchmark: Benchmark = {
  name: "spawn-rate",
  title: "small jobs: CPU of each, and how many a second",
  method:
    `${rounds} rounds of ${jobs} jobs of \`bash -c '${command}'\`. jobrunner: POST / by ${clients} clients on kept connections ` +
    "(bench/load.c, which needs next to no CPU). The clock stops when GET /jobs?state=Queued and GET / are empty. Then every job is " +
    "looked " +
    "up and must be recorded as Succeeded. webhook: the same load generator; the command runs synchronously, and its output is in the " +
    `answer. spawn.c: posix_spawn of the same command, ${processesInFlight} at a time, with output to one file and no record. In ` +
    `addition, ` +
    "a job costs jobrunner a request, two commits, a supervisor, a cgroup, and a folder with plan, output, index, status, control and " +
    "workspace. CPU: `usage_usec` in cpu.stat of a cgroup v2 that holds the contender and all that it starts (service, launcher, " +
    "supervisors, jobs; webhook; spawn.c) but not the load generator, from before the round until only the idle processes are left, " +
    "divided by the number of jobs. It does not include the kernel threads that dismantle removed cgroups. Where no cgroup v2 can be " +
    "created, it is the CPU time of the whole machine (/proc/stat).",
  limitSeconds: 300,
  run,
};

/** `serviceCpuMs`: the part of the service's own process, without launcher, supervisors and jobs. */
type Round = { perSecond: number; cpuMs: number; serviceCpuMs: number };

async function run(context: Context): Promise<void> {
  const { scope, before, progress, report } = context;
  const load = compile(scope, "load");
  const bare = compile(scope, "spawn");
  if (load === null || bare === null) return report(skipped("jobs per second", "no C compiler for the load generator"));
  const names = { ours: "jobrunner", before: "build before", bare: "posix_spawn", webhook: "webhook" };
  const ours = await serviceContender(scope, { name: names.ours, build: thisBuild, load });
  const contenders = [ours, spawnContender(scope, names.bare, bare)];
  const former = typeof before === "string" ? null : await serviceContender(scope, { name: names.before, build: before, load });
  if (former !== null) contenders.push(former);
  const hook = await webhookContender(scope, names.webhook, load);
  if (hook !== null) contenders.push(hook);

  const results = await inTurns(contenders, {
    rounds,
    onRound: (round, results) => {
      const rates = [...results].map(([name, list]) => `${name} ${perSecond(list.at(-1)?.perSecond)} ${cpu(list.at(-1)?.cpuMs)}`);
      progress(`round ${round}: ${rates.join(", ")}`);
    },
  });
  await ours.verify();
  await former?.verify();

  const row = (name: string, [mine, peer]: [string, string], figure: keyof Round, bound?: Comparison["bound"]): void => {
    const of = (contender: string): number[] => (results.get(contender) ?? []).map((round) => round[figure]);
    const show = figure === "perSecond" ? perSecond : cpu;
    report(compare({ name, ours: of(mine), peer: of(peer), show, ...(bound === undefined ? {} : { bound }) }));
  };
  row("CPU of a job against posix_spawn", [names.ours, names.bare], "cpuMs", { atMost: 1.3 });
  row("jobs/s against posix_spawn", [names.ours, names.bare], "perSecond", { atLeast: 0.75 });
  if (hook === null) report(skipped("against webhook", "webhook is not installed"));
  else {
    row("CPU of a job against webhook", [names.ours, names.webhook], "cpuMs");
    row("jobs/s against webhook", [names.ours, names.webhook], "perSecond", { atLeast: 0.95 });
  }
  if (typeof before === "string") return report(withoutBefore("against the build before", before));
  row("CPU of a job against the build before", [names.ours, names.before], "cpuMs");
  row("of that the service's own process", [names.ours, names.before], "serviceCpuMs");
  row("jobs/s against the build before", [names.ours, names.before], "perSecond");
  row("the build before: CPU of a job against posix_spawn", [names.before, names.bare], "cpuMs");
  row("the build before: jobs/s against posix_spawn", [names.before, names.bare], "perSecond");
}

const perSecond = (rate: number | undefined): string => (rate === undefined ? "-" : `${rate.toFixed(0)}/s`);
const cpu = (milliseconds: number | undefined): string => (milliseconds === undefined ? "-" : `${milliseconds.toFixed(2)} ms`);

const meterOf = (scope: Scope, name: string): CpuMeter => cgroupMeter(scope, name) ?? machineMeter;

/** Measures a round: its time, and the CPU time until only the idle processes are left. */
async function measured(
  meter: CpuMeter,
  { atRest, pid }: { atRest: number | null; pid?: number },
  work: () => Promise<number>,
): Promise<Round> {
  const own = (): number => (pid === undefined ? Number.NaN : processMicroseconds(pid));
  const [before, ownBefore] = [meter.microseconds(), own()];
  const seconds = await work();
  await settled(meter, atRest);
  const perJob = (microseconds: number): number => microseconds / 1000 / jobs;
  return { perSecond: jobs / seconds, cpuMs: perJob(meter.microseconds() - before), serviceCpuMs: perJob(own() - ownBefore) };
}

function spawnContender(scope: Scope, name: string, program: string): Contender<Round> {
  const meter = meterOf(scope, "spawn");
  const [entered = program, ...args] = meter.enter([
    program,
    String(jobs),
    String(processesInFlight),
    join(scope.directory, "spawned"),
    command,
  ]);
  return {
    name,
    run: () => measured(meter, { atRest: 0 }, async () => numbers(await runProgram(scope, entered, args, 60))[0] ?? Number.NaN),
  };
}

const loadArguments = (port: number, path: string, body: string, count: number): string[] => [port, path, body, count, clients].map(String);

type ServiceContender = Contender<Round> & { verify: () => Promise<void> };

async function serviceContender(
  scope: Scope,
  { name, build, load }: { name: string; build: Build; load: string },
): Promise<ServiceContender> {
  const meter = meterOf(scope, build === thisBuild ? "this" : "before");
  const service = await startService(scope, { build, meter });
  const atRest = meter.processes();
  let submitted = 0;
  const submit = async (count: number): Promise<number> => {
    submitted += count;
    const untilFinished = ["/jobs?state=Queued&limit=1", '"Jobs":[]', "/", '"IDs":[]'];
    const args = loadArguments(service.port, "/", JSON.stringify({ CommandLine: command }), count);
    const [, finishedSeconds = Number.NaN, refused] = numbers(await runProgram(scope, load, [...args, ...untilFinished], 120));
    if (refused !== 0) throw new Error(`${refused} of ${count} submissions were refused`);
    return finishedSeconds;
  };
  // Warm up connections, caches and V8's compiler.
  await submit(warmUpJobs);
  await settled(meter, atRest);
  return {
    name,
    run: () => measured(meter, { atRest, pid: service.pid }, () => submit(jobs)),
    verify: () => verify(service.client, submitted),
  };
}

/** Checks that every job ran: fast answers for jobs that never ran do not count. */
async function verify(client: Client, expected: number): Promise<void> {
  let cursor: string | null = "";
  let seen = 0;
  while (cursor !== null) {
    const page: unknown = await client.json("GET", `/jobs?limit=100${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const job of listField(page, "Jobs")) {
      if (stringField(job, "State") !== "Succeeded") throw new Error(`a job ended as ${JSON.stringify(job).slice(0, 300)}`);
      stringField(job, "EndedAt");
      seen++;
    }
    cursor = nextCursor(page);
  }
  if (seen !== expected) throw new Error(`${expected} jobs were accepted, ${seen} are recorded`);
}

async function webhookContender(scope: Scope, name: string, load: string): Promise<Contender<Round> | null> {
  const program = find("webhook");
  if (program === null) return null;
  const meter = meterOf(scope, "webhook");
  const port = await startWebhook(scope, program, meter);
  const submit = async (count: number): Promise<number> => {
    const [answered = Number.NaN, , refused] = numbers(await runProgram(scope, load, loadArguments(port, "/hooks/hello", "", count), 120));
    if (refused !== 0) throw new Error(`webhook refused ${refused} of ${count} requests`);
    return answered;
  };
  await submit(warmUpJobs);
  const atRest = meter.processes();
  return { name, run: () => measured(meter, { atRest }, () => submit(jobs)) };
}

async function startWebhook(scope: Scope, program: string, meter: CpuMeter): Promise<number> {
  const hooks = join(scope.directory, "hooks.json");
  const hook = {
    id: "hello",
    "execute-command": "/bin/bash",
    "pass-arguments-to-command": ["-c", command].map((text) => ({ source: "string", name: text })),
    "include-command-output-in-response": true,
  };
  writeFileSync(hooks, JSON.stringify([hook]));
  const port = await freePort();
  const [entered = program, ...args] = meter.enter([program, "-hooks", hooks, "-ip", "127.0.0.1", "-port", String(port)]);
  const child = spawn(entered, args, { stdio: "ignore" });
  scope.defer(() => {
    child.kill("SIGKILL");
  });
  const client = new Client(port, 1);
  for (let tries = 0; tries < 200; tries++) {
    const answer = await client.call("POST", "/hooks/hello").catch(() => null);
    if (answer?.text === "hello\nerr\n") {
      client.close();
      return port;
    }
    await sleep(20);
  }
  throw new Error("webhook did not answer as expected");
}
