import { strict as assert } from "node:assert";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { cli, startProgram } from "./helper/cli.ts";
import { sharedService } from "./helper/shared-service.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";

/** The tables of jobs on terminals of any width, and the history of a name. */

test(
  "on a narrow terminal no line of ps is broken: columns are left out from the right, and names are shortened",
  needsScript,
  async (t) => {
    const service = await sharedService(t);
    const Labels = { test: "narrow", team: "database-and-storage-people" };
    const { job: idle } = await service.run({ Name: "a".repeat(60), Labels, CommandLine: "sleep 1000", IdleTimeoutSeconds: 0.1 });
    await service.run({ Name: "数据库备份数据库备份数据库备份", Labels, CommandLine: "true" });
    await service.run({ CommandLine: "echo a long command line without a name; exit 3", Labels });
    const linesAt = async (columns: number): Promise<string[]> => {
      const line = `stty cols ${columns} rows 20; exec bin/jobrunner ps -a -l test=narrow`;
      const { stdout } = await startProgram(t, onTerminal(line), { environment: { JOBRUNNER_URL: service.url } }).ended();
      return stripVTControlCharacters(stdout)
        .split("\r\n")
        .filter((text) => text !== "");
    };
    assert.deepEqual(
      (await linesAt(60)).map((line) => line.replace(/^[0-9a-f-]{18}/, "ID                ")),
      [
        "ID                  NAME              STATE            STEPS",
        "ID                  echo a long com…  Failed           1/1",
        "ID                  数据库备份数据…   Succeeded        1/1",
        "ID                  aaaaaaaaaaaaaaa…  TimedOut (idle)  1/1",
      ],
    );
    assert.match((await linesAt(40))[0] ?? "", /^ID +NAME$/);
    const wide = await linesAt(200);
    assert.match(wide[0] ?? "", /LABELS$/);
    assert.ok(wide.some((line) => line.endsWith("test=narrow,team=database-and-storage-people")));
    const { stdout } = await cli(t, service.url, ["ps", "-a", "-l", "test=narrow"]);
    assert.match(stdout, new RegExp(`^${idle.ID.slice(0, 18)}  ${"a".repeat(60)}  TimedOut \\(idle\\) .*-people$`, "m"));
  },
);

test("history shows the last runs of a name with bars, how many failed, and the median and worst duration", async (t) => {
  const service = await sharedService(t);
  await service.run({ Name: "other", CommandLine: "true" });
  const { job: first } = await service.run({ Name: "weekly", CommandLine: "exit 3" });
  await service.run({ Name: "weekly", CommandLine: "sleep 0.3" });
  const { job: last } = await service.run({ Name: "weekly", CommandLine: "true" });
  const running = await service.submit({ Name: "weekly", CommandLine: "sleep 1000" });
  const shown = await cli(t, service.url, ["history", "weekly"]);
  const [summary = "", empty, titles, active, newest, slow = "", oldest] = shown.stdout.split("\n");
  assert.match(summary, /^weekly: failed 1 of 3, median \S+ms, worst 3\d\dms, 1 not finished$/);
  assert.equal(empty, "");
  assert.equal(titles, "ID                  STATE      EXIT  SUBMITTED  TOOK");
  assert.match(active ?? "", new RegExp(`^${running.slice(0, 18)}  Running `));
  assert.match(newest ?? "", new RegExp(`^${last.ID.slice(0, 18)}  Succeeded  0 .*ms +█+$`));
  assert.match(oldest ?? "", new RegExp(`^${first.ID.slice(0, 18)}  Failed     3 .*ms +█+$`));
  const two = await cli(t, service.url, ["history", "weekly", "-n", "2"]);
  assert.deepEqual([two.stdout.split("\n").length, two.stderr], [6, "jobrunner: only the newest 2 runs are shown; --limit shows more\n"]);
  assert.ok(barOf(slow) > barOf(newest ?? ""), shown.stdout);
  assert.equal((await cli(t, service.url, ["history", first.ID])).stdout.split("\n").length, shown.stdout.split("\n").length, "by an ID");
  const json = JSON.parse((await cli(t, service.url, ["history", "weekly", "--json", "--limit", "2"])).stdout);
  assert.deepEqual(
    [json.Name, json.Finished, json.Failed, json.Jobs.map(({ ID }: { ID: string }) => ID)],
    ["weekly", 1, 0, [running, last.ID]],
  );
  await service.kill(running);
});

test("a job without a name has no history, and an unknown name is refused with what to do", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: "true" });
  const unnamed = await cli(t, service.url, ["history", job.ID]);
  assert.deepEqual([unnamed.code, unnamed.stdout], [2, ""]);
  assert.match(unnamed.stderr, /has no name, and so no history: give jobs that run again a --name/);
  const unknown = await cli(t, service.url, ["history", "no such name"]);
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  assert.match(unknown.stderr, /no job has the name "no such name"/);
});

function barOf(line: string): number {
  return line.split("█").length - 1;
}
