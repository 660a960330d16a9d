// How fast the output of a finished job is served, in comparison with nginx.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atLeast, skipped } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { Client, stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import { median, ratio, spread } from "./lib/statistics.ts";
import { find, freePort, numbers, runProgram, sleep } from "./lib/tools.ts";
import type { Scope } from "./lib/scope.ts";

const size = 2 ** 30;
const rounds = 9;

export const benchmark: Benchmark = {
  name: "attach",
  title: "serving 1 GiB of finished output",
  method:
    `${rounds} rounds of \`curl -o /dev/null\` of GET /ID/attach of a finished job that wrote 1 GiB of random bytes. The peer is nginx ` +
    "(one worker, sendfile on, access log off) with a copy of the same file on the same file system. Both files are in the page cache. " +
    "Throughput as curl reports it. The two take turns in going first.",
  limitSeconds: 180,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  const curl = find("curl");
  const nginx = find("nginx");
  if (curl === null) return report(skipped("throughput of attach", "curl is not installed"));
  if (nginx === null) return report(skipped("throughput of attach", "nginx is not installed"));
  const service = await startService(scope);
  const id = await service.client.submit({ CommandLine: "head -c 1G /dev/urandom" });
  const job = await service.client.finished(id, 100);
  if (stringField(job, "State") !== "Succeeded") throw new Error(`the job ended as ${JSON.stringify(job)}`);
  const port = await startNginx(scope, nginx, join(service.stateDirectory, "jobs", id, "output"));

  const fetchOnce = async (url: string): Promise<number> => {
    const [bytes = 0, speed = 0] = numbers(
      await runProgram(scope, curl, ["-sS", "-o", "/dev/null", "-w", "%{size_download} %{speed_download}", url], 60),
    );
    if (bytes !== size) throw new Error(`received ${bytes} bytes instead of ${size}`);
    return speed / 2 ** 20;
  };
  const ours = `http://127.0.0.1:${service.port}/${id}/attach`;
  const peer = `http://127.0.0.1:${port}/output`;
  await fetchOnce(ours);
  await fetchOnce(peer);
  const rates: { ours: number; peer: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const rate = { ours: 0, peer: 0 };
    if (round % 2 === 0) rate.ours = await fetchOnce(ours);
    rate.peer = await fetchOnce(peer);
    if (round % 2 === 1) rate.ours = await fetchOnce(ours);
    rates.push(rate);
    progress(`round ${round + 1}: ours ${mib(rate.ours)}, nginx ${mib(rate.peer)}`);
  }
  const ratios = rates.map((rate) => rate.ours / rate.peer);
  const value = median(ratios);
  report({
    name: "throughput against nginx",
    ours: mib(median(rates.map((rate) => rate.ours))),
    peer: mib(median(rates.map((rate) => rate.peer))),
    measured: `${ratio(value)} (${spread(ratios)})`,
    demanded: ">= 0.8",
    verdict: atLeast(value, 0.8),
  });
}

const mib = (rate: number): string => `${rate.toFixed(0)} MiB/s`;

async function startNginx(scope: Scope, program: string, output: string): Promise<number> {
  const folder = join(scope.directory, "nginx");
  mkdirSync(folder);
  copyFileSync(output, join(folder, "output"));
  const port = await freePort();
  // As root, nginx switches to another user, who may not enter our private directory.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  writeFileSync(
    join(folder, "nginx.conf"),
    `
    daemon off; ${user} worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 64; }
    http {
      access_log off; sendfile on; tcp_nopush on; default_type text/plain;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen 127.0.0.1:${port}; root ${folder}; }
    }`,
  );
  const child = spawn(program, ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  // SIGTERM, so that the master stops its worker.
  scope.defer(async () => {
    const gone = new Promise<void>((done) => {
      child.once("exit", () => {
        done();
      });
    });
    if (child.exitCode === null && child.kill("SIGTERM")) await Promise.race([gone, sleep(3000)]);
  });
  const client = new Client(port, 1);
  for (let tries = 0; tries < 200; tries++) {
    const answer = await client.call("HEAD", "/output").catch(() => null);
    if (answer?.status === 200) {
      client.close();
      return port;
    }
    await sleep(20);
  }
  throw new Error("nginx did not start");
}
