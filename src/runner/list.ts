import type { DatabaseSync } from "node:sqlite";
import { type FinalState, isFinal, type JobView, readView } from "../job/job.ts";
import { listFinished } from "../store/listing.ts";
import type { ActiveJob } from "./active-job.ts";
import type { JobQuery } from "./types.ts";

type Entry = { seq: number; view: () => JobView; characters: (view: JobView) => number };

/** Of JSON: a page ends early where its jobs are large, since a thousand may have half a megabyte each. */
const mostCharacters = 4 << 20;

/** A page of jobs, newest first, of those in memory (not over) and those in the database: as many as are asked for, or as much as a page may hold. */
export function listJobs(database: DatabaseSync, active: ActiveJob[], query: JobQuery): { Jobs: JobView[]; NextCursor: string | null } {
  const belowSeq = query.cursor === null ? Number.MAX_SAFE_INTEGER : Number.parseInt(query.cursor, 36);
  const limit = query.limit + 1; // one more tells whether there is a next page
  const entries = [...activeEntries(active, query, belowSeq), ...finishedEntries({ database, query, belowSeq, limit })];
  entries.sort((a, b) => b.seq - a.seq);
  // A job may be in memory and in the database while its end is being recorded.
  const page = entries.filter(({ seq }, index) => entries[index - 1]?.seq !== seq).slice(0, limit);
  const jobs: JobView[] = [];
  let characters = 0;
  for (const entry of page.slice(0, query.limit)) {
    if (characters > mostCharacters) break;
    const view = entry.view();
    jobs.push(view);
    characters += entry.characters(view);
  }
  const hasMore = page.length > jobs.length;
  return { Jobs: jobs, NextCursor: hasMore ? (page[jobs.length - 1]?.seq.toString(36) ?? null) : null };
}

function activeEntries(active: ActiveJob[], query: JobQuery, belowSeq: number): Entry[] {
  return active.filter((job) => job.seq < belowSeq && matches(job, query)).map((job) => ({ seq: job.seq, view: () => job.view(), characters: mostCharactersOf }));
}

/** So large a job that is not over may be, without making the text of it: names and values have 200 characters. */
function mostCharactersOf({ Steps, Labels }: JobView): number {
  return 2000 + 800 * Steps.length + 300 * Object.keys(Labels).length;
}

function matches(job: ActiveJob, query: JobQuery): boolean {
  if (query.idPrefix !== null && !job.id.startsWith(query.idPrefix)) return false;
  if (query.states.length > 0 && !query.states.includes(job.state)) return false;
  if (query.owner !== null && job.owner !== query.owner) return false;
  if (query.name !== null && job.name !== query.name) return false;
  if (query.text !== null && !hasText(job, asciiLower(query.text))) return false;
  if (query.sinceMs !== null && job.submittedAtMs < query.sinceMs) return false;
  if (query.untilMs !== null && job.submittedAtMs >= query.untilMs) return false;
  return query.labels.every(({ key, value }) => Object.hasOwn(job.labels, key) && (value === null || job.labels[key] === value));
}

function hasText({ id, name, labels }: ActiveJob, wanted: string): boolean {
  const texts = [id, name ?? "", ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)];
  return texts.some((text) => asciiLower(text).includes(wanted));
}

/** As SQLite's LIKE has it, which finds the jobs that are over. */
function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function finishedEntries(at: { database: DatabaseSync; query: JobQuery; belowSeq: number; limit: number }): Entry[] {
  const { query } = at;
  const finalStates = query.states.filter((state): state is FinalState => isFinal(state));
  if (query.states.length > 0 && finalStates.length === 0) return [];
  const states = query.states.length === 0 ? null : finalStates;
  const rows = listFinished(at.database, { ...query, states, belowSeq: at.belowSeq, limit: at.limit, mostCharacters });
  return rows.map(({ seq, viewJson }) => ({ seq, view: (): JobView => readView(viewJson), characters: () => viewJson.length }));
}
