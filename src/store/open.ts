import { DatabaseSync } from "node:sqlite";
import { migrate } from "./schema.ts";

/** The command line writes to the database too, for a moment. The second writer waits this long for the first. */
const busyTimeoutMs = 5000;

/**
 * Opens the database; creates it and migrates its schema if necessary. Deleted data is overwritten (secure_delete), because it includes
 * secrets of jobs.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON",
  );
  migrate(database);
  return database;
}
