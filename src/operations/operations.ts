import type { AuditLog } from "../audit/audit-log.ts";
import { WorkspaceFiles } from "../files/workspace-files.ts";
import { keyOf, nameOf, scopeOf } from "../identity/identity.ts";
import { isFinal, type JobView, type WholeJobView } from "../job/job.ts";
import { withoutEnvironment } from "../job/secrets.ts";
import type { SentSignal } from "../job/signals.ts";
import type { JobSpec } from "../job/spec.ts";
import type { AttachSource } from "../output/attach.ts";
import { type SearchOptions, searchOutput, type SearchResult } from "../output/search.ts";
import { styleAt, type StyleOptions, type StyleResult } from "../output/style.ts";
import type { OutputWatchers } from "../output/watcher.ts";
import type { Health, JobRunner } from "../runner/job-runner.ts";
import type { JobPage, JobQuery } from "../runner/list.ts";
import type { Remains } from "../runner/removal.ts";
import { authorize, type JobOperation } from "./access.ts";
import { actorOf, audited, type Caller } from "./audited.ts";
import { JobFiles } from "./files.ts";
import { type FoundJobs, JobAccess } from "./job-access.ts";
import { Refusal, unknownJob } from "./refusal.ts";
import { signalRefusal } from "./signal.ts";
import { fingerprint, refusalOf } from "./submit.ts";
import type { Turns } from "./turns.ts";

export type OperationDependencies = {
  runner: JobRunner;
  watchers: OutputWatchers;
  audit: AuditLog;
  /** For work on output, folders and lists, which jobs and clients can make large. */
  turns: Turns;
  /** For removals of folders, which take longer the more files there are. */
  removals: Turns;
  supervisorPath: string;
};

/** A job as its reader may see it. */
export type ShownJob = Omit<WholeJobView, "Spec"> & { Spec: WholeJobView["Spec"] | ReturnType<typeof withoutEnvironment> };

/** The output of a job. `job` returns its current state; null: it was removed. */
export type JobOutput = AttachSource & { id: string; job: () => JobView | null };

type Dependencies = Omit<OperationDependencies, "runner"> & { runner: FoundJobs };

/**
 * Everything that can be done with jobs. It checks the role and the ownership, and writes the audit log, so HTTP routes and every other way
 * in only translate. Each operation throws a Refusal if it is not permitted or not possible.
 */
export class Operations {
  readonly #jobs: JobAccess;
  readonly #dependencies: Dependencies;

  constructor(dependencies: OperationDependencies) {
    this.#jobs = new JobAccess(dependencies.runner);
    this.#dependencies = dependencies;
  }

  /**
   * Throws the refusal of an operation on a job before the rest of its request is read. The operation checks the same again. For a caller
   * that sees every job, only the operation looks whether the job exists.
   */
  permit(caller: Caller, operation: JobOperation, id: string): void {
    if (scopeOf(caller.identity) === null) authorize(caller.identity, operation);
    else this.#jobs.find(caller, operation, id);
  }

  /** IDs of the jobs that are Starting, Running or Stopping, oldest first. */
  listRunning(caller: Caller): string[] {
    return this.#jobs.runningIds(caller);
  }

  /** A page of the jobs that match. `isWanted` is false as soon as nobody waits for the page. */
  async list(caller: Caller, query: Omit<JobQuery, "owner">, isWanted: () => boolean): Promise<JobPage> {
    using pauses = this.#dependencies.turns.pausesOf(keyOf(caller.identity), isWanted);
    return await this.#jobs.list(caller, query, () => pauses.pause());
  }

  /** The owner whose jobs the caller may follow; null: every owner. */
  events({ identity }: Caller): { scope: string | null } {
    authorize(identity, "events");
    return { scope: scopeOf(identity) };
  }

  /** The ID of the new job, or of the job that the same identity submitted with the same key and the same spec before. */
  async submit(caller: Caller, spec: JobSpec, idempotencyKey: string | null): Promise<string> {
    const { identity } = caller;
    authorize(identity, "submit");
    const { runner, audit } = this.#dependencies;
    const submitter = { name: nameOf(identity), owner: identity.owner };
    const idempotency = idempotencyKey === null ? null : { key: idempotencyKey, fingerprint: fingerprint(spec) };
    const result = await runner.submit({ spec, submitter, idempotency });
    if (result.kind !== "accepted") throw refusalOf(result, spec);
    audit.writeSoon(actorOf(caller), { Event: "submit", Job: result.id, ...(spec.User === undefined ? {} : { User: spec.User }) });
    return result.id;
  }

