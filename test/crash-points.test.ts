import { strict as assert } from "node:assert";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type Service, startService } from "./helper/service.ts";
import { childrenOf } from "./helper/processes.ts";
import { isTorture } from "./helper/torture.ts";
import { waitFor } from "./helper/wait.ts";

/**
 * Runs jobs repeatedly. strace (inject=…:signal=SIGKILL:when=N, strace(1)) kills a process as it enters its Nth call of a kind,
 * until there is no Nth call. Each kind has a minimum number of runs that must end by a kill, so a kind of call that no longer
 * happens fails the test.
 */
const hasStrace = canRun("strace");
const skip = hasStrace ? false : "strace is not installed";
/** Most of the time is waiting: for strace, and for the service to start again. */
const lanes = 3;
const shortPoints = [1, 2, 3, 5, 8];

const callsOfService = { pwrite64: 3, fsync: 1, mkdir: 1, openat: 1, write: 3, rename: 1, close: 1, epoll_pwait: 2 };

suite("the service", { concurrency: lanes }, () => {
  for (const [kind, least] of Object.entries(callsOfService)) {
    test(`the service killed at any ${kind} loses no answered job and runs none twice`, { skip }, async (t) => {
      const service = await startService(t);
      let kills = 0;
      for (let point = 1; ; point = nextPoint(point)) {
        const strace = await inject(service.pid, kind, point);
        const life = await liveOnce(service, `${kind}-${point}`);
        const crashed = await endOf(service, strace);
        if (crashed) await service.start();
        await assertRanOnce(service, life, `${kind} ${point}`);
        kills += Number(crashed);
        if (!crashed || (!isTorture && point >= (shortPoints.at(-1) ?? 0))) break;
      }
      t.diagnostic(`${kind}: killed at ${kills} points`);
      assert.ok(kills >= least, `killed at ${kills} points of ${kind}, where ${least} were to be expected`);
    });
  }
});

const ended = "Failed ExitCode 3 null";
const truthsAfterKill = ["Failed Signal null SIGKILL", "Lost SupervisorLost null null", "Failed CouldNotStart null null"];

/** The system calls of launcher, supervisor and job are counted separately. */
const callsOfJob = { openat: 4, read: 3, write: 3, pwrite64: 2, mkdir: 2, ppoll: 1, wait4: 2, close: 4, clone3: 1, poll: 1, exit_group: 1 };

suite("a job's processes", { concurrency: lanes }, () => {
  for (const [kind, least] of Object.entries(callsOfJob)) {
    test(`launcher, supervisor or job killed at any ${kind}: the record never says what is not so`, { skip }, async (t) => {
      const service = await startService(t);
      let kills = 0;
      for (const point of isTorture ? Array.from({ length: 40 }, (_, index) => index + 1) : shortPoints.slice(0, 4)) {
        const launcher = await service.launcher();
        await waitFor("no supervisor of an earlier life waits, which strace would not follow", () => childrenOf(launcher).length === 0);
        const strace = await inject(launcher, kind, point, ["-f"]);
        const id = await service.submit({ CommandLine: "echo one; echo two; exit 3" });
        const job = await service.wait(id);
        const wasKilled = await detach(strace);
        const output = (await service.output(id)).toString();
        assert.ok("one\ntwo\n".startsWith(output), output);
        const outcome = [job.State, job.Reason, String(job.ExitCode), String(job.Signal)].join(" ");
        const truths = wasKilled ? [ended, ...truthsAfterKill] : [ended];
        assert.ok(truths.includes(outcome), `${kind} ${point}: ${JSON.stringify(job)}`);
        if (outcome === ended) assert.equal(output, "one\ntwo\n");
        kills += Number(wasKilled);
      }
      t.diagnostic(`${kind}: killed at ${kills} points`);
      assert.ok(kills >= least, `killed at ${kills} points of ${kind}, where ${least} were to be expected`);
    });
  }
});

type Life = { key: string; id: string | null };

/** The same key after a crash must return the same job. */
const specBody = JSON.stringify({ CommandLine: "echo $JOBRUNNER_JOB_ID >> ../runs; echo out" });

async function liveOnce(service: Service, key: string): Promise<Life> {
  try {
    const answer = await service.call("POST", "/", { body: specBody, headers: { "Idempotency-Key": key } });
    const { ID: id }: { ID: string } = JSON.parse(answer.text);
    // Without the client, which would wait for the killed service to return.
    await service.call("GET", `/${id}/wait`).catch(() => undefined);
    return { key, id };
  } catch {
    return { key, id: null }; // The service was killed before it could answer.
  }
}

async function assertRanOnce(service: Service, { key, id }: Life, where: string): Promise<void> {
  if (id !== null) assert.equal((await service.get(id)).ID, id, `${where}: an answered job exists`);
  const again = await service.call("POST", "/", { body: specBody, headers: { "Idempotency-Key": key } });
  const { ID }: { ID: string } = JSON.parse(again.text);
  if (id !== null) assert.equal(ID, id, where);
  assert.equal((await service.wait(ID)).State, "Succeeded", where);
  assert.equal(readFileSync(join(service.stateDir, "jobs", ID, "runs"), "utf8"), `${ID}\n`, `${where}: ran once`);
  assert.equal((await service.output(ID)).toString(), "out\n", where);
}

function nextPoint(point: number): number {
  return isTorture ? point + 1 : (shortPoints.find((next) => next > point) ?? point + 1);
}

/** The strace that is attached to the process, and whether it has killed one. */
type Injection = { strace: ChildProcess; closed: Promise<unknown>; hasKilled: () => boolean };

/** Detaches after the first kill: each process has its own count, so a successor would be killed again. */
async function inject(pid: number, kind: string, point: number, options: string[] = []): Promise<Injection> {
  const injection = `inject=${kind}:signal=SIGKILL:when=${point}`;
  const strace = spawn("strace", [...options, "-e", `trace=${kind}`, "-e", injection, "-p", String(pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(strace, "close"); // with its whole output
  let said = "";
  const hasKilled = (): boolean => said.includes("killed by SIGKILL");
  strace.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (hasKilled()) strace.kill("SIGINT");
  });
  await waitFor("strace is attached", () => {
    assert.equal(strace.exitCode, null, said);
    return said.includes("attached");
  });
  return { strace, closed, hasKilled };
}

/**
 * Whether the service was killed. Detaches strace before asking, because an answer needs further calls, and one of them could be the Nth.
 */
async function endOf(service: Service, injection: Injection): Promise<boolean> {
  await detach(injection);
  const crashed = await service.call("GET", "/healthz").then(
    () => false,
    () => true,
  );
  if (crashed) await service.gone();
  return crashed;
}

/** Whether a process was killed. */
async function detach({ strace, closed, hasKilled }: Injection): Promise<boolean> {
  strace.kill("SIGINT");
  await closed;
  return hasKilled();
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
