import { statSync } from "node:fs";
import { join } from "node:path";
import type { JobFacts } from "../../job/facts.ts";
import type { Attempt } from "../../job/start-failure.ts";
import type { ActiveJob } from "../active-job.ts";
import type { StopRequest } from "../executor.ts";
import { readAttempts } from "./attempts.ts";
import { sendControl } from "./control.ts";
import { StatusFile } from "./status.ts";

/** What the local executor knows of one job besides its phase. Nobody else reads or writes it. */
export class SupervisedJob {
  readonly job: ActiveJob;
  readonly status: StatusFile;
  /** The launcher does not know the job: the disk was full, its engine is not found yet, or its supervisor could not be started. */
  awaitsRetry = false;
  /** When the launcher was last asked to sweep what the supervisor left; null: never, or the asked launcher is gone. */
  sweepAskedMs: number | null = null;
  #stopRequest: StopRequest | null = null;
  #loggedRefusals = 0;
  #attempts: ReadonlyMap<number, Attempt> | null = null;

  constructor(job: ActiveJob) {
    this.job = job;
    this.status = new StatusFile(job.directory);
  }

  /** A stop that the supervisor has not been sent yet. */
  get stopRequest(): StopRequest | null {
    return this.#stopRequest;
  }

  /** Remembers a stop for the supervisor. A later request to terminate does not weaken a kill. */
  requestStop(how: StopRequest): void {
    if (this.#stopRequest !== "kill") this.#stopRequest = how;
  }

  /** Sends the remembered stop, which stays remembered until the supervisor has taken it or is gone. */
  sendStop(): void {
    if (this.#stopRequest === null) return;
    const sent = sendControl(this.job.directory, this.#stopRequest);
    if (sent === "alive" || sent === "dead") this.#stopRequest = null;
  }

  /** The size of its status file; null: no supervisor has claimed the job. */
  statusSize(): number | null {
    return statSync(join(this.job.directory, "status"), { throwIfNoEntry: false })?.size ?? null;
  }

  /** Refusals of the supervisor's state machine that this function has not returned yet. */
  newRefusals(refusals: string[]): string[] {
    const fresh = refusals.slice(this.#loggedRefusals);
    this.#loggedRefusals = refusals.length;
    return fresh;
  }

  /** Adds to the facts of steps that could not start what they were to execute. */
  addAttempts(facts: JobFacts): void {
    for (const [number, { failed }] of facts.steps) {
      if (failed === null) continue;
      this.#attempts ??= readAttempts(this.job.directory);
      failed.attempt = this.#attempts.get(number) ?? null;
    }
  }
}
