import type { AuditLog } from "../audit/audit-log.ts";
import type { Listing, Page } from "../files/listing.ts";
import { type Name, textOf } from "../files/names.ts";
import type { Opened, WorkspaceFiles } from "../files/workspace-files.ts";
import { keyOf } from "../identity/identity.ts";
import type { JobReference } from "../runner/job-runner.ts";
import { audited, type Caller } from "./audited.ts";
import { withRefusals } from "./file-refusals.ts";
import type { Turns } from "./turns.ts";

export type FilesDependencies = { audit: AuditLog; turns: Turns; removals: Turns };

/** Called when a folder is about to be read into memory. Throws a refusal if there is no room for it. */
type OnFolder = () => void;

export type Found = (Opened & { kind: "file" }) | { kind: "listing"; mode: number; listing: Listing };

/** The files of one job's workspace for a caller who may use them. Only Operations makes one, after that check. */
export class JobFiles {
  readonly #dependencies: FilesDependencies;
  readonly #caller: Caller;
  readonly #job: JobReference;
  readonly #files: WorkspaceFiles;

  constructor(dependencies: FilesDependencies, caller: Caller, { job, files }: { job: JobReference; files: WorkspaceFiles }) {
    this.#dependencies = dependencies;
    this.#caller = caller;
    this.#job = job;
    this.#files = files;
  }

  /** An open file, which the caller closes, or a page of a folder. */
  read(path: Name[], page: Page, onFolder: OnFolder): Promise<Found> {
    const work = async (): Promise<Found> => {
      const opened = await this.#files.open(path);
      if (opened.kind === "file") return opened;
      await using folder = opened.folder;
      onFolder();
      return { kind: "listing", mode: opened.stats.mode, listing: await this.#files.list(folder, page) };
    };
    return withRefusals(() => this.#inTurn(page.isWanted, work));
  }

  /** Replaces a file, whole or not at all. `mode`: its permissions. */
  async write(path: Name[], content: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
    const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => this.#inTurn(() => true, work);
    await this.#change("file written", path, () => this.#files.write(path, content, { mode, inTurn }));
  }

  /** Creates a folder, or gives an existing one the permissions. */
  async makeFolder(path: Name[], mode: number): Promise<void> {
    await this.#change("folder made", path, () =>
      this.#inTurn(
        () => true,
        () => this.#files.makeFolder(path, mode),
      ),
    );
  }

  async remove(path: Name[], { isRecursive }: { isRecursive: boolean }): Promise<void> {
    const { removals } = this.#dependencies;
    const work = (): Promise<number> => this.#files.remove(path, { isRecursive });
    await this.#change("file removed", path, () => removals.run(this.#key, { isWanted: () => true, work }));
  }

  get #key(): string {
    return keyOf(this.#caller.identity);
  }

  #inTurn<Result>(isWanted: () => boolean, work: () => Promise<Result>): Promise<Result> {
    return this.#dependencies.turns.run(this.#key, { isWanted, work });
  }

  #change<Result>(what: "file written" | "folder made" | "file removed", path: Name[], work: () => Promise<Result>): Promise<Result> {
    const event = { Event: what, Job: this.#job.id, Path: textOf(path.join("/")) } as const;
    return audited(this.#dependencies.audit, this.#caller, { event, work: () => withRefusals(work) });
  }
}
