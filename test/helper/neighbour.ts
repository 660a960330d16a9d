import { strict as assert } from "node:assert";
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Service } from "./service.ts";
import { createToken } from "./tokens.ts";

/**
 * What the neighbour has seen: how many of its requests were answered, the slowest of them without and with the wait for a CPU, and the
 * answers that were not 200.
 */
export type Seen = { checks: number; submissions: number; slowestMs: number; slowestElapsedMs: number; refusals: string[] };

const healthyMs = 500;

/**
 * Somebody else beside what a test does to the service: a token of its own that looks at its health and submits jobs, one request after the
 * other. In a process of its own, so that what keeps the test busy is not taken for the service's slowness.
 */
export class Neighbour {
  readonly #t: TestContext;
  readonly #process: ChildProcess;

  private constructor(t: TestContext, child: ChildProcess) {
    this.#t = t;
    this.#process = child;
  }

  static async moveIn(t: TestContext, service: Service, name = "neighbour"): Promise<Neighbour> {
    const token = await createToken(service, name, "submit");
    const child = fork(join(import.meta.dirname, "neighbour-process.ts"), [service.url, token, String(service.pid)]);
    t.after(() => child.kill("SIGKILL"));
    await said(child);
    return new Neighbour(t, child);
  }

  /** It stops, and its jobs have ended well. Fails where a request was refused, or took the service longer than half a second. */
  async wasNotDisturbed(): Promise<void> {
    const { checks, submissions, slowestMs, refusals } = await this.leave();
    assert.deepEqual(refusals, []);
    assert.ok(checks > 0 && submissions > 0, `${checks} health checks and ${submissions} submissions were answered`);
    assert.ok(slowestMs <= healthyMs, `a request of the neighbour took ${slowestMs.toFixed(0)} ms`);
  }

  /** It stops, when its jobs are finished. */
  async leave(): Promise<Seen> {
    this.#process.send("leave");
    const seen = await said(this.#process);
    this.#t.diagnostic(
      `the neighbour: ${seen.checks} health checks, ${seen.submissions} submissions, the slowest took ${seen.slowestMs.toFixed(0)} ms ` +
        `without the wait for a CPU, ${seen.slowestElapsedMs.toFixed(0)} ms with it, ${seen.refusals.length} were refused`,
    );
    return seen;
  }
}

function said(child: ChildProcess): Promise<Seen> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the neighbour's process has ended"))); // no effect after its report
    child.once("message", (seen: Seen) => resolve(seen));
  });
}
