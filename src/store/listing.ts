import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { FinalState } from "../job/job.ts";

export type ListQuery = {
  idPrefix: string | null;
  states: FinalState[] | null; // null: any final state
  labels: { key: string; value: string | null }[];
  name: string | null;
  text: string | null; // in the name, the ID or a label as key=value, whatever its case in ASCII
  owner: string | null; // null: anybody's
  sinceMs: number | null;
  untilMs: number | null;
  belowSeq: number; // the page begins under it
  limit: number;
  mostCharacters?: number; // of the jobs together: behind so many, one more is enough
};

export type ListedJob = { seq: number; viewJson: string };

/** What the rows of a page are found by; the other conditions are tested on each. */
type Driver = { kind: "id"; prefix: string } | { kind: "text"; text: string } | { kind: "label"; label: Label } | { kind: "name"; name: string } | { kind: "owner"; owner: string } | { kind: "states"; states: FinalState[] } | { kind: "all" };
type Label = ListQuery["labels"][number];
/** Of seq: from `lowest` on, under `below`. */
type Bounds = { lowest: number; below: number };

/** So far rare conditions are counted: more rows than this are not rare. */
const countedRows = 1000;

/**
 * A page of finished jobs, newest first. Rows come in the order of an index that ends in seq, that of the rarest condition, so a page costs
 * what it shows and not what the database holds. Only where two common conditions are seldom true of one job, many rows are looked at.
 */
export function listFinished(database: DatabaseSync, query: ListQuery): ListedJob[] {
  const driver = rarest(database, query);
  const page: ListedJob[] = [];
  for (const bounds of timeBounds(database, query)) {
    if (page.length === query.limit) break;
    const isFull = charactersOf(page) > (query.mostCharacters ?? Infinity);
    page.push(...listWithin(database, { ...query, limit: isFull ? 1 : query.limit - page.length }, { driver, bounds }));
  }
  return page;
}

function charactersOf(page: ListedJob[]): number {
  return page.reduce((sum, { viewJson }) => sum + viewJson.length, 0);
}

function listWithin(database: DatabaseSync, query: ListQuery, { driver, bounds }: { driver: Driver; bounds: Bounds }): ListedJob[] {
  if (driver.kind !== "states") return runQuery(database, query, { driver, bounds });
  const pages = driver.states.map((state) => runQuery(database, query, { driver: { kind: "states", states: [state] }, bounds }));
  return pages.flat().toSorted((a, b) => b.seq - a.seq).slice(0, query.limit);
}

/** Where all are common: a label with its value, then a label, then the name, then the owner. IDs and texts are not found in the order of seq, so are for few rows only. */
function rarest(database: DatabaseSync, { idPrefix, labels, name, text, owner, states }: ListQuery): Driver {
  const byId = idPrefix === null ? null : ({ kind: "id", prefix: idPrefix } as const);
  if (byId !== null && countRows(database, byId) < countedRows) return byId;
  const byText = text === null ? null : ({ kind: "text", text } as const);
  if (byText !== null && countRows(database, byText) < countedRows) return byText;
  const sorted = labels.toSorted((a, b) => Number(a.value === null) - Number(b.value === null));
  const drivers: Driver[] = [
    ...sorted.map((label): Driver => ({ kind: "label", label })),
    ...(name === null ? [] : [{ kind: "name", name } as const]),
    ...(owner === null ? [] : [{ kind: "owner", owner } as const]),
    ...(states === null ? [] : [{ kind: "states", states } as const]),
  ];
  if (drivers.length < 2) return drivers[0] ?? { kind: "all" };
  const counted = drivers.map((driver) => ({ driver, rows: countRows(database, driver) })).toSorted((a, b) => a.rows - b.rows);
  return counted[0]?.driver ?? { kind: "all" };
}

function countRows(database: DatabaseSync, driver: Driver): number {
  const { from, where, parameters } = sourceOf(driver);
  const rows = database.prepare(`SELECT count(*) AS rows FROM (SELECT 1 FROM ${from} WHERE ${where} LIMIT ${countedRows})`).get(...parameters);
  return Number(rows?.["rows"] ?? 0);
}

type Source = { from: string; where: string; parameters: SQLInputValue[] };

