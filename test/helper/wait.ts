import { setTimeout } from "node:timers/promises";

/**
 * Resolves when the condition holds; fails by name when it does not within the time, which tells what hangs from what is slow, on a slow
 * machine full of jobs too. The only place where tests let time pass.
 */
export async function waitFor(what: string, condition: () => boolean | Promise<boolean>, timeoutSeconds = 60): Promise<void> {
  const endMs = performance.now() + timeoutSeconds * 1000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutSeconds} s: ${what}`);
    await setTimeout(5);
  }
}
