import { DatabaseSync } from "node:sqlite";
import { migrate } from "./schema.ts";

/** The command line writes to the database too, for a moment: whoever comes second waits. */
const busyTimeoutMs = 5000;

/**
 * Opens the database, made and brought to the present schema where needed. What is deleted from it is overwritten (secure_delete), since
 * secrets of jobs are among it.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON",
  );
  migrate(database);
  return database;
}
