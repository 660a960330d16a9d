import type { Ends } from "../store/ends.ts";
import type { ActiveJob } from "./active-job.ts";

export type Since = {
  end: number; // of the last end that is known
  owner: string | null;
  upToSeq: number; // of the last job accepted: of later ones a subscriber hears
};

/** As JobRunner says. */
export function missedSince(ends: Ends, active: Iterable<ActiveJob>, since: Since): { isWhole: boolean; jobs: Iterable<string> } {
  const isWhole = ends.hasAllAfter(since.end);
  return { isWhole, jobs: missed(ends, active, isWhole ? since : { ...since, end: ends.last }) };
}

/** The jobs that are not finished are walked while they change: one that ends meanwhile is among them, or among the ends by then. */
function* missed(ends: Ends, active: Iterable<ActiveJob>, { end, owner, upToSeq }: Since): Generator<string> {
  for (const job of active) {
    if (job.seq > upToSeq) break;
    if (owner === null || job.owner === owner) yield JSON.stringify(job.view());
  }
  const { last } = ends;
  for (let next = ends.after(end, owner); next !== null && next.number <= last; next = ends.after(next.number, owner)) yield next.viewJson;
}
