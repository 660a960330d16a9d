import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ownUser } from "../identity/own-user.ts";
import { type Box, type Finding, note, ok } from "./box.ts";
import { readAlone } from "./state.ts";

const mostShown = 10;

/** The files of deleted jobs that the service could not remove. */
export function removals({ settings: { stateDir } }: Box): Finding[] {
  const path = join(stateDir, "jobrunner.db");
  if (!existsSync(path) || statSync(path).uid !== ownUser.uid) return []; // the check of the database reports that
  const stopped = stoppedIn(path);
  if (stopped.length === 0) return [ok("deleted jobs left nothing behind")];
  const shown = stopped
    .slice(0, mostShown)
    .map(({ id, at, problem }) =>
      note(
        `the deleted job ${id} left something behind: ${at}: ${problem}`,
        "see docs/troubleshooting.md, Files left by removed jobs; the service tries again by itself",
      ),
    );
  const more = stopped.length - shown.length;
  return more === 0 ? shown : [...shown, note(`${more} more deleted jobs left something behind`, "see above")];
}

function stoppedIn(path: string): { id: string; at: string; problem: string }[] {
  const database = new DatabaseSync(readAlone(path), { readOnly: true, timeout: 1000 });
  try {
    // The database of an older service lacks these columns.
    const rows = database
      .prepare("SELECT * FROM removals")
      .all()
      .map((row) => ({ id: String(row["id"]), at: row["path"] ?? null, problem: String(row["problem"]) }));
    return rows.flatMap(({ id, at, problem }) => (at === null ? [] : [{ id, at: String(at), problem }]));
  } finally {
    database.close();
  }
}
