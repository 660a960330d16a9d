// The time from submitting a job to the first byte of its output, in comparison with a bare spawn of the same command.
import { atMost, skipped, withoutBefore } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { thisBuild } from "./lib/builds.ts";
import { startForkers } from "./lib/busy.ts";
import { startService } from "./lib/service.ts";
import { median, ms, percentile, ratio, spread } from "./lib/statistics.ts";
import { compile, numbers, runProgram } from "./lib/tools.ts";

const rounds = 9;
const turns = 60;
const busyRounds = 5;
const busyTurns = 20;
const forkers = 2;

export const benchmark: Benchmark = {
  name: "first-byte",
  title: "from POST to the first byte at a reader",
  method:
    `${rounds} rounds of ${turns} turns. Each turn runs a bare posix_spawn of \`bash -c 'echo hello'\` in C until its first byte has ` +
    `come ` +
    "through a pipe, then the same command as a job of this build and of the build before: POST /, read the ID, GET /ID/attach on a " +
    "second " +
    "kept connection, until its first byte has come (bench/firstbyte.c). The extra time of a job is the difference of the medians of a " +
    "round. The demand is on the ratio of this build's extra time to that of the build before. For information: the same in " +
    `${busyRounds} rounds of ${busyTurns} turns beside ${forkers} shells that fork in a loop.`,
  limitSeconds: 180,
  run,
};

async function run({ scope, before, progress, report }: Context): Promise<void> {
  const program = compile(scope, "firstbyte");
  if (program === null) return report(skipped("first byte", "no C compiler"));
  const builds = typeof before === "string" ? [thisBuild] : [thisBuild, before];
  const ports = await Promise.all(builds.map(async (build) => String((await startService(scope, { build })).port)));

  const measure = async (where: string, count: number, each: number): Promise<Round[]> => {
    const all: Round[] = [];
    for (let round = 1; round <= count; round++) {
      const lines = (await runProgram(scope, program, [String(each), ...ports], 100)).trim().split("\n").map(numbers);
      const column = (index: number): number[] => lines.map((line) => line[index] ?? Number.NaN);
      all.push({ bare: column(0), ours: column(1), before: column(2) });
      progress(
        `round ${round}${where}: ${[0, 1, 2].map((index) => ms(median(column(index)))).join(", ")} (bare, this build, build before)`,
      );
    }
    return all;
  };
  const quiet = await measure("", rounds, turns);
  const endForkers = await startForkers(scope, forkers);
  const busy = await measure(", busy", busyRounds, busyTurns);
  endForkers();

  for (const [where, all, bound] of [
    ["", quiet, 0.4],
    [`, beside ${forkers} shells that fork`, busy, null],
  ] as const) {
    const [ours, bare] = [all.flatMap((round) => round.ours), all.flatMap((round) => round.bare)];
    report({
      name: `first byte against a bare spawn in C${where}`,
      ours: `${ms(median(ours))} (p90 ${ms(percentile(ours, 0.9))})`,
      peer: `${ms(median(bare))} (p90 ${ms(percentile(bare, 0.9))})`,
      measured: `+${ms(median(all.map(excessOf("ours"))))} (${spread(all.map(excessOf("ours")))})`,
      demanded: "",
      verdict: "for information",
    });
    const name = `extra time of a job${where}, against the build before`;
    if (typeof before === "string") {
      report(withoutBefore(name, before));
      continue;
    }
    const ratios = all.map((round) => excessOf("ours")(round) / excessOf("before")(round));
    const value = median(ratios);
    report({
      name,
      ours: `+${ms(median(all.map(excessOf("ours"))))}`,
      peer: `+${ms(median(all.map(excessOf("before"))))}`,
      measured: `${ratio(value)} (${spread(ratios)})`,
      demanded: bound === null ? "" : `<= ${bound}`,
      verdict: bound === null ? "for information" : atMost(value, bound),
    });
  }
}

type Round = { bare: number[]; ours: number[]; before: number[] };

const excessOf =
  (name: "ours" | "before") =>
  (round: Round): number =>
    median(round[name]) - median(round.bare);
