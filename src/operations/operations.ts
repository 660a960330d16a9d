import type { AuditLog } from "../audit/audit-log.ts";
import { WorkspaceFiles } from "../files/workspace-files.ts";
import { keyOf, nameOf, scopeOf } from "../identity/identity.ts";
import { isFinal, type JobView, type WholeJobView } from "../job/job.ts";
import { withoutEnvironment } from "../job/secrets.ts";
import type { JobSpec } from "../job/spec.ts";
import type { AttachSource } from "../output/attach.ts";
import { type SearchOptions, searchOutput, type SearchResult } from "../output/search.ts";
import type { OutputWatchers } from "../output/watcher.ts";
import type { Health, JobReference, JobRunner } from "../runner/job-runner.ts";
import type { JobPage, JobQuery } from "../runner/list.ts";
import type { Remains } from "../runner/removal.ts";
import { authorize, mayAccess, type OperationName } from "./access.ts";
import { actorOf, audited, type Caller } from "./audited.ts";
import { JobFiles } from "./files.ts";
import { isJobId } from "./job-id.ts";
import { Refusal, unknownJob } from "./refusal.ts";
import { refusalOf } from "./submit.ts";
import type { Turns } from "./turns.ts";

export type OperationDependencies = {
  runner: JobRunner;
  watchers: OutputWatchers;
  audit: AuditLog;
  /** For work over what a job or client can make large: a search, a folder. */
  turns: Turns;
  /** For removals of folders, each of which may take as long as it has files. */
  removals: Turns;
  supervisorPath: string;
};

/** A job as its reader may see it. */
export type ShownJob = Omit<WholeJobView, "Spec"> & { Spec: WholeJobView["Spec"] | ReturnType<typeof withoutEnvironment> };

/** The output of a job, and the job as it is at the moment. */
export type JobOutput = AttachSource & { id: string; job: () => JobView | null };

/**
 * Everything that can be done with jobs, for a caller whose role and ownership are checked here and nowhere else. HTTP routes and other
 * ways in are thin over it. Each operation throws a Refusal when it is not permitted or not possible, and writes its line into the audit
 * log.
 */
export class Operations {
  readonly #dependencies: OperationDependencies;

  constructor(dependencies: OperationDependencies) {
    this.#dependencies = dependencies;
  }

  /** Throws the refusal of an operation on a job, before its request is read any further. */
  permit({ identity }: Caller, operation: OperationName, id: string): void {
    authorize(identity, operation);
    if (scopeOf(identity) === null) return; // sees every job, so what is unknown the operation itself says
    const job = isJobId(id) ? this.#dependencies.runner.find(id) : null;
    if (job === null || !mayAccess(identity, job.owner)) throw unknownJob();
  }

  /** IDs of the jobs that are Starting, Running or Stopping, oldest first. */
  listRunning(caller: Caller): string[] {
    authorize(caller.identity, "listRunning");
    return this.#dependencies.runner.activeIds(scopeOf(caller.identity));
  }

  /** The ID of the new job, or of the job that came with the same key and body before. */
  async submit(caller: Caller, spec: JobSpec, idempotency: { key: string; fingerprint: string } | null): Promise<string> {
    authorize(caller.identity, "submit");
    const { runner, audit } = this.#dependencies;
    const submitter = { name: nameOf(caller.identity), owner: caller.identity.owner };
    const result = await runner.submit({ spec, submitter, idempotency });
    if (result.kind !== "accepted") throw refusalOf(result, spec);
    audit.writeSoon(actorOf(caller), { Event: "submit", Job: result.id, ...(spec.User === undefined ? {} : { User: spec.User }) });
    return result.id;
  }

