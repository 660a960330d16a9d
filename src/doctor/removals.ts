import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ownUser } from "../identity/own-user.ts";
import { type Box, type Finding, note, ok } from "./box.ts";
import { readAlone } from "./state.ts";

const mostShown = 10;

/** What a service that runs, or ran, could not remove of deleted jobs. */
export function removals({ settings: { stateDir } }: Box): Finding[] {
  const path = join(stateDir, "jobrunner.db");
  if (!existsSync(path) || statSync(path).uid !== ownUser.uid) return []; // the database's own check tells that
  const stopped = stoppedIn(path);
  if (stopped.length === 0) return [ok("nothing is left of deleted jobs")];
  const shown = stopped
    .slice(0, mostShown)
    .map(({ id, at, problem }) =>
      note(
        `of the deleted job ${id} something is left: ${at}: ${problem}`,
        "see docs/troubleshooting.md, What is left of deleted jobs; the service tries again by itself",
      ),
    );
  const more = stopped.length - shown.length;
  return more === 0 ? shown : [...shown, note(`so is something of ${more} deleted jobs more`, "likewise")];
}

function stoppedIn(path: string): { id: string; at: string; problem: string }[] {
  const database = new DatabaseSync(readAlone(path), { readOnly: true, timeout: 1000 });
  try {
    // Of an older service's database the columns are not there.
    const rows = database
      .prepare("SELECT * FROM removals")
      .all()
      .map((row) => ({ id: String(row["id"]), at: row["path"] ?? null, problem: String(row["problem"]) }));
    return rows.flatMap(({ id, at, problem }) => (at === null ? [] : [{ id, at: String(at), problem }]));
  } finally {
    database.close();
  }
}
