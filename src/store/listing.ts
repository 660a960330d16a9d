import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { JobFilter } from "../job/filter.ts";
import type { FinalState } from "../job/job.ts";
import type { RecordedView } from "../job/recorded-view.ts";
import { recordedViewOf, viewColumns } from "./view-columns.ts";

/** `states` null: any final state. */
export type ListQuery = JobFilter & { states: FinalState[] | null };

export type ListedJob = RecordedView & { seq: number };

/** A range of seq: from `lowest` to before `below`. */
export type Bounds = { lowest: number; below: number };

/** Limits of one read. `characters`: of all views together; when they are exceeded, one more job is read. */
export type Most = { jobs: number; characters: number };

/** The condition whose index finds the rows. The other conditions are tested on each row. */
type Driver =
  | { kind: "id"; prefix: string }
  | { kind: "label"; label: Label }
  | { kind: "name"; name: string }
  | { kind: "owner"; owner: string }
  | { kind: "state"; state: FinalState }
  | { kind: "all" };
type Label = ListQuery["labels"][number];

/** Rows are counted up to this number; a condition with more rows is not rare. */
const countedRows = 1000;

/**
 * Finished jobs, newest first. The index of the rarest condition finds the rows. It ends in seq, so a page costs as much as it shows,
 * whatever the size of the database. If common conditions or a text rarely match together, many rows must be checked. So the caller goes
 * from range to range, and chooses how many rows it has time for.
 */
export class FinishedJobs {
  readonly #database: DatabaseSync;
  readonly #query: ListQuery;
  readonly #drivers: Driver[]; // one, or one per state
  readonly #ranges: Bounds[]; // of the requested time, newest first

  constructor(database: DatabaseSync, query: ListQuery) {
    this.#database = database;
    this.#query = query;
    this.#drivers = rarest(database, query);
    this.#ranges = timeBounds(database, query);
  }

  /** The lowest seq that so many rows below `below` reach (with several states, so many rows of each); 0: there are no more rows. */
  reach(below: number, rows: number): number {
    const range = this.#ranges.find(({ lowest }) => lowest < below);
    if (range === undefined) return 0;
    const bounds = { lowest: range.lowest, below: Math.min(range.below, below) };
    const last = Math.max(...this.#drivers.map((driver) => nthSeq(this.#database, { driver, bounds, rows }) ?? 0));
    if (last > 0) return last;
    return range === this.#ranges.at(-1) ? 0 : range.lowest;
  }

  within({ lowest, below }: Bounds, most: Most): ListedJob[] {
    const found = this.#ranges.flatMap((range) => {
      const bounds = { lowest: Math.max(range.lowest, lowest), below: Math.min(range.below, below) };
      if (bounds.lowest >= bounds.below) return [];
      return this.#drivers.flatMap((driver) => runQuery(this.#database, this.#query, { driver, bounds, most }));
    });
    return found.toSorted((a, b) => b.seq - a.seq).slice(0, most.jobs);
  }
}

/**
 * If all conditions are common, the order is: a label with its value, a label, the name, the owner. The index of IDs is not in the order of
 * seq, so it is used for few rows only.
 */
function rarest(database: DatabaseSync, { idPrefix, labels, name, owner, states }: ListQuery): Driver[] {
  const byId = idPrefix === null ? null : ({ kind: "id", prefix: idPrefix } as const);
  if (byId !== null && countRows(database, [byId]) < countedRows) return [byId];
  const sorted = labels.toSorted((a, b) => Number(a.value === null) - Number(b.value === null));
  const choices: Driver[][] = [
    ...sorted.map((label): Driver[] => [{ kind: "label", label }]),
    ...(name === null ? [] : [[{ kind: "name", name } as const]]),
    ...(owner === null ? [] : [[{ kind: "owner", owner } as const]]),
    ...(states === null ? [] : [states.map((state) => ({ kind: "state", state }) as const)]),
  ];
  if (choices.length < 2) return choices[0] ?? [{ kind: "all" }];
  const counted = choices.map((drivers) => ({ drivers, rows: countRows(database, drivers) })).toSorted((a, b) => a.rows - b.rows);
  return counted[0]?.drivers ?? [{ kind: "all" }];
}

function countRows(database: DatabaseSync, drivers: Driver[]): number {
  return drivers.reduce((sum, driver) => {
    const { from, where, parameters } = sourceOf(driver);
    const rows = database
      .prepare(`SELECT count(*) AS rows FROM (SELECT 1 FROM ${from} WHERE ${where} LIMIT ${countedRows})`)
      .get(...parameters);
    return sum + Number(rows?.["rows"] ?? 0);
  }, 0);
}

/** The seq of the last one of so many rows, newest first; null: there are fewer rows. */
function nthSeq(database: DatabaseSync, { driver, bounds, rows }: { driver: Driver; bounds: Bounds; rows: number }): number | null {
  const { from, where, parameters } = sourceOf(driver);
  const sql = `SELECT d.seq FROM ${from} WHERE ${where} AND d.seq >= ? AND d.seq < ? ORDER BY d.seq DESC LIMIT 1 OFFSET ?`;
  const seq = database.prepare(sql).get(...parameters, bounds.lowest, bounds.below, rows - 1)?.["seq"];
  return seq === undefined ? null : Number(seq);
}

type Source = { from: string; where: string; parameters: SQLInputValue[] };

