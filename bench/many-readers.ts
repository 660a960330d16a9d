// Whether each of a thousand readers of one live job gets every byte, and how late.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { atMost } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import { median, ms, percentile } from "./lib/statistics.ts";

const readers = 1000;
const bursts = 32;
const burst = 32 * 1024;

export const benchmark: Benchmark = {
  name: "many-readers",
  title: `${readers} readers of one live job`,
  method:
    `A job writes ${bursts} bursts of ${burst / 1024} KiB of random bytes, one every 200 ms. ${readers} readers attach before the ` +
    "first one. The hash of what each reader got is compared with the hash of the job's output file. The delay is from the end of the " +
    "job to the end of each reader's stream. All readers run in one Node process on the same cores, which takes most of that time.",
  limitSeconds: 120,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  const service = await startService(scope);
  const gate = join(scope.directory, "gate");
  const id = await service.client.submit({
    CommandLine: `while [ ! -e ${gate} ]; do sleep 0.1; done; for i in {1..${bursts}}; do head -c ${burst} /dev/urandom; sleep 0.2; done`,
  });
  const agent = new Agent({ maxSockets: readers });
  scope.defer(() => {
    agent.destroy();
  });
  let attached = 0;
  const all = Array.from({ length: readers }, () =>
    read(agent, service.port, id, () => {
      attached++;
    }),
  );
  while (attached < readers) {
    await Promise.race([
      Promise.all(all),
      new Promise((done) => {
        setTimeout(done, 50);
      }),
    ]);
  }
  progress(`${readers} readers are attached`);
  await service.client.submit({ CommandLine: `touch ${gate}` });
  const job = await service.client.finished(id, 60);
  const finishedMs = performance.now();
  if (stringField(job, "State") !== "Succeeded") throw new Error(`the job ended as ${JSON.stringify(job)}`);
  const results = await Promise.all(all);
  const expected = createHash("sha256")
    .update(readFileSync(join(service.stateDirectory, "jobs", id, "output")))
    .digest("hex");
  const wrong = results.filter((result) => result.hash !== expected || result.bytes !== bursts * burst).length;
  report({
    name: "readers with wrong output",
    ours: `${readers} readers, ${(bursts * burst) / 2 ** 20} MiB each`,
    peer: "",
    measured: String(wrong),
    demanded: "0",
    verdict: atMost(wrong, 0),
  });
  const late = results.map((result) => Math.max(0, result.ended - finishedMs));
  report({
    name: "end of a reader after the end of the job",
    ours: `median ${ms(median(late))}`,
    peer: "",
    measured: `max ${ms(percentile(late, 1))}`,
    demanded: "",
    verdict: "for information",
  });
}

type Result = {
  hash: string;
  bytes: number;
  ended: number;
};

function read(agent: Agent, port: number, id: string, onAttached: () => void): Promise<Result> {
  return new Promise((done, fail) => {
    get({ host: "127.0.0.1", port, path: `/${id}/attach`, agent }, (answer) => {
      if (answer.statusCode !== 200) return fail(new Error(`attach answered ${answer.statusCode}`));
      onAttached();
      const hash = createHash("sha256");
      let bytes = 0;
      answer
        .on("data", (part: Buffer) => {
          hash.update(part);
          bytes += part.length;
        })
        .on("error", fail);
      answer.on("end", () => {
        done({ hash: hash.digest("hex"), bytes, ended: performance.now() });
      });
    }).on("error", fail);
  });
}
