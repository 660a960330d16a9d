import { setTimeout } from "node:timers/promises";

/**
 * Resolves when the condition holds, and fails with its name after a time that is long enough for a slow machine under load. This is the
 * only place where tests wait for time to pass.
 */
export async function waitFor(what: string, condition: () => boolean | Promise<boolean>, timeoutSeconds = 60): Promise<void> {
  const endMs = performance.now() + timeoutSeconds * 1000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutSeconds} s: ${what}`);
    await setTimeout(5);
  }
}
