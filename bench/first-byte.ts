// How long from submitting a job to the first byte of its output, beside starting the same command oneself.
import { spawn } from "node:child_process";
import { atMost, skipped } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { startService } from "./lib/service.ts";
import { median, ms, percentile } from "./lib/statistics.ts";
import { compile, numbers, runProgram } from "./lib/tools.ts";

const turns = 200;

export const benchmark: Benchmark = {
  name: "first-byte",
  title: "from POST to the first byte at a reader",
  method:
    `${turns} turns; in each a bare posix_spawn of \`bash -c 'echo hello'\` from C until its first byte came through a pipe, then the ` +
    "same command as a job: POST /, read the ID, GET /ID/attach on a second kept connection, until its first byte came " +
    "(bench/firstbyte.c). Judged is the difference of the medians. The same bare spawn by Node's child_process for information.",
  limitSeconds: 120,
  run,
};

async function run({ scope, report }: Context): Promise<void> {
  const program = compile(scope, "firstbyte");
  if (program === null) return report(skipped("first byte", "no C compiler"));
  const service = await startService(scope);
  const lines = (await runProgram(scope, program, [String(service.port), String(turns)], 100)).trim().split("\n").map(numbers);
  const bare = lines.map(([first]) => first ?? Number.NaN);
  const ours = lines.map(([, second]) => second ?? Number.NaN);
  const inNode: number[] = [];
  for (let turn = 0; turn < turns; turn++) inNode.push(await spawnInNode());

  const row = (name: string, peer: number[], judged: boolean): void => {
    const difference = median(ours) - median(peer);
    report({
      name,
      ours: `${ms(median(ours))} (p90 ${ms(percentile(ours, 0.9))})`,
      peer: `${ms(median(peer))} (p90 ${ms(percentile(peer, 0.9))})`,
      measured: `${difference >= 0 ? "+" : ""}${ms(difference)}`,
      demanded: judged ? "<= +3 ms" : "",
      verdict: judged ? atMost(difference, 3) : "for information",
    });
  };
  row("first byte against a bare spawn in C", bare, true);
  row("first byte against Node's child_process", inNode, false);
}

function spawnInNode(): Promise<number> {
  return new Promise((done, fail) => {
    const began = performance.now();
    let took = Number.NaN;
    const child = spawn("bash", ["-c", "echo hello"], { stdio: ["ignore", "pipe", "ignore"] });
    child.stdout.once("data", () => {
      took = performance.now() - began;
    });
    child.once("error", fail).once("close", () => {
      done(took);
    });
  });
}