  /** The job, without what the caller may not see. */
  get(caller: Caller, id: string): ShownJob {
    const { runner } = this.#dependencies;
    const job = runner.get(this.#find(caller, "get", id).id);
    if (job === null) throw unknownJob();
    return shownTo(caller, job);
  }

  /**
   * Resolves when the job is finished. `onFound` is called before the wait begins. When the signal aborts first, the operation is refused.
   */
  async wait(caller: Caller, id: string, { signal, onFound }: { signal: AbortSignal; onFound: () => void }): Promise<ShownJob> {
    const { runner } = this.#dependencies;
    const found = this.#find(caller, "wait", id);
    onFound();
    const job = await runner.whenFinished(found.id, signal);
    if (job === null) throw unknownJob();
    if (!isFinal(job.State)) throw new Refusal("not-finished-in-time", `the job is ${job.State}: ask again, or attach to it`);
    return shownTo(caller, job);
  }

  /**
   * Resolves when nothing of the job is left; at once if it does not exist. A caller that sees only its own jobs learns nothing of others.
   */
  async kill(caller: Caller, id: string, { force, signal }: { force: boolean; signal: AbortSignal }): Promise<void> {
    authorize(caller.identity, "kill");
    const { runner, audit } = this.#dependencies;
    const job = isJobId(id) ? runner.find(id) : null;
    if (!mayAccess(caller.identity, job?.owner ?? null)) throw unknownJob();
    if (job === null) return;
    if (!job.isFinished) audit.write(actorOf(caller), { Event: "kill", Job: id, Force: force });
    await runner.kill(id, { force, signal });
  }

  /** Removes a finished job. What could not be removed from the disk yet; null: nothing is left. */
  async remove(caller: Caller, id: string): Promise<Remains | null> {
    const { runner, audit } = this.#dependencies;
    const job = this.#find(caller, "remove", id);
    const work = async (): Promise<Remains | null> => {
      const result = await runner.remove(job.id);
      if (result.kind === "unknown") throw unknownJob();
      if (result.kind === "not-finished")
        throw new Refusal("not-finished", "only a finished job can be removed: kill it first with DELETE /ID");
      return result.remains;
    };
    return await audited(audit, caller, { event: { Event: "delete", Job: id }, work });
  }

  /** A page of the jobs that match. `isWanted` is false as soon as nobody waits for it. */
  async list(caller: Caller, query: Omit<JobQuery, "owner">, isWanted: () => boolean): Promise<JobPage> {
    authorize(caller.identity, "list");
    const { runner, turns } = this.#dependencies;
    using pauses = turns.pausesOf(keyOf(caller.identity), isWanted);
    return await runner.list({ ...query, owner: scopeOf(caller.identity) }, () => pauses.pause());
  }

  output(caller: Caller, jobId: string): JobOutput {
    const { runner, watchers } = this.#dependencies;
    const { id } = this.#find(caller, "output", jobId);
    const job = (): JobView | null => runner.view(id);
    return { id, directory: runner.directoryOf(id), watchers, isFinished: () => runner.isFinished(id), outcome: job, job };
  }

  async search(caller: Caller, id: string, options: SearchOptions, isWanted: () => boolean): Promise<SearchResult> {
    const { runner, watchers, turns } = this.#dependencies;
    const directory = runner.directoryOf(this.#find(caller, "search", id).id);
    const work = (): Promise<SearchResult> => searchOutput({ directory, files: watchers.files }, options);
    return await turns.run(keyOf(caller.identity), { isWanted, work });
  }

  files(caller: Caller, id: string): JobFiles {
    const { runner, supervisorPath } = this.#dependencies;
    const job = this.#find(caller, "files", id);
    const files = new WorkspaceFiles({ ...runner.workspaceOf(job.id), program: supervisorPath });
    return new JobFiles(this.#dependencies, caller, { job, files });
  }

  /** The owner whose jobs alone the caller hears of; null: of all. */
  events(caller: Caller): { scope: string | null } {
    authorize(caller.identity, "events");
    return { scope: scopeOf(caller.identity) };
  }

  /** For everybody; what of it a caller may see, the caller's way in decides by its identity. */
  health(): Health {
    return this.#dependencies.runner.health();
  }

  /** The only way to a job: an existing one that the caller may use for the operation. */
  #find({ identity }: Caller, operation: OperationName, id: string): JobReference {
    authorize(identity, operation);
    const job = isJobId(id) ? this.#dependencies.runner.find(id) : null;
    if (job === null || !mayAccess(identity, job.owner)) throw unknownJob();
    return job;
  }
}

/** The role `read` does not see values of variables. */
function shownTo({ identity }: Caller, job: WholeJobView): ShownJob {
  return identity.role === "read" ? { ...job, Spec: withoutEnvironment(job.Spec) } : job;
}
