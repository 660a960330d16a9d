import { strict as assert } from "node:assert";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { waitFor } from "./wait.ts";

/** Makes system calls of a running process fail, by strace(1). */

/** The value for `skip` of a test. */
export const withoutStrace = spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";

/**
 * From now on, these calls of the process's main thread on this file fail as `how` says, in the syntax of strace's inject=. The file is
 * named as in /proc/PID/fd: a path, or "pipe:[inode]". It ends with the test, or by a call of the returned function.
 */
export async function injectFailure(
  t: TestContext,
  { pid, call, file, how }: { pid: number; call: string; file: string; how: string },
): Promise<() => Promise<void>> {
  const words = ["-P", file, "-e", `trace=${call}`, "-e", `inject=${call}:${how}`, "-p", String(pid)];
  const strace: ChildProcess = spawn("strace", words, { stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(strace, "close");
  t.after(() => strace.kill("SIGKILL"));
  let said = "";
  strace.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await waitFor("strace is attached", () => {
    assert.equal(strace.exitCode, null, said);
    return said.includes("attached");
  });
  return async () => {
    strace.kill("SIGINT");
    await closed;
  };
}
