// Starts jobrunner as users do: bin/jobrunner, a port, a state directory. Imports nothing of the program.
import { spawn } from "node:child_process";
import { existsSync, openSync, closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, inParallel } from "./http.ts";
import { type Build, programOf, thisBuild } from "./builds.ts";
import { type CpuMeter, machineMeter } from "./cpu.ts";
import { freePort, sleep } from "./tools.ts";
import type { Scope } from "./scope.ts";

export type Service = {
  port: number;
  pid: number;
  stateDirectory: string;
  client: Client;
  /** Milliseconds from the start of the process to the first 200 of GET /healthz. */
  readyAfter: number;
  stop: () => Promise<void>;
};

export type ServiceOptions = {
  build?: Build;
  environment?: Record<string, string>;
  stateDirectory?: string;
  /** Measures its CPU time. */
  meter?: CpuMeter | undefined;
};

export async function startService(scope: Scope, options: ServiceOptions = {}): Promise<Service> {
  const { build = thisBuild, environment = {}, meter = machineMeter } = options;
  const program = programOf(build);
  if (!existsSync(program)) throw new Error(`${program} is missing: build the project first`);
  const port = await freePort();
  const stateDirectory = options.stateDirectory ?? join(scope.directory, `state-${port}`);
  const logFile = join(scope.directory, `service-${port}.log`);
  const log = openSync(logFile, "w");
  const began = performance.now();
  const [command = program, ...args] = meter.enter([program]);
  const child = spawn(command, args, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...environment, JOBRUNNER_PORT: String(port), JOBRUNNER_STATE_DIR: stateDirectory },
  });
  closeSync(log);
  const pid = child.pid;
  if (pid === undefined) throw new Error("bin/jobrunner could not be started");
  let ended = false;
  const exit = new Promise<void>((done) => {
    child.once("exit", () => {
      ended = true;
      done();
    });
  });
  const client = new Client(port);
  const stop = async (): Promise<void> => {
    if (ended) return;
    await Promise.race([killJobs(client), exit, sleep(60_000)]);
    child.kill("SIGTERM");
    await Promise.race([exit, sleep(10_000)]);
    if (!ended) child.kill("SIGKILL");
    await exit;
    client.close();
  };
  scope.defer(stop);
  for (;;) {
    if (ended) throw new Error(`bin/jobrunner ended at once:\n${readFileSync(logFile, "utf8").slice(-2000)}`);
    if (performance.now() - began > 30_000) throw new Error("bin/jobrunner did not answer GET /healthz within 30 s");
    const answer = await client.call("GET", "/healthz").catch(() => null);
    if (answer?.status === 200) break;
    await sleep(3);
  }
  return { port, pid, stateDirectory, client, readyAfter: performance.now() - began, stop };
}

/** Kills all jobs through the service before it stops, because jobs outlive the service. */
async function killJobs(client: Client): Promise<void> {
  try {
    const ids = await client.running();
    await inParallel(ids, 16, async (id) => {
      await client.call("DELETE", `/${id}`);
    });
  } catch {
    // The scope kills the remaining processes by their directory.
  }
}
