import { waitedForCpuMs } from "./processes.ts";

/** How long something took; `elapsedMs` counts also the time for which a process was ready and got no CPU. */
export type Took<Result> = { result: Result; ms: number; elapsedMs: number };

/**
 * How long it takes these processes to do something, without the time for which one of them waits for a CPU that other work of the machine
 * has: they are not slow then.
 */
export async function timed<Result>(pids: number[], action: () => Promise<Result>): Promise<Took<Result>> {
  const before = pids.map(waitedForCpuMs);
  const startMs = performance.now();
  const result = await action();
  const elapsedMs = performance.now() - startMs;
  const waitedMs = pids.map((pid, index) => waitedForCpuMs(pid) - (before[index] ?? 0));
  return { result, ms: Math.max(0, elapsedMs - Math.max(...waitedMs)), elapsedMs };
}
