import type { DatabaseSync } from "node:sqlite";

/** Numbered from 1 and never edited: a change is a new one at the end. */
const migrations: string[] = [
  `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,               -- order of acceptance
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                   -- Queued, Starting (given to a supervisor, its status file says more), or final
    boot_id TEXT,                          -- of the boot in which it was given to a supervisor; null while Queued
    submitted_at_ms INTEGER NOT NULL,      -- never decreases with seq
    name TEXT,
    idempotency_key TEXT UNIQUE,
    idempotency_fingerprint TEXT,
    view TEXT,                             -- the job as the API shows it, JSON; null until it is over
    spec TEXT NOT NULL                     -- as submitted, JSON
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, seq);
  CREATE INDEX jobs_by_name ON jobs (name, seq) WHERE name IS NOT NULL;
  CREATE INDEX jobs_by_time ON jobs (submitted_at_ms, seq);
  CREATE TABLE labels (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (key, value, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX labels_by_key ON labels (key, seq);
  CREATE INDEX labels_by_job ON labels (seq);
  CREATE TABLE removals (                  -- deleted jobs whose directory may still be there
    id TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Brings a database to the present schema; refuses one that a newer program made. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare("PRAGMA user_version").get();
  const version = Number(row?.["user_version"] ?? 0);
  if (version > migrations.length) {
    throw new Error(`the database was written by a newer jobrunner (schema ${version}, this one knows ${migrations.length}): use that one`);
  }
  migrations.slice(version).forEach((sql, index) => {
    database.exec(`BEGIN; ${sql}; PRAGMA user_version = ${version + index + 1}; COMMIT`);
  });
}
