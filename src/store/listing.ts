import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { FinalState } from "../job/job.ts";

export type ListQuery = {
  states: FinalState[] | null; // null: any final state
  labels: { key: string; value: string | null }[];
  name: string | null;
  sinceMs: number | null;
  untilMs: number | null;
  belowSeq: number; // the page begins under it
  limit: number;
};

export type ListedJob = { seq: number; viewJson: string };

/**
 * A page of finished jobs, newest first. Whatever is asked for, rows come in the order of an index that ends in seq, so a page costs
 * what it shows and not what the database holds: one query per state, merged here.
 */
export function listFinished(database: DatabaseSync, query: ListQuery): ListedJob[] {
  const bounds = timeBounds(database, query);
  if (query.states !== null && byState(query)) {
    const pages = query.states.map((state) => runQuery(database, query, { bounds, states: [state] }));
    return pages.flat().toSorted((a, b) => b.seq - a.seq).slice(0, query.limit);
  }
  return runQuery(database, query, { bounds, states: query.states });
}

function byState({ labels, name }: ListQuery): boolean {
  return labels.every(({ value }) => value === null) && name === null;
}

type Bounds = { lowest: number; below: number };

function runQuery(database: DatabaseSync, query: ListQuery, part: { bounds: Bounds; states: FinalState[] | null }): ListedJob[] {
  const { states, bounds } = part;
  const [driver, ...others] = query.labels.toSorted((a, b) => Number(a.value === null) - Number(b.value === null));
  const parameters: SQLInputValue[] = [];
  const where: string[] = [];
  const add = (sql: string, ...values: SQLInputValue[]): void => {
    where.push(sql);
    parameters.push(...values);
  };
  const isLabelFirst = driver !== undefined && driver.value !== null;
  const seq = isLabelFirst ? "l.seq" : "j.seq";
  const from = isLabelFirst ? "labels l CROSS JOIN jobs j ON j.seq = l.seq" : "jobs j";
  if (isLabelFirst) add("l.key = ? AND l.value = ?", driver.key, driver.value);
  add(`${seq} >= ? AND ${seq} < ?`, bounds.lowest, bounds.below);
  for (const { key, value } of isLabelFirst ? others : query.labels) {
    const test = value === null ? "" : " AND o.value = ?";
    add(`EXISTS (SELECT 1 FROM labels o WHERE o.seq = j.seq AND o.key = ?${test})`, key, ...(value === null ? [] : [value]));
  }
  if (query.name !== null) add("j.name = ?", query.name);
  if (states === null) add("j.view IS NOT NULL");
  else add(`j.state IN (${states.map(() => "?").join(", ")})`, ...states);
  const sql = `SELECT ${seq} AS seq, j.view FROM ${from} WHERE ${where.join(" AND ")} ORDER BY ${seq} DESC LIMIT ?`;
  const rows = database.prepare(sql).all(...parameters, query.limit);
  return rows.flatMap((row) => (typeof row["view"] === "string" ? [{ seq: Number(row["seq"]), viewJson: row["view"] }] : []));
}

/** Submission times never decrease with seq, so a range of times is a range of seq. */
function timeBounds(database: DatabaseSync, query: ListQuery): Bounds {
  const first = database.prepare("SELECT seq FROM jobs WHERE submitted_at_ms >= ? ORDER BY submitted_at_ms, seq LIMIT 1");
  const from = (timeMs: number): number => Number(first.get(timeMs)?.["seq"] ?? Number.MAX_SAFE_INTEGER);
  return {
    lowest: query.sinceMs === null ? 0 : from(query.sinceMs),
    below: Math.min(query.belowSeq, query.untilMs === null ? Number.MAX_SAFE_INTEGER : from(query.untilMs)),
  };
}
