// The time from submitting a job to the first byte of its output, in comparison with a bare spawn of the same command.
import { atMost, skipped, withoutBefore } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { thisBuild } from "./lib/builds.ts";
import { startForkers } from "./lib/busy.ts";
import type { Scope } from "./lib/scope.ts";
import { startService } from "./lib/service.ts";
import { median, ms, percentile, ratio, spread } from "./lib/statistics.ts";
import { compile, find, numbers, runProgram } from "./lib/tools.ts";

const rounds = 9;
const turns = 60;
const curlTurns = 20;
const busyRounds = 5;
const busyTurns = 20;
const forkers = 2;

export const benchmark: Benchmark = {
  name: "first-byte",
  title: "from POST to the first byte at a reader",
  method:
    `${rounds} rounds of ${turns} turns. Each turn runs a bare posix_spawn of \`bash -c 'echo hello'\` in C until its first byte has ` +
    "come through a pipe, then the same command as a job of this build by POST /?attach=true, then as a job of this build and of the " +
    "build before: POST /, read the ID, GET /ID/attach on a second kept connection, until its first byte has come (bench/firstbyte.c). " +
    "The extra time of a job is the difference of the medians of a round. The demand is on the ratio of this build's extra time to that " +
    `of the build before. Each round has ${curlTurns} turns at a shell too: one curl, against one that submits and one that attaches. ` +
    `For information: the same in ${busyRounds} rounds of ${busyTurns} turns beside ${forkers} shells that fork in a loop.`,
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
      all.push({ bare: column(0), attached: column(1), ours: column(2), before: column(3) });
      progress(
        `round ${round}${where}: ${[0, 1, 2, 3].map((index) => ms(median(column(index)))).join(", ")} ` +
          "(bare, POST /?attach=true, this build, build before)",
      );
    }
    return all;
  };
  await compareWithCurl({ scope, port: ports[0] ?? "", progress, report });
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
    const attached = all.map((round) => median(round.attached) / median(round.ours));
    report({
      name: `first byte of POST /?attach=true against POST / then GET /ID/attach, on kept connections of loopback${where}`,
      ours: ms(median(all.flatMap((round) => round.attached))),
      peer: ms(median(ours)),
      measured: `${ratio(median(attached))} (${spread(attached)})`,
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

type WithCurl = Pick<Context, "scope" | "progress" | "report"> & { port: string };

/** As a person at a shell: one curl, or one that submits and another that attaches. */
async function compareWithCurl({ scope, port, progress, report }: WithCurl): Promise<void> {
  const name = "first byte of curl POST /?attach=true against curl POST /, then curl GET /ID/attach";
  const curl = find("curl");
  if (curl === null) return report(skipped(name, "curl is not installed"));
  const submit = `'${curl}' -sN -d '{"CommandLine": "echo hello"}'`;
  const atOnce = `${submit} 'localhost:${port}/?attach=true' | head -c 1`;
  const inTurn = `'${curl}' -sN "localhost:${port}/$(${submit} localhost:${port} | cut -d'"' -f4)/attach" | head -c 1`;
  const all: { atOnce: number; inTurn: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    const took = { atOnce: new Array<number>(), inTurn: new Array<number>() };
    for (let turn = 0; turn < curlTurns; turn++) {
      took.atOnce.push(await msOf(scope, atOnce));
      took.inTurn.push(await msOf(scope, inTurn));
    }
    all.push({ atOnce: median(took.atOnce), inTurn: median(took.inTurn) });
    progress(`round ${round}, curl: ${ms(all.at(-1)?.atOnce ?? 0)} at once, ${ms(all.at(-1)?.inTurn ?? 0)} in turn`);
  }
  const ratios = all.map((round) => round.atOnce / round.inTurn);
  report({
    name,
    ours: ms(median(all.map((round) => round.atOnce))),
    peer: ms(median(all.map((round) => round.inTurn))),
    measured: `${ratio(median(ratios))} (${spread(ratios)})`,
    demanded: "<= 0.7",
    verdict: atMost(median(ratios), 0.7),
  });
}

async function msOf(scope: Scope, line: string): Promise<number> {
  const startMs = performance.now();
  const printed = await runProgram(scope, "/bin/sh", ["-c", line], 20);
  if (printed !== "h") throw new Error(`${line} printed ${JSON.stringify(printed)}`);
  return performance.now() - startMs;
}

type Round = { bare: number[]; attached: number[]; ours: number[]; before: number[] };

const excessOf =
  (name: "ours" | "before") =>
  (round: Round): number =>
    median(round[name]) - median(round.bare);
