import type { Job } from "./attach.ts";
import { AmbiguousName, AmbiguousPrefix, NoSuchJob } from "./errors.ts";
import { activeStates } from "./states.ts";
import type { JobQuery } from "./types.ts";

/** The number of IDs that an AmbiguousPrefix or AmbiguousName lists. */
const shownIds = 10;

const wholeId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Which job a name stands for. `newest`: the newest one of that name. `unfinished`: the one that is not finished; for requests that change
 * a job, because the newest of several may be the wrong one.
 */
export type ByName = "newest" | "unfinished";

type Jobs = (query: JobQuery) => AsyncIterable<Job>;

/** See Client.find. */
export async function findJob(text: string, jobs: Jobs, byName: ByName | null): Promise<string> {
  const prefix = text.toLowerCase();
  if (wholeId.test(prefix)) return prefix;
  const [byPrefix, named] = await Promise.all([
    /^[0-9a-f-]{1,36}$/.test(prefix) ? some(jobs({ id: prefix, limit: shownIds })) : [],
    byName === null || text === "" ? [] : idsOfName(text, jobs, byName),
  ]);
  const [id, second] = byPrefix;
  const [idOfName, otherOfName] = named;
  if (second !== undefined && idOfName === undefined) throw new AmbiguousPrefix(prefix, byPrefix);
  if (id !== undefined && idOfName !== undefined && (second !== undefined || id !== idOfName))
    throw new AmbiguousName(`${quoted(text)} is the name of a job, and an ID begins with it`, [...named, ...byPrefix].slice(0, shownIds));
  if (otherOfName !== undefined) throw new AmbiguousName(`several unfinished jobs have the name ${quoted(text)}`, named);
  const found = id ?? idOfName;
  if (found !== undefined) return found;
  if (byName === null) throw new NoSuchJob(`no job has an ID that begins with ${quoted(text)}`);
  throw new NoSuchJob(`no ${byName === "unfinished" ? "unfinished " : ""}job has the name ${quoted(text)}, or an ID that begins with it`);
}

/** The newest job; `isUnfinished`: of those that are not finished. */
export async function newestJob(jobs: Jobs, { isUnfinished = false }: { isUnfinished?: boolean }): Promise<string> {
  const [id] = await some(jobs(isUnfinished ? { limit: 1, state: [...activeStates] } : { limit: 1 }), 1);
  if (id === undefined) throw new NoSuchJob(isUnfinished ? "there is no unfinished job" : "there is no job yet");
  return id;
}

async function idsOfName(name: string, jobs: Jobs, byName: ByName): Promise<string[]> {
  if (byName === "newest") return await some(jobs({ name, limit: 1 }), 1);
  return await some(jobs({ name, limit: shownIds, state: [...activeStates] }));
}

async function some(jobs: AsyncIterable<Job>, count = shownIds): Promise<string[]> {
  const ids: string[] = [];
  for await (const { ID } of jobs) if (ids.push(ID) === count) break;
  return ids;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
