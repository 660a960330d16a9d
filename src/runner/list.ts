import { type JobFilter, matchesFilter } from "../job/filter.ts";
import { type FinalState, isFinal, type JobState, type JobView } from "../job/job.ts";
import { readView } from "../job/recorded-view.ts";
import { type Bounds, charactersOf, type FinishedJobs } from "../store/listing.ts";
import type { Store } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";

export type JobQuery = JobFilter & {
  states: JobState[]; // none: any state
  limit: number;
  cursor: string | null; // opaque, from the page before
};

/** `NextCursor` null: this is the last page. */
export type JobPage = { Jobs: JobView[]; NextCursor: string | null };

type Entry = { seq: number; view: () => JobView; characters: (view: JobView) => number };

/** Characters of JSON. A page of large jobs ends early: a thousand jobs may have half a megabyte each. */
const mostCharacters = 4 << 20;

/** How long one request searches; the client may continue with the cursor. */
const mostMs = 150;
/**
 * How long one turn of the event loop may take. Each step checks twice, as many, or half as many jobs as the step before, to stay between
 * the two.
 */
const turnMs = 5;
const longTurnMs = 15;
const mostRows = 4096;
/** A job may have 64 labels: a text that nearly matches all of them takes some milliseconds per job. */
const firstRows = { withText: 16, withoutText: 256 };

/** `active`: by ID, in order of acceptance. */
export type Jobs = { store: Store; active: ReadonlyMap<string, ActiveJob> };

/**
 * A page of jobs, newest first: active jobs from memory and finished jobs from the database. The page ends at the limit, when it is full,
 * or when its time is up. The search goes down the order of acceptance range by range, and pauses between turns of the event loop. It
 * checks memory and database for the same range in the same turn, so that a job that ends meanwhile is found in one of them.
 */
export async function listJobs(jobs: Jobs, query: JobQuery, pause: () => Promise<void>): Promise<JobPage> {
  const walk = new Walk(jobs, query);
  const page = new Page(query.limit);
  let below = query.cursor === null ? Number.MAX_SAFE_INTEGER : Number.parseInt(query.cursor, 36);
  let rows = query.text === null ? Math.min(firstRows.withoutText, query.limit + 1) : firstRows.withText;
  let workedMs = 0;
  for (let turnStartMs = performance.now(); workedMs < mostMs;) {
    const startMs = performance.now();
    const bounds = { lowest: walk.reach(below, rows), below };
    if (!walk.within(bounds, page.missing).every((entry) => page.add(entry))) return page.endingAt(page.lastSeq);
    if (bounds.lowest === 0) return page.endingAt(null);
    below = bounds.lowest;
    const nowMs = performance.now();
    const tookMs = nowMs - startMs;
    workedMs += tookMs;
    if (tookMs < turnMs) rows = Math.min(2 * rows, mostRows);
    else if (tookMs > longTurnMs) rows = Math.ceil(rows / 2);
    if (nowMs - turnStartMs < turnMs) continue;
    await pause();
    turnStartMs = performance.now();
  }
  return page.endingAt(below);
}

class Page {
  readonly #limit: number;
  readonly #jobs: JobView[] = [];
  #characters = 0;
  lastSeq = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How much the page still takes: one job more than the limit, which shows whether there is a next page. */
  get missing(): { jobs: number; characters: number } {
    return { jobs: this.#limit + 1 - this.#jobs.length, characters: mostCharacters - this.#characters };
  }

  /** False: the page is full, and the job belongs to the next one. */
  add({ seq, view, characters }: Entry): boolean {
    if (this.#jobs.length === this.#limit || this.#characters > mostCharacters) return false;
    const job = view();
    this.#jobs.push(job);
    this.#characters += characters(job);
    this.lastSeq = seq;
    return true;
  }

  /** The next page begins below this seq; null: there is none. */
  endingAt(seq: number | null): JobPage {
    return { Jobs: this.#jobs, NextCursor: seq === null ? null : seq.toString(36) };
  }
}

/** Walks down the order of acceptance, in memory and in the database. */
class Walk {
  readonly #query: JobQuery;
  readonly #map: Jobs["active"];
  readonly #active: ActiveJob[];
  readonly #finished: FinishedJobs | null;

  constructor({ store, active }: Jobs, query: JobQuery) {
    this.#query = query;
    this.#map = active;
    this.#active = [...active.values()];
    const finalStates = query.states.filter((state): state is FinalState => isFinal(state));
    const states = query.states.length === 0 ? null : finalStates;
    this.#finished = states?.length === 0 ? null : store.finishedJobs({ ...query, states });
  }

  /** As FinishedJobs.reach, with no more than so many jobs in memory either. */
  reach(below: number, rows: number): number {
    while ((this.#active.at(-1)?.seq ?? 0) >= below) this.#active.pop(); // checked before
    return Math.max(this.#active.at(-rows)?.seq ?? 0, this.#finished?.reach(below, rows) ?? 0);
  }

  /** Newest first. From the database it reads no more than the page still takes. */
  within(bounds: Bounds, missing: Page["missing"]): Entry[] {
    const entries = [...this.#inMemory(bounds), ...this.#inDatabase(bounds, missing)].toSorted((a, b) => b.seq - a.seq);
    // A job may be in memory and in the database while its end is being recorded.
    return entries.filter(({ seq }, index) => entries[index - 1]?.seq !== seq);
  }

  #inMemory({ lowest }: Bounds): Entry[] {
    const from = this.#active.findLastIndex(({ seq }) => seq < lowest) + 1;
    const jobs = this.#active.slice(from).filter((job) => this.#map.has(job.id) && matches(job, this.#query));
    return jobs.map((job) => ({ seq: job.seq, view: () => job.view(), characters: mostCharactersOf }));
  }

  #inDatabase(bounds: Bounds, missing: Page["missing"]): Entry[] {
    const rows = this.#finished?.within(bounds, missing) ?? [];
    return rows.map(({ seq, ...view }) => ({ seq, view: (): JobView => readView(view), characters: () => charactersOf(view) }));
  }
}

/** An upper bound for the JSON of an unfinished job, without making it: names and values have at most 200 characters. */
function mostCharactersOf({ Steps, Labels }: JobView): number {
  return 3000 + 800 * Steps.length + 300 * Object.keys(Labels).length;
}

function matches(job: ActiveJob, query: JobQuery): boolean {
  return (query.states.length === 0 || query.states.includes(job.state)) && matchesFilter(job, query);
}