function sourceOf(driver: Driver): Source {
  switch (driver.kind) {
    case "id": // "g" comes after all that an ID may hold
      return { from: "jobs d INDEXED BY sqlite_autoindex_jobs_1", where: "d.id >= ? AND d.id < ?", parameters: [driver.prefix, `${driver.prefix}g`] };
    case "text": {
      // Each from an index that holds all that is needed, however large the rows are. A job may be found in several places.
      const names = "SELECT seq FROM jobs INDEXED BY jobs_by_name WHERE name IS NOT NULL AND name LIKE ? ESCAPE '\\'";
      const ids = "SELECT seq FROM jobs INDEXED BY sqlite_autoindex_jobs_1 WHERE id LIKE ? ESCAPE '\\'";
      const labels = "SELECT seq FROM labels WHERE key || '=' || value LIKE ? ESCAPE '\\'";
      const selects = [names, labels, ...(mayBeInId(driver.text) ? [ids] : [])];
      return { from: `(SELECT DISTINCT seq FROM (${selects.join(" UNION ALL ")})) d`, where: "true", parameters: selects.map(() => containing(driver.text)) };
    }
    case "label": {
      const { key, value } = driver.label;
      if (value === null) return { from: "labels d INDEXED BY labels_by_key", where: "d.key = ?", parameters: [key] };
      return { from: "labels d", where: "d.key = ? AND d.value = ?", parameters: [key, value] };
    }
    case "name":
      return { from: "jobs d INDEXED BY jobs_by_name", where: "d.name = ?", parameters: [driver.name] };
    case "owner":
      return { from: "jobs d INDEXED BY jobs_by_owner", where: "d.owner = ?", parameters: [driver.owner] };
    case "states":
      return { from: "jobs d INDEXED BY jobs_by_state", where: `d.state IN (${marks(driver.states)})`, parameters: driver.states };
    case "all":
      return { from: "jobs d NOT INDEXED", where: "true", parameters: [] };
  }
}

function runQuery(database: DatabaseSync, query: ListQuery, { driver, bounds }: { driver: Driver; bounds: Bounds }): ListedJob[] {
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
  if (query.text !== null && driver.kind !== "text") {
    const inLabel = "EXISTS (SELECT 1 FROM labels o INDEXED BY labels_by_job WHERE o.seq = d.seq AND o.key || '=' || o.value LIKE ? ESCAPE '\\')";
    add(`(j.name LIKE ? ESCAPE '\\' OR j.id LIKE ? ESCAPE '\\' OR ${inLabel})`, ...Array<string>(3).fill(containing(query.text)));
  }
  if (query.owner !== null && driver.kind !== "owner") add("j.owner = ?", query.owner);
  if (query.states === null) add("j.view IS NOT NULL");
  else if (driver.kind !== "states") add(`j.state IN (${marks(query.states)})`, ...query.states);
  const sql = `SELECT d.seq AS seq, j.view FROM ${source.from} CROSS JOIN jobs j ON j.seq = d.seq
    WHERE ${where.join(" AND ")} ORDER BY d.seq DESC LIMIT ?`;
  const page: ListedJob[] = [];
  let characters = 0;
  for (const row of database.prepare(sql).iterate(...parameters, query.limit)) {
    if (typeof row["view"] !== "string") continue;
    page.push({ seq: Number(row["seq"]), viewJson: row["view"] });
    if (characters > (query.mostCharacters ?? Infinity)) break; // with one that is too much: by that it is known that there are more
    characters += row["view"].length;
  }
  return page;
}

function mayBeInId(text: string): boolean {
  return /^[0-9a-f-]{1,36}$/i.test(text);
}

/** A pattern of LIKE. */
function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

function marks(values: unknown[]): string {
  return values.map(() => "?").join(", ");
}

/**
 * Where in the order of acceptance the jobs of the time are, newest first. Times never decrease as long as the clock is not set back, so in each of its
 * turns that is one range, found by two looks into an index; ranges that meet are one.
 */
function timeBounds(database: DatabaseSync, { sinceMs, untilMs, belowSeq }: ListQuery): Bounds[] {
  if (sinceMs === null && untilMs === null) return [{ lowest: 0, below: belowSeq }];
  const first = database.prepare("SELECT seq FROM jobs WHERE clock_turn = ? AND submitted_at_ms >= ? ORDER BY submitted_at_ms, seq LIMIT 1");
  const firstOf = (turn: number, timeMs: number | null): number | null => {
    const seq = first.get(turn, timeMs ?? Number.MIN_SAFE_INTEGER)?.["seq"];
    return seq === undefined ? null : Number(seq);
  };
  const ranges: Bounds[] = [];
  let end = Number.MAX_SAFE_INTEGER; // of the turn
  for (let turn = lastTurn(database); turn >= 0; turn -= 1) {
    const lowest = firstOf(turn, sinceMs);
    const below = Math.min(belowSeq, untilMs === null ? end : (firstOf(turn, untilMs) ?? end));
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
