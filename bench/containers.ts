// The cost of a job in a container and the speed of its output, in comparison with the engine's own command line.
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { skipped } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { containerNames, image, removeOwn, usableEngine } from "./lib/engines.ts";
import type { Engine } from "./lib/engines.ts";
import { field, inParallel, stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import type { Service } from "./lib/service.ts";
import { seconds } from "./lib/statistics.ts";
import { runProgram } from "./lib/tools.ts";
import { compare, type Contender, inTurns } from "./lib/turns.ts";

const jobs = 60;
const lanes = 20;
const jobRounds = 5;
const bytes = 2 ** 30;
const outputRounds = 3;

export const benchmark: Benchmark = {
  name: "containers",
  title: `${jobs} containers, ${lanes} at once, and 1 GiB of a container's output`,
  method:
    `With docker and with podman. Containers: ${jobRounds} rounds of ${jobs} jobs of \`true\` in ${image} without a network, ${lanes} ` +
    `at a ` +
    "time in a closed loop: POST /, GET /ID/wait, the next one. After each round every job must be recorded as Succeeded and none of the " +
    `containers may be left. The peer is \`xargs -P ${lanes}\` with the engine's \`run --init --network none\`, with a fresh folder ` +
    "mounted as working directory: once with --rm, which leaves nothing behind, as a job does, and once without; those containers are " +
    `removed outside of the measured time. Output: ${outputRounds} rounds of \`head -c 1073741824 /dev/zero\` in ${image}, from POST / ` +
    `to the ` +
    "answer of GET /ID/wait. The peer is the engine's `run --rm … > file` on the same file system. jobrunner keeps the output itself and " +
    "turns the engine's log off (docker: --log-driver=none, podman: passthrough), so the peer runs without a log too. The engine's " +
    "default " +
    "log is measured once, for information: docker's writes six bytes for each zero byte. Each output is removed before the next one. " +
    "The " +
    "contenders take turns in going first.",
  limitSeconds: 1800,
  run,
};

async function run(context: Context): Promise<void> {
  const { scope, report } = context;
  for (const name of ["docker", "podman"]) {
    const engine = await usableEngine(scope, name);
    if (typeof engine === "string") {
      report(skipped(`containers of ${name}`, engine));
      continue;
    }
    const service = await startService(scope, { environment: { JOBRUNNER_CONTAINER_ENGINE: name } });
    await measureJobs(context, engine, service);
    await measureOutput(context, engine, service);
    await service.stop();
  }
}

async function measureJobs({ scope, progress, report }: Context, engine: Engine, service: Service): Promise<void> {
  const folders = join(scope.directory, `peer-${engine.name}`);
  let made = 0;
  const peer = (name: string, options: string[]): Contender<number> => ({
    name,
    run: async () => {
      const fresh = Array.from({ length: jobs }, () => join(folders, String(++made)));
      for (const folder of fresh) mkdirSync(folder, { recursive: true });
      const command = [
        engine.path,
        "run",
        ...options,
        "--init",
        "--network",
        "none",
        "--label",
        engine.label,
        "-v",
        "{}:{}:rw",
        "-w",
        "{}",
        image,
        "true",
      ];
      // Run by xargs, because forking Node costs more, and the peer must not pay for that.
      const script = `shift; printf '%s\\n' "$@" | xargs -P ${lanes} -I '{}' ${command.map((word) => `'${word}'`).join(" ")}`;
      const took = await timed(() => runProgram(scope, "/bin/sh", ["-c", script, "sh", "", ...fresh], 180));
      await removeOwn(scope, engine);
      return took;
    },
  });
  const ours: Contender<number> = { name: "jobrunner", run: () => runJobs({ scope, engine, service }) };
  const others = [peer(`${engine.name} run --rm`, ["--rm"]), peer(`${engine.name} run, containers left behind`, [])];
  const took = await inTurns([ours, ...others], {
    rounds: jobRounds,
    warmUps: 1,
    onRound: reportRound(progress, `${engine.name}, ${jobs} containers`),
  });
  const label = `${jobs} containers against `;
  for (const { name } of others)
    report(
      compare({ name: label + name, ours: took.get(ours.name) ?? [], peer: took.get(name) ?? [], show: seconds, bound: { atMost: 1.05 } }),
    );
}

/** Checks the jobs after the clock has stopped; a wrong state or a container that is left fails the benchmark. */
async function runJobs({ scope, engine, service }: { scope: Context["scope"]; engine: Engine; service: Service }): Promise<number> {
  const { client } = service;
  const ended = new Map<string, unknown>();
  const took = await timed(() =>
    inParallel(Array.from({ length: jobs }), lanes, async () => {
      const id = await client.submit({ Commands: [{ Image: image, Args: ["true"], Network: "none" }] });
      ended.set(id, await client.finished(id, 100));
    }),
  );
  const bad = [...ended.values()].find((job) => stringField(job, "State") !== "Succeeded");
  if (bad !== undefined) throw new Error(`a job ended as ${JSON.stringify(bad)}`);
  const names = await containerNames(scope, engine);
  const left = names.filter((name) => [...ended.keys()].some((id) => name.includes(id)));
  if (left.length > 0) throw new Error(`containers were left: ${left.join(" ")}`);
  return took;
}

async function measureOutput({ scope, progress, report }: Context, engine: Engine, service: Service): Promise<void> {
  const file = join(scope.directory, "peer-output");
  const command = ["head", "-c", String(bytes), "/dev/zero"];
  const peer = (name: string, options: string[]): Contender<number> => ({
    name,
    run: async () => {
      const words = ["run", "--rm", ...options, "--init", "--network", "none", "--label", engine.label, image, ...command];
      const took = await timed(() =>
        runProgram(scope, "/bin/sh", ["-c", 'file=$1; shift; exec "$@" > "$file"', "sh", file, engine.path, ...words], 300),
      );
      if (statSync(file).size !== bytes) throw new Error(`${name} wrote ${statSync(file).size} bytes`);
      rmSync(file);
      return took;
    },
  });
  const ours: Contender<number> = {
    name: "jobrunner",
    run: async () => {
      let job: unknown;
      const took = await timed(async () => {
        const id = await service.client.submit({ Commands: [{ Image: image, Args: command, Network: "none" }] });
        job = await service.client.finished(id, 100);
      });
      const id = stringField(job, "ID");
      const { size } = statSync(join(service.stateDirectory, "jobs", id, "output"));
      if (stringField(job, "State") !== "Succeeded" || field(job, "OutputBytes") !== bytes || size !== bytes)
        throw new Error(`${size} bytes were kept, and the job ended as ${JSON.stringify(job)}`);
      await service.client.json("DELETE", `/jobs/${id}`);
      return took;
    },
  };
  const unlogged = peer(`${engine.name} run --log-driver none > file`, ["--log-driver", "none"]);
  const logged = peer(`${engine.name} run > file`, []);
  const onRound = reportRound(progress, `${engine.name}, 1 GiB of output`);
  const took = await inTurns([ours, unlogged], { rounds: outputRounds, onRound });
  const own = took.get(ours.name) ?? [];
  const bound = { atMost: engine.name === "podman" ? 0.75 : 1.05 };
  report(
    compare({ name: `1 GiB of output against ${unlogged.name}`, ours: own, peer: took.get(unlogged.name) ?? [], show: seconds, bound }),
  );
  report(compare({ name: `1 GiB of output against ${logged.name}`, ours: own.slice(0, 1), peer: [await logged.run()], show: seconds }));
}

const reportRound =
  (progress: Context["progress"], what: string) =>
  (round: number, results: ReadonlyMap<string, number[]>): void => {
    progress(`${what}, round ${round}: ${[...results].map(([name, took]) => `${name} ${seconds(took.at(-1) ?? Number.NaN)}`).join(", ")}`);
  };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