  /** The job, without what the caller may not see. */
  get(caller: Caller, id: string): ShownJob {
    const job = this.#dependencies.runner.get(this.#jobs.find(caller, "get", id));
    if (job === null) throw unknownJob();
    return shownTo(caller, job);
  }

  /** Resolves with the finished job. Calls `onFound` before it waits. Throws a refusal if the signal aborts first. */
  async wait(caller: Caller, id: string, { signal, onFound }: { signal: AbortSignal; onFound: () => void }): Promise<ShownJob> {
    const found = this.#jobs.find(caller, "wait", id);
    onFound();
    const job = await this.#dependencies.runner.whenFinished(found, signal);
    if (job === null) throw unknownJob();
    if (!isFinal(job.State)) throw new Refusal("not-finished-in-time", `the job is ${job.State}: ask again, or attach to it`);
    return shownTo(caller, job);
  }

  /**
   * Resolves when nothing of the job is left; at once if it does not exist. When the signal aborts, the wait ends, and the job is stopped
   * all the same.
   */
  async kill(caller: Caller, id: string, { force, signal }: { force: boolean; signal: AbortSignal }): Promise<void> {
    const { runner, audit } = this.#dependencies;
    const job = this.#jobs.findAny(caller, "kill", id);
    if (job === null) return;
    if (!job.isFinished) audit.write(actorOf(caller), { Event: "kill", Job: id, Force: force });
    await runner.kill(job, { force, signal });
  }

  /** Sends a signal to the processes of the running step. The job goes on as the step does with it. */
  signal(caller: Caller, id: string, signal: SentSignal): void {
    const { runner, audit } = this.#dependencies;
    const job = this.#jobs.find(caller, "signal", id);
    const result = runner.signal(job, signal);
    if (result !== "sent") throw signalRefusal(result, signal, runner.view(job)?.State ?? null);
    audit.write(actorOf(caller), { Event: "signal", Job: id, Signal: signal });
  }

  /** Removes a finished job. Resolves with what could not be removed from the disk yet; null: nothing is left. */
  async remove(caller: Caller, id: string): Promise<Remains | null> {
    const { runner, audit } = this.#dependencies;
    const job = this.#jobs.find(caller, "remove", id);
    const work = async (): Promise<Remains | null> => {
      const result = await runner.remove(job);
      if (result.kind === "not-finished")
        throw new Refusal("not-finished", "only a finished job can be removed: kill it first with DELETE /ID");
      return result.remains;
    };
    return await audited(audit, caller, { event: { Event: "delete", Job: id }, work });
  }

  /** The output of the job, from its first byte on. */
  output(caller: Caller, id: string): JobOutput {
    const { runner, watchers } = this.#dependencies;
    const found = this.#jobs.find(caller, "output", id);
    const job = (): JobView | null => runner.view(found);
    return { id, directory: runner.directoryOf(found), watchers, isFinished: () => runner.isFinished(found), outcome: job, job };
  }

  /** Where a text is in the output. `isWanted` is false as soon as nobody waits for the result. */
  async search(caller: Caller, id: string, options: SearchOptions, isWanted: () => boolean): Promise<SearchResult> {
    const { runner, watchers, turns } = this.#dependencies;
    const directory = runner.directoryOf(this.#jobs.find(caller, "search", id));
    const work = (): Promise<SearchResult> => searchOutput({ directory, files: watchers.files }, options);
    return await turns.run(keyOf(caller.identity), { isWanted, work });
  }

  /** The style that holds at a byte of the output. `isWanted` is false as soon as nobody waits for the result. */
  async style(caller: Caller, id: string, options: StyleOptions, isWanted: () => boolean): Promise<StyleResult> {
    const { runner, watchers, turns } = this.#dependencies;
    const directory = runner.directoryOf(this.#jobs.find(caller, "style", id));
    const work = (): Promise<StyleResult> => styleAt({ directory, files: watchers.files }, options);
    return await turns.run(keyOf(caller.identity), { isWanted, work });
  }

  /** The files of the job's workspace. */
  files(caller: Caller, id: string): JobFiles {
    const { runner, supervisorPath } = this.#dependencies;
    const job = this.#jobs.find(caller, "files", id);
    const files = new WorkspaceFiles({ ...runner.workspaceOf(job), program: supervisorPath });
    return new JobFiles(this.#dependencies, caller, { job, files });
  }

  /** The state of the service, for everybody. The way in decides by the identity how much of it is shown. */
  health(): Health {
    return this.#dependencies.runner.health();
  }
}

/** The role `read` does not see values of variables. */
function shownTo({ identity }: Caller, job: WholeJobView): ShownJob {
  return identity.role === "read" ? { ...job, Spec: withoutEnvironment(job.Spec) } : job;
}
