import { readFileSync } from "node:fs";

/** This process's soft limit of stack size in bytes, which its jobs inherit; Infinity: none, or unknown. See proc_pid_limits(5). */
export function stackLimitBytes(): number {
  const bytes = /^Max stack size +(\d+) /m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return bytes === undefined ? Infinity : Number(bytes);
}
