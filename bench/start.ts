// How long the service takes to start, on a quiet and on a busy machine, in comparison with the previous build.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type Benchmark, type Context, withoutBefore } from "./lib/benchmark.ts";
import { type Build, thisBuild } from "./lib/builds.ts";
import { startForkers } from "./lib/busy.ts";
import { startService } from "./lib/service.ts";
import { ms } from "./lib/statistics.ts";
import { compare, type Contender, inTurns } from "./lib/turns.ts";

const quietRounds = 11;
const busyRounds = 7;
const forkers = 12;
const names = { ours: "this build", before: "build before", node: "an empty Node" };

export const benchmark: Benchmark = {
  name: "start",
  title: "from the start of the service to its first 200",
  method:
    "From the start of bin/jobrunner to the first 200 of GET /healthz, requested every 3 ms, with a state directory that was used " +
    "before: " +
    `${quietRounds} rounds, and ${busyRounds} rounds beside ${forkers} shells that fork \`/bin/true\` in a loop. Two starts of each are ` +
    "not counted; they fill the caches. For information: an empty program on the same Node.",
  limitSeconds: 240,
  run,
};

async function run({ scope, before, progress, report }: Context): Promise<void> {
  if (typeof before === "string") return report(withoutBefore("start to the first 200", before));
  const starting = (name: string, build: Build): Contender<number> => ({
    name,
    run: async () => {
      const service = await startService(scope, { build, stateDirectory: join(scope.directory, `state of ${build.name}`) });
      await service.stop();
      return service.readyAfter;
    },
  });
  const node: Contender<number> = {
    name: names.node,
    run: async () => {
      const began = performance.now();
      execFileSync(process.execPath, ["-e", "0"]);
      return await Promise.resolve(performance.now() - began);
    },
  };
  const contenders = [starting(names.ours, thisBuild), starting(names.before, before), node];
  const onRound = (round: number, results: ReadonlyMap<string, number[]>): void => {
    progress(`round ${round}: ${[...results].map(([name, list]) => `${name} ${ms(list.at(-1) ?? Number.NaN)}`).join(", ")}`);
  };
  const quiet = await inTurns(contenders, { rounds: quietRounds, warmUps: 2, onRound });
  const endForkers = await startForkers(scope, forkers);
  const busy = await inTurns(contenders, { rounds: busyRounds, onRound });
  endForkers();

  for (const [where, results, bound] of [
    ["", quiet, 0.4],
    [` beside ${forkers} shells that fork`, busy, 0.5],
  ] as const) {
    const of = (name: string): number[] => results.get(name) ?? [];
    report(
      compare({
        name: `start to the first 200${where}, against the build before`,
        ours: of(names.ours),
        peer: of(names.before),
        show: ms,
        bound: { atMost: bound },
      }),
    );
    report(
      compare({ name: `start to the first 200${where}, against ${names.node}`, ours: of(names.ours), peer: of(names.node), show: ms }),
    );
  }
}
