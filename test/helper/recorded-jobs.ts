import { join } from "node:path";
import { openDatabase } from "../../src/store/open.ts";
import type { Service } from "./service.ts";

/** The beginning of the IDs of the oldest thousand jobs. */
export const oldestIds = "00000000-";

/**
 * Writes so many finished jobs into the database of a service, which is restarted for it. They are copies of a job that has run, newer than
 * it, and have no directories. Their names are "odd" and "even" in turn. Their label is side=odd or side=even; in every `every`th job it is
 * the other one. The oldest has the label note=Needle.
 */
export async function recordJobs(service: Service, { count, every }: { count: number; every: number }): Promise<void> {
  const { job } = await service.run({ CommandLine: "true", Name: "template" });
  await service.stop();
  const database = openDatabase(join(service.stateDir, "jobrunner.db"));
  try {
    database.exec("BEGIN");
    database
      .prepare(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?),
        copies AS (
          SELECT n, iif(n % 2, 'odd', 'even') AS copy_name,
            iif(n <= 1000, '${oldestIds}', substr(id, 1, 9)) || substr(id, 10, 15) || printf('%012x', n) AS copy_id, jobs.*
          FROM numbers, jobs WHERE id = ?
        )
        INSERT INTO jobs (seq, id, state, submitted_at_ms, clock_turn, name, submitted_by, view, spec)
        SELECT seq + n, copy_id, state, submitted_at_ms, clock_turn, copy_name, submitted_by,
          replace(replace(view, id, copy_id), '"template"', '"' || copy_name || '"'), spec FROM copies`,
      )
      .run(count, job.ID);
    const first = "(SELECT min(seq) FROM jobs WHERE name IN ('odd', 'even'))";
    database.exec(
      `INSERT INTO labels (key, value, seq) SELECT 'side', iif((seq % ${every} = 0) = (name = 'even'), 'odd', 'even'), seq FROM jobs ` +
        `WHERE name IN ('odd', 'even')`,
    );
    database.exec(`INSERT INTO labels (key, value, seq) VALUES ('note', 'Needle', ${first})`);
    database.exec("COMMIT");
  } finally {
    database.close();
  }
  await service.start();
}
