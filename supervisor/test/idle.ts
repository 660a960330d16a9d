import { readFileSync, readlinkSync } from "node:fs";
import type { TestContext } from "node:test";
import { Box, isLiving, type Job, pids, type Plan, until } from "./harness.ts";

/** Supervisors that have finished a job and wait for the next one: children of the launcher whose working directory is /. */

export const mostIdle = 16;
export const plain: Plan = { steps: [{ args: ["/bin/true"] }] };

export function openBox(t: TestContext, parent?: string): Box {
  const box = new Box(parent);
  t.after(() => box.close());
  return box;
}

export function read(look: () => string): string {
  try {
    return look();
  } catch {
    return ""; // it has just ended
  }
}

export function childrenOf(pid: number | undefined): number[] {
  return pids().filter(
    (child) => isLiving(child) && new RegExp(`^PPid:\\t${pid}$`, "m").test(read(() => readFileSync(`/proc/${child}/status`, "latin1"))),
  );
}

export function idleOnes(box: Box): number[] {
  return childrenOf(box.launcher.pid).filter(isIdle);
}

/** Whether it has left the job's folder and sleeps. */
export function isIdle(pid: number): boolean {
  return (
    read(() => readlinkSync(`/proc/${pid}/cwd`)) === "/" && /^State:\tS/m.test(read(() => readFileSync(`/proc/${pid}/status`, "latin1")))
  );
}

/** Runs the job to its end. Returns the process ID of its supervisor, which then waits. */
export async function runAndWait(box: Box, plan: Plan = plain): Promise<{ job: Job; pid: number }> {
  const job = await box.run(plan).finished();
  const pid = job.supervisorPid();
  await until("that it waits for the next job", () => isIdle(pid));
  return { job, pid };
}
