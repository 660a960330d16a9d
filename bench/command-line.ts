// How long commands take, in comparison with the previous build.
import { type Benchmark, type Context, withoutBefore } from "./lib/benchmark.ts";
import { type Build, programOf, thisBuild } from "./lib/builds.ts";
import { startService } from "./lib/service.ts";
import { ms } from "./lib/statistics.ts";
import { runProgram } from "./lib/tools.ts";
import { compare, type Contender, inTurns } from "./lib/turns.ts";

const rounds = 15;
const commands: { words: string[]; atMost: number }[] = [
  { words: ["ps"], atMost: 0.65 },
  { words: ["run", "--", "true"], atMost: 0.8 },
];

export const benchmark: Benchmark = {
  name: "command-line",
  title: "commands, from start to end",
  method:
    `${rounds} rounds. Each round runs ${commands.map(({ words }) => `\`jobrunner ${words.join(" ")}\``).join(" and ")} of this build ` +
    "with a service of this build, and the same of the build before. The time is from the start of bin/jobrunner to its end. Three runs " +
    "of each are not counted. For information: an empty program on the same Node.",
  limitSeconds: 120,
  run,
};

async function run({ scope, before, progress, report }: Context): Promise<void> {
  if (typeof before === "string") return report(withoutBefore("commands", before));
  const builds = await Promise.all(
    [thisBuild, before].map(async (build) => ({ build, port: (await startService(scope, { build })).port })),
  );
  const timed = (name: string, program: string, args: string[]): Contender<number> => ({
    name,
    run: async () => {
      const began = performance.now();
      await runProgram(scope, program, args, 30);
      return performance.now() - began;
    },
  });
  const nameOf = ({ name }: Build, words: string[]): string => `${name}: ${words.join(" ")}`;
  const contenders = builds.flatMap(({ build, port }) =>
    commands.map(({ words }) =>
      timed(nameOf(build, words), "/usr/bin/env", [`JOBRUNNER_URL=http://127.0.0.1:${port}`, programOf(build), ...words]),
    ),
  );
  const node = timed("an empty Node", process.execPath, ["-e", "0"]);
  const results = await inTurns([...contenders, node], { rounds, warmUps: 3 });
  for (const { words, atMost } of commands) {
    const [ours = [], peer = []] = [thisBuild, before].map((build) => results.get(nameOf(build, words)));
    const command = `jobrunner ${words.join(" ")}`;
    report(compare({ name: `${command}, against the build before`, ours, peer, show: ms, bound: { atMost } }));
    report(compare({ name: `${command}, against ${node.name}`, ours, peer: results.get(node.name) ?? [], show: ms }));
    progress(`${command}: measured`);
  }
}
