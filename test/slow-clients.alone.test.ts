import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { timed } from "./helper/answer-time.ts";
import { openFilesOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** slowhttptest, as Debian packages it: opens many connections that are deliberately slow. */
const isInstalled = spawnSync("slowhttptest", ["-h"], { stdio: "ignore" }).error === undefined;
const skip = isInstalled || process.env["CI"] !== undefined ? false : "the Debian package slowhttptest is not installed";

const connections = 500;
const healthyMs = 500;

/**
 * Clients that never complete a request are disconnected long before they want to leave. A client that reads may be as slow as it likes.
 */
const quick = { JOBRUNNER_HEADERS_TIMEOUT_SECONDS: "5", JOBRUNNER_REQUEST_TIMEOUT_SECONDS: "6" };
const untilCutOff = ["-l", "60", "-i", "1"];
// small windows, and a few bytes a second taken of them
const slowReading = ["-l", "10", "-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32"];

const attacks = [
  { title: "send their headers slowly", options: ["-H", ...untilCutOff], path: () => "/healthz", ending: "No open connections left" },
  { title: "send a job slowly", options: ["-B", "-s", "65536", ...untilCutOff], path: () => "/", ending: "No open connections left" },
  {
    title: "read what a finished job wrote slowly",
    options: slowReading,
    path: ({ finished }: Ids) => `/${finished}/attach`,
    ending: "Hit test time limit",
  },
  {
    title: "read what a running job writes slowly",
    options: slowReading,
    path: ({ running }: Ids) => `/${running}/attach`,
    ending: "Hit test time limit",
  },
];

type Ids = { finished: string; running: string };

for (const { title, options, path, ending } of attacks) {
  test(`${connections} clients that ${title} hold up nobody else`, { skip, timeout: 120_000 }, async (t) => {
    assert.ok(isInstalled, "the Debian package slowhttptest is not installed");
    const service = await startService(t, { environment: quick });
    const ids = await makeJobs(service);
    const steady = await service.submit({ CommandLine: "for ((i = 0; ; i++)); do echo line $i; sleep 0.01; [ -e over ] && exit 7; done" });
    const reader = await service.attach(steady);
    await reader.until("line 0\n");
    const before = openFilesOf(service.pid).length;

    const attack = startAttack(t, [...options, "-u", `${service.url}${path(ids)}`]);
    const worst = { ms: 0, elapsedMs: 0, connections: 0 };
    while (!attack.isFinished()) {
      const { ms, elapsedMs } = await checkHealth(service);
      worst.ms = Math.max(worst.ms, ms);
      worst.elapsedMs = Math.max(worst.elapsedMs, elapsedMs);
      worst.connections = Math.max(worst.connections, socketsOf(service) - 1);
    }
    assert.ok(attack.output().includes(ending), attack.output());
    t.diagnostic(
      `slowest of the health checks: ${worst.ms.toFixed(0)} ms without the wait for a CPU, ${worst.elapsedMs.toFixed(0)} ms with it, ` +
        `beside ${worst.connections} connections`,
    );
    assert.ok(worst.connections >= connections * 0.9, `only ${worst.connections} connections at once: ${attack.output()}`);
    assert.ok(worst.ms <= healthyMs, `a health check took ${worst.ms.toFixed(0)} ms`);

    writeFileSync(join(service.workspaceOf(steady), "over"), "");
    await reader.ended;
    const lines = reader.received().toString().split("\n").slice(0, -1);
    assert.deepEqual(
      lines,
      lines.map((_, index) => `line ${index}`),
    );
    assert.ok(lines.length > 100, `${lines.length} lines`);
    assert.ok((await service.output(steady)).equals(reader.received()));
    assert.equal((await service.get(steady)).ExitCode, 7);
    await waitFor("no connection of the attack is left", () => openFilesOf(service.pid).length <= before);
    assert.equal((await service.run({ CommandLine: "echo after" })).output.toString(), "after\n");
  });
}

/** A large output that keeps growing. */
async function makeJobs(service: Service): Promise<Ids> {
  const finished = await service.submit({ CommandLine: "yes | head -c 8M" });
  assert.equal((await service.wait(finished)).State, "Succeeded");
  const running = await service.submit({
    CommandLine: "yes | head -c 8M; for ((i = 0; i < 2000; i++)); do yes | head -c 10K; sleep 0.02; done",
  });
  await waitFor("the running job has written a lot", async () => ((await service.get(running)).OutputBytes ?? 0) > 8 << 20);
  return { finished, running };
}

async function checkHealth(service: Service): Promise<{ ms: number; elapsedMs: number }> {
  const { result, ...took } = await timed([service.pid, process.pid], () => service.call("GET", "/healthz"));
  assert.equal(result.status, 200);
  return took;
}

function socketsOf({ pid }: Service): number {
  return openFilesOf(pid).filter((file) => file.startsWith("socket:")).length;
}

type Attack = { isFinished(): boolean; output(): string };

function startAttack(t: TestContext, options: string[]): Attack {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-slow-")); // it may write files into its working directory
  const args = ["-c", String(connections), "-r", "200", "-p", "3", ...options];
  const child = spawn("slowhttptest", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return { isFinished: () => child.exitCode !== null || child.signalCode !== null, output: () => text };
}
