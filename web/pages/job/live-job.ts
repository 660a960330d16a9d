import { signal } from "@preact/signals";
import { ApiError, type Client, type Job, type WholeJob } from "../../../src/client/index.ts";
import { untilAnswered } from "../../service/connection.ts";
import type { Events } from "../../service/events.ts";
import { problemWords } from "../../service/problem-words.ts";
import { isActive } from "../../service/format.ts";

export type JobFound = { kind: "loading" } | { kind: "found"; job: WholeJob } | { kind: "missing" } | { kind: "failed"; problem: string };

/** The present state of a job: requested once, updated by events, and requested again when events may have been missed. */
export class LiveJob {
  readonly found = signal<JobFound>({ kind: "loading" });
  readonly #client: Client;
  readonly #id: string;
  #asking: AbortController | null = null;
  /** The last event during a request: the answer may be older. */
  #heard: Job | null = null;

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.#id = id;
  }

  /** Returns the function that ends the updates. */
  start(events: Events): () => void {
    void this.ask();
    const unsubscribe = events.subscribe({ onJob: (job) => this.note(job), onGap: () => void this.ask() });
    return () => {
      unsubscribe();
      this.#asking?.abort();
    };
  }

  async ask(): Promise<void> {
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    this.#heard = null;
    try {
      const job = await untilAnswered(() => this.#client.job(this.#id, { signal }), { signal });
      this.found.value = { kind: "found", job };
      if (this.#heard !== null) this.note(this.#heard);
    } catch (error) {
      if (signal.aborted) return;
      const isMissing = error instanceof ApiError && (error.status === 404 || error.status === 400);
      if (isMissing) this.found.value = { kind: "missing" };
      else if (this.found.value.kind !== "found") this.found.value = { kind: "failed", problem: problemWords(error) };
    }
  }

  /** Takes an event of any job. It may be older than the known state. */
  note(job: Job): void {
    if (job.ID === this.#id) this.#heard = job;
    const { value } = this.found;
    if (job.ID !== this.#id || value.kind !== "found" || (isActive(job) && !isActive(value.job))) return;
    this.found.value = { kind: "found", job: { ...value.job, ...job } };
  }
}