function sourceOf(driver: Driver): Source {
  switch (driver.kind) {
    case "id": // "g" sorts after every character of an ID
      return {
        from: "jobs d INDEXED BY sqlite_autoindex_jobs_1",
        where: "d.id >= ? AND d.id < ?",
        parameters: [driver.prefix, `${driver.prefix}g`],
      };
    case "label": {
      const { key, value } = driver.label;
      if (value === null) return { from: "labels d INDEXED BY labels_by_key", where: "d.key = ?", parameters: [key] };
      return { from: "labels d", where: "d.key = ? AND d.value = ?", parameters: [key, value] };
    }
    case "name":
      return { from: "jobs d INDEXED BY jobs_by_name", where: "d.name = ?", parameters: [driver.name] };
    case "owner":
      return { from: "jobs d INDEXED BY jobs_by_owner", where: "d.owner = ?", parameters: [driver.owner] };
    case "state":
      return { from: "jobs d INDEXED BY jobs_by_state", where: "d.state = ?", parameters: [driver.state] };
    case "all":
      return { from: "jobs d NOT INDEXED", where: "true", parameters: [] };
  }
}

function runQuery(
  database: DatabaseSync,
  query: ListQuery,
  { driver, bounds, most }: { driver: Driver; bounds: Bounds; most: Most },
): ListedJob[] {
  const source = sourceOf(driver);
  const parameters = [...source.parameters];
  const where = [source.where];
  const add = (sql: string, ...values: SQLInputValue[]): void => {
    where.push(sql);
    parameters.push(...values);
  };
  add("d.seq >= ? AND d.seq < ?", bounds.lowest, bounds.below);
  for (const label of query.labels) {
    if (driver.kind === "label" && driver.label === label) continue;
    const value = label.value === null ? [] : [label.value];
    const key = label.value === null ? "INDEXED BY labels_by_key WHERE o.key = ?" : "WHERE o.key = ? AND o.value = ?";
    add(`EXISTS (SELECT 1 FROM labels o ${key} AND o.seq = d.seq)`, label.key, ...value);
  }
  if (query.idPrefix !== null && driver.kind !== "id") add("substr(j.id, 1, ?) = ?", query.idPrefix.length, query.idPrefix);
  if (query.name !== null && driver.kind !== "name") add("j.name = ?", query.name);
  if (query.text !== null) {
    const inLabel =
      "EXISTS (SELECT 1 FROM labels o INDEXED BY labels_by_job WHERE o.seq = d.seq AND o.key || '=' || o.value LIKE ? ESCAPE '\\')";
    add(`(j.name LIKE ? ESCAPE '\\' OR j.id LIKE ? ESCAPE '\\' OR ${inLabel})`, ...Array<string>(3).fill(containing(query.text)));
  }
  if (query.owner !== null && driver.kind !== "owner") add("j.owner = ?", query.owner);
  if (query.states === null) add("j.view IS NOT NULL");
  else if (driver.kind !== "state") add(`j.state IN (${marks(query.states)})`, ...query.states);
  const sql = `SELECT d.seq AS seq, ${viewColumns} FROM ${source.from} CROSS JOIN jobs j ON j.seq = d.seq
    WHERE ${where.join(" AND ")} ORDER BY d.seq DESC LIMIT ?`;
  const page: ListedJob[] = [];
  let characters = 0;
  for (const row of database.prepare(sql).iterate(...parameters, most.jobs)) {
    const view = recordedViewOf(row);
    if (view === null) continue;
    page.push({ seq: Number(row["seq"]), ...view });
    if (characters > most.characters) break; // one job too many shows that there is a next page
    characters += charactersOf(view);
  }
  return page;
}

export function charactersOf({ viewJson, specJson }: RecordedView): number {
  return viewJson.length + (specJson?.length ?? 0);
}

/** The pattern with which LIKE finds a text anywhere. */
function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

function marks(values: unknown[]): string {
  return values.map(() => "?").join(", ");
}

/**
 * The ranges of the order of acceptance whose jobs were submitted in the requested time, newest first. Times never decrease until the clock
 * is set back. So each turn of the clock has one range, which two index look-ups find. Ranges that touch are joined.
 */
function timeBounds(database: DatabaseSync, { sinceMs, untilMs }: ListQuery): Bounds[] {
  if (sinceMs === null && untilMs === null) return [{ lowest: 0, below: Number.MAX_SAFE_INTEGER }];
  const first = database.prepare(
    "SELECT seq FROM jobs WHERE clock_turn = ? AND submitted_at_ms >= ? ORDER BY submitted_at_ms, seq LIMIT 1",
  );
  const firstOf = (turn: number, timeMs: number | null): number | null => {
    const seq = first.get(turn, timeMs ?? Number.MIN_SAFE_INTEGER)?.["seq"];
    return seq === undefined ? null : Number(seq);
  };
  const ranges: Bounds[] = [];
  let end = Number.MAX_SAFE_INTEGER; // of the turn, exclusive
  for (let turn = lastTurn(database); turn >= 0; turn -= 1) {
    const lowest = firstOf(turn, sinceMs);
    const below = untilMs === null ? end : (firstOf(turn, untilMs) ?? end);
    const newer = ranges.at(-1);
    if (lowest !== null && newer?.lowest === below) newer.lowest = lowest;
    else if (lowest !== null && lowest < below) ranges.push({ lowest, below });
    end = firstOf(turn, null) ?? end;
  }
  return ranges;
}

function lastTurn(database: DatabaseSync): number {
  return Number(database.prepare("SELECT max(clock_turn) AS turn FROM jobs").get()?.["turn"] ?? 0);
}
