import type { DatabaseSync } from "node:sqlite";

/** Numbered from 1, never edited: a change of the schema is a new migration at the end. */
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
    view TEXT,                             -- the job as the API shows it, JSON; null until it is finished
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
  `
  ALTER TABLE jobs ADD COLUMN owner TEXT;        -- key of the identity to which it belongs; null: of somebody who may see and do everything
  ALTER TABLE jobs ADD COLUMN submitted_by TEXT; -- who that was, for people
  ALTER TABLE jobs ADD COLUMN secrets TEXT;      -- values by name, JSON; null when it is finished
  ALTER TABLE jobs ADD COLUMN account TEXT;      -- of its User, as found when it was submitted, JSON
  CREATE INDEX jobs_by_owner ON jobs (owner, seq) WHERE owner IS NOT NULL;
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,                          -- read, submit or admin
    hash BLOB NOT NULL,                          -- SHA-256 of the secret part; the token itself is stored nowhere
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    last_used_at_ms INTEGER,                     -- to the minute
    revoked_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE jobs ADD COLUMN clock_turn INTEGER NOT NULL DEFAULT 0; -- how often the clock had been set back
  -- submitted_at_ms never decreases with seq within one turn of the clock
  DROP INDEX jobs_by_time;
  CREATE INDEX jobs_by_time ON jobs (clock_turn, submitted_at_ms, seq);
  `,
  `
  ALTER TABLE removals ADD COLUMN path TEXT;     -- where the removal was stopped; null: it was not
  ALTER TABLE removals ADD COLUMN problem TEXT;  -- why
  `,
  `
  CREATE TABLE ends (                            -- jobs in the order in which their ends were committed: the last ones alone
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE jobs RENAME COLUMN boot_id TO executor_reference; -- opaque to all but the executor that launched the job
  `,
];

/** Migrates a database to this program's schema. Refuses a database that a newer program made. */
export function migrate(database: DatabaseSync): void {
  if (versionOf(database) === migrations.length) return;
  database.exec("BEGIN IMMEDIATE"); // the service and the command line may both migrate
  try {
    const version = versionOf(database);
    if (version > migrations.length) {
      throw new Error(
        `the database was written by a newer jobrunner (schema ${version}, this one knows ${migrations.length}): ` +
          "use that one, or set JOBRUNNER_STATE_DIR to another directory",
      );
    }
    for (const sql of migrations.slice(version)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
