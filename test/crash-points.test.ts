import { strict as assert } from "node:assert";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Service, startService } from "./helper/service.ts";
import { isTorture } from "./helper/torture.ts";
import { waitFor } from "./helper/wait.ts";

/**
 * One job's life, again and again; strace (inject=…:signal=SIGKILL:when=N, strace(1)) kills a process as it enters its Nth call of a kind,
 * until a life passes in which there is no Nth.
 */
const hasStrace = canRun("strace");
const skip = hasStrace ? false : "strace is not installed";
const kinds = ["pwrite64", "fdatasync", "mkdir", "openat", "write", "writev", "rename", "close", "epoll_pwait"];
const shortPoints = [1, 2, 3, 5, 8];

for (const kind of kinds) {
  test(`the service killed at any ${kind} loses no answered job and runs none twice`, { skip }, async (t) => {
    const service = await startService(t);
    for (let point = 1; ; point = nextPoint(point)) {
      const strace = await inject(service.pid, kind, point);
      const life = await liveOnce(service, `${kind}-${point}`);
      const crashed = await endOf(service, strace);
      if (crashed) await service.start();
      await assertRanOnce(service, life, `${kind} ${point}`);
      if (!crashed || (!isTorture && point >= (shortPoints.at(-1) ?? 0))) break;
    }
  });
}

for (const kind of ["openat", "write", "mkdir", "wait4", "splice", "poll", "close", "exit_group"]) {
  test(`launcher, supervisor or job killed at any ${kind}: the record never says what is not so`, { skip }, async (t) => {
    const service = await startService(t);
    for (const point of isTorture ? Array.from({ length: 40 }, (_, index) => index + 1) : shortPoints.slice(0, 4)) {
      const strace = await inject(await service.launcher(), kind, point, ["-f"]);
      const id = await service.submit({ CommandLine: "echo one; echo two; exit 3" });
      const job = await service.wait(id);
      await detach(strace);
      const output = (await service.output(id)).toString();
      assert.ok("one\ntwo\n".startsWith(output), output);
      const truths = [
        "Failed ExitCode 3 null",
        "Failed Signal null SIGKILL",
        "Lost SupervisorLost null null",
        "Failed CouldNotStart null null",
      ];
      assert.ok(
        truths.includes([job.State, job.Reason, String(job.ExitCode), String(job.Signal)].join(" ")),
        `${kind} ${point}: ${JSON.stringify(job)}`,
      );
      if (job.Reason === "ExitCode") assert.equal(output, "one\ntwo\n");
    }
  });
}

type Life = { key: string; id: string | null };

/** The same key again after a crash must give the same job. */
const specBody = JSON.stringify({ CommandLine: "echo $JOBRUNNER_JOB_ID >> ../runs; echo out" });

async function liveOnce(service: Service, key: string): Promise<Life> {
  try {
    const answer = await service.call("POST", "/", { body: specBody, headers: { "Idempotency-Key": key } });
    const { ID: id }: { ID: string } = JSON.parse(answer.text);
    // Not by the client, which would wait for the killed service to come back.
    await service.call("GET", `/${id}/wait`).catch(() => undefined);
    return { key, id };
  } catch {
    return { key, id: null }; // It was killed before it could answer.
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

/** It lets go after the first kill: the count is each process's own, so that whatever is started instead would be killed again. */
async function inject(pid: number, kind: string, point: number, options: string[] = []): Promise<ChildProcess> {
  const injection = `inject=${kind}:signal=SIGKILL:when=${point}`;
  const strace = spawn("strace", [...options, "-e", `trace=${kind}`, "-e", injection, "-p", String(pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  strace.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes("killed by SIGKILL")) strace.kill("SIGINT");
  });
  await waitFor("strace is attached", () => {
    assert.equal(strace.exitCode, null, said);
    return said.includes("attached");
  });
  return strace;
}

/**
 * Whether the service was killed. It is let go before it is asked, since to answer is to live on: another of the calls, and the last one.
 */
async function endOf(service: Service, strace: ChildProcess): Promise<boolean> {
  await detach(strace);
  const crashed = await service.call("GET", "/healthz").then(
    () => false,
    () => true,
  );
  if (crashed) await service.gone();
  return crashed;
}

async function detach(strace: ChildProcess): Promise<void> {
  strace.kill("SIGINT");
  await waitFor("strace has let go", () => strace.exitCode !== null || strace.signalCode !== null);
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
