import { scopeOf } from "../identity/identity.ts";
import type { JobReference, JobRunner } from "../runner/job-runner.ts";
import type { JobPage, JobQuery } from "../runner/list.ts";
import { authorize, type JobOperation, mayAccess } from "./access.ts";
import type { Caller } from "./audited.ts";
import { isJobId } from "./job-id.ts";
import { unknownJob } from "./refusal.ts";

/** The methods of the runner that find jobs of all owners. */
type WaysToJobs = Pick<JobRunner, "find" | "activeIds" | "list">;

/** The methods of the runner that work with found jobs. None takes an ID, so operations find jobs only through JobAccess. */
export type FoundJobs = Pick<
  JobRunner,
  "submit" | "get" | "view" | "whenFinished" | "isFinished" | "kill" | "signal" | "remove" | "directoryOf" | "workspaceOf" | "health"
>;

/** The only way from a caller to jobs: it leads to those that the caller may use for the operation. */
export class JobAccess {
  readonly #runner: WaysToJobs;

  constructor(runner: WaysToJobs) {
    this.#runner = runner;
  }

  /** Throws a refusal if the role does not permit the operation, the job does not exist, or the caller may not see it. */
  find(caller: Caller, operation: JobOperation, id: string): JobReference {
    const job = this.findAny(caller, operation, id);
    if (job === null) throw unknownJob();
    return job;
  }

  /**
   * Null: the job does not exist. A caller that sees only its own jobs is refused instead, so that it learns nothing about jobs of others.
   */
  findAny({ identity }: Caller, operation: JobOperation, id: string): JobReference | null {
    authorize(identity, operation);
    const job = isJobId(id) ? this.#runner.find(id) : null;
    if (!mayAccess(identity, job?.owner ?? null)) throw unknownJob();
    return job;
  }

  /** IDs of the caller's jobs that are Starting, Running or Stopping, oldest first. */
  runningIds({ identity }: Caller): string[] {
    authorize(identity, "listRunning");
    return this.#runner.activeIds(scopeOf(identity));
  }

  /** A page of the caller's jobs. `pause` is called as JobRunner says. */
  list({ identity }: Caller, query: Omit<JobQuery, "owner">, pause: () => Promise<void>): Promise<JobPage> {
    authorize(identity, "list");
    return this.#runner.list({ ...query, owner: scopeOf(identity) }, pause);
  }
}
