import { strict as assert } from "node:assert";
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Service } from "./service.ts";
import { createToken } from "./tokens.ts";

/**
 * The neighbour's measurements: the number of answers, the slowest of them without and with the wait for a CPU, and the answers that were
 * not 200.
 */
export type Seen = { checks: number; submissions: number; slowestMs: number; slowestElapsedMs: number; refusals: string[] };

const healthyMs = 500;

/**
 * Another client beside the test: it has a token of its own, polls the service's health and submits jobs, one request after the other. It
 * is a separate process, so that a busy test process is not mistaken for a slow service.
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

  /** Stops it and waits for its jobs. Fails if a request was refused, or took longer than half a second. */
  async wasNotDisturbed(): Promise<void> {
    const { checks, submissions, slowestMs, refusals } = await this.leave();
    assert.deepEqual(refusals, []);
    assert.ok(checks > 0 && submissions > 0, `${checks} health checks and ${submissions} submissions were answered`);
    assert.ok(slowestMs <= healthyMs, `a request of the neighbour took ${slowestMs.toFixed(0)} ms`);
  }

  /** Stops it when its jobs are finished. */
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
