import { signal } from "@preact/signals";
import type { Client, Job } from "../../../src/client/index.ts";
import type { Changes } from "../../service/changes.ts";
import { untilAnswered } from "../../service/connection.ts";

/** Runs of jobs with one name, newest first. `next` is the newer neighbour of the shown job. `isNewest`: they are the last runs. */
export type Runs = { jobs: readonly Job[]; previous: Job | null; next: Job | null; isNewest: boolean };

const shownRuns = 30;
const newerShown = 14;
/** A job that is not among so many runs has no history. */
const examinedRuns = 1000;
const pageSize = shownRuns + 1; // jobs with many steps are large

/** The last runs of a name, or, for a job that is older than these, the runs around it. */
export class RunHistory {
  /** Null: not known yet, or there is no other run. */
  readonly runs = signal<Runs | null>(null);
  readonly #client: Client;
  readonly #name: string;
  readonly #id: string;
  /** Newest first, from the newest one on. */
  #jobs: Job[] = [];
  #asking: AbortController | null = null;

  constructor({ client, name, id }: { client: Client; name: string; id: string }) {
    this.#client = client;
    this.#name = name;
    this.#id = id;
  }

  /** Returns the function that ends the updates. */
  start(changes: Changes): () => void {
    void this.#load();
    const unsubscribe = changes.subscribe({ onJob: (job) => this.#note(job), onGap: () => void this.#load() });
    return () => {
      unsubscribe();
      this.#asking?.abort();
    };
  }

  async #load(): Promise<void> {
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    try {
      this.#jobs = await untilAnswered(() => this.#gather(signal), { signal });
      this.#show();
    } catch {
      // The page shows what is wrong with the service; without a history, it is still the job's.
    }
  }

  async #gather(signal: AbortSignal): Promise<Job[]> {
    const jobs: Job[] = [];
    let wanted = examinedRuns;
    for await (const job of this.#client.jobs({ name: this.#name, limit: pageSize }, { signal })) {
      jobs.push(job);
      if (job.ID === this.#id) wanted = Math.max(shownRuns + 1, jobs.length - newerShown + shownRuns);
      if (jobs.length >= wanted) break;
    }
    return jobs;
  }

  #note(job: Job): void {
    if (job.Name !== this.#name) return;
    const index = this.#jobs.findIndex(({ ID }) => ID === job.ID);
    if (index === -1 && this.#jobs.some(({ ID }) => ID > job.ID)) return; // IDs are in the order of acceptance
    this.#jobs = index === -1 ? [job, ...this.#jobs] : this.#jobs.with(index, job);
    this.#show();
  }

  #show(): void {
    const index = this.#jobs.findIndex(({ ID }) => ID === this.#id);
    if (index === -1 || this.#jobs.length < 2) return void (this.runs.value = null);
    const first = index < shownRuns ? 0 : index - newerShown;
    this.runs.value = {
      jobs: this.#jobs.slice(first, first + shownRuns),
      previous: this.#jobs[index + 1] ?? null,
      next: this.#jobs[index - 1] ?? null,
      isNewest: first === 0,
    };
  }
}
