import { viewJsonOf } from "../job/recorded-view.ts";
import type { Ends } from "../store/ends.ts";
import type { ActiveJob } from "./active-job.ts";

export type Since = {
  end: number; // the number of the last end that the subscriber knows
  owner: string | null;
  upToSeq: number; // of the last accepted job: the subscriber hears of later ones
};

/** See JobRunner. */
export function missedSince(ends: Ends, active: Iterable<ActiveJob>, since: Since): { isWhole: boolean; jobs: Iterable<string> } {
  const isWhole = ends.hasAllAfter(since.end);
  return { isWhole, jobs: missed(ends, active, isWhole ? since : { ...since, end: ends.last }) };
}

/** Active jobs change while they are walked: a job that ends meanwhile is among them, or among the ends afterwards. */
function* missed(ends: Ends, active: Iterable<ActiveJob>, { end, owner, upToSeq }: Since): Generator<string> {
  for (const job of active) {
    if (job.seq > upToSeq) break;
    if (owner === null || job.owner === owner) yield JSON.stringify(job.view());
  }
  const { last } = ends;
  for (let next = ends.after(end, owner); next !== null && next.number <= last; next = ends.after(next.number, owner))
    yield viewJsonOf(next.view);
}
