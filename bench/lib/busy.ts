// Other work on the machine: shells that fork in a loop, as builds do.
import { spawn } from "node:child_process";
import { sleep } from "./tools.ts";
import type { Scope } from "./scope.ts";

/** Starts that many shells. The returned function ends them. */
export async function startForkers(scope: Scope, count: number): Promise<() => void> {
  const all = Array.from({ length: count }, () =>
    spawn("/bin/bash", ["-c", "while :; do /bin/true; done"], { stdio: "ignore", cwd: scope.directory }),
  );
  const end = (): void => {
    for (const child of all) child.kill("SIGKILL");
  };
  scope.defer(end);
  await sleep(500);
  return end;
}
