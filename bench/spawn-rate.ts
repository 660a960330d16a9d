// How many small jobs a second are accepted, run and recorded.
import { join } from "node:path";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { atLeast, skipped } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { Client, listField, nextCursor, stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import { median, ratio, spread } from "./lib/statistics.ts";
import { compile, find, freePort, numbers, runProgram, sleep } from "./lib/tools.ts";
import type { Scope } from "./lib/scope.ts";

const command = "echo hello; echo err >&2";
const jobs = 600;
const clients = 16;
const rounds = 7;
const processesInFlight = cpus().length;

export const benchmark: Benchmark = {
  name: "spawn-rate",
  title: "small jobs per second",
  method:
    `${rounds} rounds of ${jobs} jobs of \`bash -c '${command}'\`. jobrunner: POST / by ${clients} clients on kept connections ` +
    "(bench/load.c, which costs next to nothing), the clock stops when GET /jobs?state=Queued and GET / are empty; then every job is " +
    "looked up and must be recorded as Succeeded. webhook: the same load generator, the command run synchronously, its output in the " +
    `answer. spawn.c: posix_spawn of the same command, ${processesInFlight} at a time, output to one file, nothing recorded. Beyond that a job costs jobrunner a request, ` +
    "two commits, a supervisor process, a cgroup, and a folder with a plan, output, index, status, control and workspace.",
  limitSeconds: 300,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  const load = compile(scope, "load");
  const bare = compile(scope, "spawn");
  if (load === null || bare === null) return report(skipped("jobs per second", "no C compiler for the load generator"));
  const service = await startService(scope);
  const hook = await startWebhook(scope);
  const args = (port: number, path: string, body: string, count = jobs): string[] => [
    String(port),
    path,
    body,
    String(count),
    String(clients),
  ];
  const untilOver = ["/jobs?state=Queued&limit=1", '"Jobs":[]', "/", '"IDs":[]'];
  const body = JSON.stringify({ CommandLine: command });

  // Before the clock: connections, caches and V8's compiler warm, for both.
  await runProgram(scope, load, [...args(service.port, "/", body, 200), ...untilOver], 60);
  if (hook !== null) await runProgram(scope, load, args(hook, "/hooks/hello", "", 200), 60);

  const rates: Record<"ours" | "bare" | "webhook", number[]> = { ours: [], bare: [], webhook: [] };
  for (let round = 0; round < rounds; round++) {
    const [spawned = 0] = numbers(
      await runProgram(scope, bare, [String(jobs), String(processesInFlight), join(scope.directory, "spawned"), command], 60),
    );
    rates.bare.push(jobs / spawned);
    const [, over = 0, refused = 0] = numbers(await runProgram(scope, load, [...args(service.port, "/", body), ...untilOver], 120));
    if (refused > 0) throw new Error(`${refused} of ${jobs} submissions were refused`);
    rates.ours.push(jobs / over);
    if (hook !== null) {
      const [answered = 0, , failed = 0] = numbers(await runProgram(scope, load, args(hook, "/hooks/hello", ""), 120));
      if (failed > 0) throw new Error(`webhook refused ${failed} of ${jobs} requests`);
      rates.webhook.push(jobs / answered);
    }
    progress(
      `round ${round + 1}: ours ${perSecond(rates.ours.at(-1))}, spawn.c ${perSecond(rates.bare.at(-1))}, webhook ${perSecond(rates.webhook.at(-1))}`,
    );
  }
  await verify(service.client, jobs * rounds + 200);

  const row = (name: string, peer: number[], demanded: number): void => {
    const ratios = rates.ours.map((rate, round) => rate / (peer[round] ?? Number.NaN));
    const value = median(ratios);
    report({
      name,
      ours: perSecond(median(rates.ours)),
      peer: perSecond(median(peer)),
      measured: `${ratio(value)} (${spread(ratios)})`,
      demanded: `>= ${demanded}`,
      verdict: atLeast(value, demanded),
    });
  };
  row("jobs/s against posix_spawn in C", rates.bare, 0.6);
  if (hook === null) report(skipped("jobs/s against webhook", "webhook is not installed"));
  else row("jobs/s against webhook", rates.webhook, 1.2);
}

const perSecond = (rate: number | undefined): string => (rate === undefined || Number.isNaN(rate) ? "-" : `${rate.toFixed(0)}/s`);

/** A fast answer about jobs that never ran would win any benchmark. */
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

async function startWebhook(scope: Scope): Promise<number | null> {
  const program = find("webhook");
  if (program === null) return null;
  const hooks = join(scope.directory, "hooks.json");
  writeFileSync(
    hooks,
    JSON.stringify([
      {
        id: "hello",
        "execute-command": "/bin/bash",
        "pass-arguments-to-command": [
          { source: "string", name: "-c" },
          { source: "string", name: command },
        ],
        "include-command-output-in-response": true,
      },
    ]),
  );
  const port = await freePort();
  const child = spawn(program, ["-hooks", hooks, "-ip", "127.0.0.1", "-port", String(port)], { stdio: "ignore" });
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
