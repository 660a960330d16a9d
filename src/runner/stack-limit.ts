import { readFileSync } from "node:fs";

/** The soft limit of stacks of this process, in bytes, which its jobs inherit; Infinity: none, or not known. proc_pid_limits(5). */
export function stackLimitBytes(): number {
  const bytes = /^Max stack size +(\d+) /m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return bytes === undefined ? Infinity : Number(bytes);
}
