import { strict as assert } from "node:assert";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isDiskFull } from "../src/runner/disk.ts";
import { startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** If a commit fails, each caller gets the error of its own write. */

test("a submission that the database refuses is an error of the service, and fails no other one of its commit", async (t) => {
  const service = await startService(t);
  const database = new DatabaseSync(join(service.stateDir, "jobrunner.db"));
  database.exec("CREATE TRIGGER refusal BEFORE INSERT ON jobs WHEN NEW.name = 'refused' BEGIN SELECT RAISE(ABORT, 'by the trigger'); END");
  database.close();
  const names = Array.from({ length: 20 }, (_, index) => (index % 4 === 2 ? "refused" : `job ${index}`));
  const bodies = names.map((Name) => JSON.stringify({ Name, CommandLine: "true" }));
  const answers = await Promise.all(bodies.map((body) => service.call("POST", "/", { body })));
  assert.deepEqual(
    answers.map(({ status }) => status),
    names.map((name) => (name === "refused" ? 500 : 200)),
  );
  const [refused] = answers.filter(({ status }) => status === 500);
  assert.match(refused?.headers["content-type"] ?? "", /problem\+json/);
  assert.doesNotMatch(refused?.text ?? "", /disk/);
  await waitFor("the log says why", () => /"level":"error"[^\n]*by the trigger/.test(service.log));
  const kept = answers.filter(({ status }) => status === 200).map(({ text }): { ID: string } => JSON.parse(text));
  for (const { ID } of kept) assert.equal((await service.wait(ID)).State, "Succeeded");
});

test("only errors that name a full disk count as one", () => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE t (bytes BLOB UNIQUE); PRAGMA max_page_count = 10");
  assert.equal(isDiskFull(errorOf(() => database.exec("INSERT INTO t VALUES (randomblob(1000000))"))), true);
  assert.equal(isDiskFull(errorOf(() => database.exec("INSERT INTO t VALUES (1), (1)"))), false);
  database.close();
  for (const code of ["ENOSPC", "EDQUOT"]) assert.equal(isDiskFull(Object.assign(new Error(code), { code })), true);
  for (const code of ["EIO", "EROFS", "EACCES", "EMFILE"]) assert.equal(isDiskFull(Object.assign(new Error(code), { code })), false);
});

function errorOf(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}
