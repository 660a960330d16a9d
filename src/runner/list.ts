import { type JobFilter, matchesFilter } from "../job/filter.ts";
import { type FinalState, isFinal, type JobState, type JobView, readView } from "../job/job.ts";
import type { Bounds, FinishedJobs } from "../store/listing.ts";
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

/** Of JSON: a page ends early where its jobs are large, since a thousand may have half a megabyte each. */
const mostCharacters = 4 << 20;

/** How long one request looks for jobs; whoever made it may go on behind. */
const mostMs = 150;
/** In one turn of the event loop. A look is at twice as many jobs as the one before, as many, or half, so that it takes about as long. */
const turnMs = 5;
const longTurnMs = 15;
const mostRows = 4096;
/** Each may have 64 labels, and a text that is almost in all of them takes some milliseconds for each job. */
const firstRows = { withText: 16, withoutText: 256 };

/** `active`: by ID, in order of acceptance. */
export type Jobs = { store: Store; active: ReadonlyMap<string, ActiveJob> };

/**
 * A page of jobs, newest first, of those in memory (not finished) and those in the database: as many as are asked for, as much as a page may hold, or what was
 * found in its time. Goes down from range to range of the order of acceptance, with a pause where that lasts. Each range is looked at in one turn, in memory
 * and in the database: so a job that ends meanwhile is in one of them.
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

  /** What is to be found for it: one more tells whether there is a next page. */
  get missing(): { jobs: number; characters: number } {
    return { jobs: this.#limit + 1 - this.#jobs.length, characters: mostCharacters - this.#characters };
  }

  /** False: it is full, and the job belongs to the next one. */
  add({ seq, view, characters }: Entry): boolean {
    if (this.#jobs.length === this.#limit || this.#characters > mostCharacters) return false;
    const job = view();
    this.#jobs.push(job);
    this.#characters += characters(job);
    this.lastSeq = seq;
    return true;
  }

  /** With the seq under which the next one begins; null: there is none. */
  endingAt(seq: number | null): JobPage {
    return { Jobs: this.#jobs, NextCursor: seq === null ? null : seq.toString(36) };
  }
}

/** Down the order of acceptance, through memory and the database. */
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

  /** As FinishedJobs has it: no more than so many jobs are looked at in memory either. */
  reach(below: number, rows: number): number {
    while ((this.#active.at(-1)?.seq ?? 0) >= below) this.#active.pop(); // looked at
    return Math.max(this.#active.at(-rows)?.seq ?? 0, this.#finished?.reach(below, rows) ?? 0);
  }

  /** Newest first; of those in the database no more than is missing. */
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
    return rows.map(({ seq, viewJson }) => ({ seq, view: (): JobView => readView(viewJson), characters: () => viewJson.length }));
  }
}

/** So large a job that is not finished may be, without making the text of it: names and values have 200 characters. */
function mostCharactersOf({ Steps, Labels }: JobView): number {
  return 2000 + 800 * Steps.length + 300 * Object.keys(Labels).length;
}

function matches(job: ActiveJob, query: JobQuery): boolean {
  return (query.states.length === 0 || query.states.includes(job.state)) && matchesFilter(job, query);
}
