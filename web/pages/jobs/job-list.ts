import { batch, type Signal, signal } from "@preact/signals";
import type { Client, Job, JobQuery } from "../../../src/client/index.ts";
import type { Changes } from "../../service/changes.ts";
import { untilAnswered } from "../../service/connection.ts";
import { type Filter, fits } from "./filter.ts";

/** A job in the list. A change updates only its row. */
export type Row = { id: string; job: Signal<Job> };

export type Progress = { kind: "loading" } | { kind: "ready"; hasMore: boolean } | { kind: "failed"; problem: string };

const pageSize = 200;
const largestPage = 1000;
/** Changes within this time are shown together. */
const flushMs = 100;

/**
 * The jobs that match a filter, newest first: requested in pages as the user scrolls, then updated by events. While the list is held, no
 * row is added or removed, so that nothing moves under the pointer. New jobs are counted meanwhile.
 */
export class JobList {
  readonly rows = signal<readonly Row[]>([]);
  readonly progress = signal<Progress>({ kind: "loading" });
  /** The number of matching jobs that are not shown because the list is held. */
  readonly waiting = signal(0);
  filter: Filter = { states: [], labels: [], text: "" };
  /** The scroll position. */
  scrollTopPx = 0;

  readonly #client: Client;
  #isHeld = false;
  #cursor: string | null = null;
  #loading: AbortController | null = null;
  /** Changes that are not shown yet, by ID. */
  readonly #changes = new Map<string, Job>();
  /** Events during a request, by ID: the answer may be older. */
  readonly #heard = new Map<string, Job>();
  #flushTimer: ReturnType<typeof setTimeout> | null = null;

  constructor({ client, events }: { client: Client; events: Changes }) {
    this.#client = client;
    events.subscribe({ onJob: (job) => this.#note(job), onGap: () => void this.load() });
  }

  setFilter(filter: Filter): void {
    if (JSON.stringify(filter) === JSON.stringify(this.filter)) return;
    this.filter = filter;
    this.scrollTopPx = 0;
    batch(() => {
      this.rows.value = [];
      this.progress.value = { kind: "loading" };
    });
    void this.load();
  }

  /** Requests everything shown again. Rows of jobs that still exist are kept. */
  async load(): Promise<void> {
    const wanted = Math.max(pageSize, this.rows.value.length);
    await this.#fetch(async (signal) => {
      const { jobs, cursor } = await this.#gather({ wanted, from: null, signal });
      const before = new Map(this.rows.value.map((row) => [row.id, row]));
      this.#cursor = cursor;
      this.#changes.clear();
      batch(() => {
        this.#show(jobs.map((job) => refreshed(before.get(job.ID), job)));
        this.#goOn();
      });
    });
  }

  /** Loads the next page. */
  async loadMore(): Promise<void> {
    const from = this.#cursor;
    if (from === null || this.#loading !== null) return;
    await this.#fetch(async (signal) => {
      const { jobs, cursor } = await this.#gather({ wanted: pageSize, from, signal });
      const shown = new Set(this.rows.value.map(({ id }) => id));
      this.#cursor = cursor;
      for (const { ID } of jobs) this.#changes.delete(ID);
      batch(() => {
        this.#show([...this.rows.value, ...jobs.filter(({ ID }) => !shown.has(ID)).map((job) => refreshed(undefined, job))]);
        this.#goOn();
      });
    });
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#flush();
  }

  /** Shows the jobs that wait, although the list is held, because the user asked for it. */
  showWaiting(): void {
    const isHeld = this.#isHeld;
    this.release();
    this.#isHeld = isHeld;
  }

  /** Call when a job was removed. */
  forget(id: string): void {
    this.#changes.delete(id);
    this.#heard.delete(id);
    this.rows.value = this.rows.value.filter((row) => row.id !== id);
  }

  /** This number of jobs, or all. Pages may be short or empty, so several may be needed. */
  async #gather({
    wanted,
    from,
    signal,
  }: {
    wanted: number;
    from: string | null;
    signal: AbortSignal;
  }): Promise<{ jobs: Job[]; cursor: string | null }> {
    const jobs: Job[] = [];
    let cursor = from;
    do {
      const page = await this.#page({ limit: Math.min(largestPage, wanted - jobs.length), cursor, signal });
      jobs.push(...page.Jobs);
      cursor = page.NextCursor;
    } while (cursor !== null && jobs.length < wanted);
    return { jobs, cursor };
  }

  async #page({ limit, cursor, signal }: { limit: number; cursor: string | null; signal: AbortSignal }) {
    const { states, labels, text } = this.filter;
    const query: JobQuery = {
      limit,
      ...(states.length === 0 ? {} : { state: states }),
      ...(labels.length === 0 ? {} : { label: labels }),
      ...(text === "" ? {} : { text }),
      ...(cursor === null ? {} : { cursor }),
    };
    return await untilAnswered(() => this.#client.page(query, { signal }), { signal });
  }

  /** One request at a time: a newer one replaces it. */
  async #fetch(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#heard.clear();
    try {
      await work(loading.signal);
      this.progress.value = { kind: "ready", hasMore: this.#cursor !== null };
    } catch (error) {
      if (!loading.signal.aborted)
        this.progress.value = { kind: "failed", problem: error instanceof Error ? error.message : String(error) };
    } finally {
      if (this.#loading === loading) this.#loading = null;
    }
  }

  #show(rows: Row[]): void {
    this.rows.value = rows;
    this.waiting.value = 0;
  }

  /** The answer, updated by the events that came during the request. */
  #goOn(): void {
    for (const [id, job] of this.#heard) this.#changes.set(id, job);
    this.#flush();
  }

  #note(job: Job): void {
    if (this.#loading !== null) this.#heard.set(job.ID, job);
    this.#changes.set(job.ID, job);
    if (this.#flushTimer !== null) return;
    this.#flushTimer = setTimeout(() => {
      this.#flushTimer = null;
      this.#flush();
    }, flushMs);
  }

  #flush(): void {
    batch(() => {
      const shown = new Map(this.rows.value.map((row) => [row.id, row]));
      for (const job of this.#changes.values()) {
        const row = shown.get(job.ID);
        if (row !== undefined) refreshed(row, job);
      }
      const fresh = [...this.#changes.values()].filter((job) => !shown.has(job.ID) && fits(job, this.filter) && this.#isWithin(job));
      this.waiting.value = this.#isHeld ? fresh.length : 0;
      if (this.#isHeld) return;
      this.#changes.clear();
      const leaves = this.rows.value.some(({ job }) => !fits(job.value, this.filter));
      if (fresh.length === 0 && !leaves) return;
      const stay = leaves ? this.rows.value.filter(({ job }) => fits(job.value, this.filter)) : this.rows.value;
      this.rows.value = [...fresh.map((job) => refreshed(undefined, job)), ...stay].toSorted((a, b) => (a.id < b.id ? 1 : -1));
    });
  }

  /** Jobs older than all loaded ones come with their page. IDs sort in the order of acceptance. */
  #isWithin({ ID }: Job): boolean {
    return this.#cursor === null || ID > (this.rows.value.at(-1)?.id ?? "");
  }
}

function refreshed(row: Row | undefined, job: Job): Row {
  if (row === undefined) return { id: job.ID, job: signal(job) };
  row.job.value = job;
  return row;
}
