// Whether jobrunner slows down a job that writes a lot.
import { spawn } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { atMost } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { field, listField, stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import { median, ratio, seconds, spread } from "./lib/statistics.ts";

const bytes = 2 * 2 ** 30;
const rounds = 9;

export const benchmark: Benchmark = {
  name: "job-speed",
  title: "a job's own speed when it writes 2 GiB",
  method:
    `${rounds} rounds of \`head -c 2G /dev/zero\` as a job. The peer is \`bash -c 'head -c 2G /dev/zero | cat > file'\` on the same file ` +
    "system. The job's time is EndedAt minus StartedAt of its step. The client's time is from sending POST / to the answer of GET " +
    "/ID/wait. Each file is removed before the next round. The two take turns in going first.",
  limitSeconds: 300,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  const service = await startService(scope);
  const file = join(scope.directory, "cat-output");
  const peer: number[] = [],
    step: number[] = [],
    client: number[] = [];

  const runPeer = async (): Promise<void> => {
    const began = performance.now();
    await new Promise<void>((done, fail) => {
      const child = spawn("/bin/bash", ["-c", 'head -c 2G /dev/zero | cat > "$0"', file], { stdio: "ignore" });
      scope.defer(() => {
        child.kill("SIGKILL");
      });
      child.once("error", fail).once("exit", (code) => {
        if (code === 0) done();
        else fail(new Error(`cat ended with ${code}`));
      });
    });
    peer.push((performance.now() - began) / 1000);
    if (statSync(file).size !== bytes) throw new Error("the file is not complete");
    rmSync(file);
  };
  const runOurs = async (): Promise<void> => {
    const began = performance.now();
    const id = await service.client.submit({ CommandLine: "head -c 2G /dev/zero" });
    const job = await service.client.finished(id, 60);
    client.push((performance.now() - began) / 1000);
    if (stringField(job, "State") !== "Succeeded" || field(job, "OutputBytes") !== bytes)
      throw new Error(`the job ended as ${JSON.stringify(job)}`);
    const [first] = listField(job, "Steps");
    step.push(at(stringField(first, "EndedAt")) - at(stringField(first, "StartedAt")));
    await service.client.json("DELETE", `/jobs/${id}`);
  };

  // The first run of each is not counted: it has to free page cache, the later ones do not.
  await runPeer();
  await runOurs();
  for (const list of [peer, step, client]) list.length = 0;
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? [runPeer, runOurs] : [runOurs, runPeer]) await one();
    progress(
      `round ${round + 1}: step ${seconds(step.at(-1) ?? 0)}, client ${seconds(client.at(-1) ?? 0)}, cat ${seconds(peer.at(-1) ?? 0)}`,
    );
  }
  const row = (name: string, ours: number[]): void => {
    const ratios = ours.map((time, round) => time / (peer[round] ?? Number.NaN));
    const value = median(ratios);
    report({
      name,
      ours: seconds(median(ours)),
      peer: seconds(median(peer)),
      measured: `${ratio(value)} (${spread(ratios)})`,
      demanded: "<= 1.05",
      verdict: atMost(value, 1.05),
    });
  };
  row("time of the step against head | cat > file", step);
  row("time seen by the client against head | cat > file", client);
}

/** Seconds. Date.parse drops the microseconds, which do not matter here. */
const at = (time: string): number => Date.parse(time) / 1000;
