import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { cli } from "./helper/cli.ts";
import { argumentsOf, childrenOf } from "./helper/processes.ts";
import { type Service, startService } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";
import { waitFor } from "./helper/wait.ts";

/** How long the service waits for a job's last output, and what is reported when a limit is exhausted. */

const stuck = "exec > >(trap '' TERM; sleep 1000)"; // a filter that does not end
const mayBeMissing = /left processes behind that were still at work (.+) and were ended: the last of its output may be missing$/;

test("a script that sends its output through a logging filter gets all its lines, without any option", async (t) => {
  const service = await sharedService(t);
  const filters = ['while read -r line; do echo "$line"; done', "sed -u s/^//", "sort -n", "tee log | cat"];
  const jobs = await Promise.all(filters.map((filter) => service.run({ CommandLine: `exec > >(${filter}) 2>&1\nseq 1 2001` })));
  const lines = Array.from({ length: 2001 }, (_, index) => `${index + 1}\n`).join("");
  for (const { job, output } of jobs) {
    assert.ok(output.toString() === lines, `${output.length} bytes: ${job.Message}`);
    assert.deepEqual([job.State, job.Message, job.OutputLostBytes], ["Succeeded", null, 0]);
  }
});

test("lost output is reported in the job, in its step and by the command line, whatever their outcome", async (t) => {
  const service = await sharedService(t);
  const spec = { DrainTimeoutSeconds: 0.2, Commands: [{ CommandLine: stuck, Name: "log" }, { CommandLine: "exit 0" }] };
  const [good, bad] = await Promise.all([service.run(spec), service.run({ DrainTimeoutSeconds: 0.2, CommandLine: `${stuck}; exit 3` })]);
  assert.deepEqual([good.job.State, good.job.Reason, good.job.ExitCode], ["Succeeded", null, 0]);
  assert.match(good.job.Message ?? "", /^step 1 \(log\) left processes/);
  assert.match(good.job.Message ?? "", mayBeMissing);
  assert.deepEqual(
    good.job.Steps.map(({ State, Message }) => [State, mayBeMissing.exec(Message ?? "")?.[1]]),
    [
      ["Succeeded", "after DrainTimeoutSeconds"],
      ["Succeeded", undefined],
    ],
  );
  assert.deepEqual([bad.job.State, bad.job.Reason, bad.job.ExitCode], ["Failed", "ExitCode", 3]);
  assert.match(bad.job.Message ?? "", /^step 1 exited with code 3, and left processes/);
  const told = await cli(t, service.url, ["run", "--drain-timeout", "0.2", "-c", `${stuck}; exit 3`]);
  assert.equal(told.code, 3);
  assert.match(told.stderr, /^jobrunner: the job is Failed: step 1 exited with code 3, and left processes .*missing\n$/);
});

test("a job runs while its last output is awaited; DELETE is answered at once, and the steps determine the outcome", async (t) => {
  const service = await sharedService(t);
  for (const query of ["", "?force=true"]) {
    const id = await service.submit({ CommandLine: `${stuck}; exit 3`, DrainTimeoutSeconds: 86_400, StopTimeoutSeconds: 86_400 });
    await waitFor("its step has ended", async () => (await service.client().job(id)).Steps[0]?.State === "Failed");
    assert.equal((await service.client().job(id)).State, "Running");
    assert.equal((await service.call("DELETE", `/${id}${query}`)).status, 200);
    const job = await service.client().job(id);
    assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "ExitCode", 3]);
    assert.equal(mayBeMissing.exec(job.Message ?? "")?.[1], "when the job was killed");
  }
});

test("the job's timeout ends the wait, and DrainTimeoutSeconds 0 disables it", async (t) => {
  const service = await sharedService(t);
  const [timed, none] = await Promise.all([
    service.run({ CommandLine: stuck, DrainTimeoutSeconds: 86_400, TimeoutSeconds: 2 }),
    service.run({ CommandLine: "exec > >(sleep 1000; touch touched)", DrainTimeoutSeconds: 0 }),
  ]);
  assert.deepEqual(
    [timed.job.State, mayBeMissing.exec(timed.job.Message ?? "")?.[1]],
    ["Succeeded", "when the job's TimeoutSeconds had passed"],
  );
  assert.deepEqual([none.job.State, none.job.Message], ["Succeeded", null]);
});

test("a job whose last output is awaited survives the service, and the next service records it", async (t) => {
  const service = await startService(t);
  const id = await service.submit({
    CommandLine: "exec > >(until [ -e go ]; do sleep 0.01; done; cat)\nseq 1 2001",
    DrainTimeoutSeconds: 86_400,
  });
  await waitFor("its step has ended", async () => (await service.client().job(id)).Steps[0]?.State === "Succeeded");
  await service.crash();
  writeFileSync(join(service.stateDir, "jobs", id, "work", "go"), "");
  await service.start();
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.Message, job.OutputBytes], ["Succeeded", null, 8898]);
});

test("a step must wait itself for a filter that writes only to a file, as the documentation shows", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({
    CommandLine: "exec > >(sleep 0.2; gzip > log.gz 2>&1); filter=$!; seq 1 2001; exec >&-; wait $filter",
  });
  assert.deepEqual([job.State, job.Message], ["Succeeded", null]);
  assert.equal(gunzipSync(readFileSync(join(service.stateDir, "jobs", job.ID, "work", "log.gz"))).length, 8898);
});

test("if the machine has no room for a step, the message names the exhausted limit and a remedy", async (t) => {
  const service = await startService(t);
  const wait = { CommandLine: "until [ -e go ]; do sleep 0.01; done" };
  const id = await service.submit({ Commands: [wait, ...Array.from({ length: 50 }, () => ({ CommandLine: "sleep 1000 & echo left" }))] });
  await limited(service, id, "--nofile=60:60");
  const job = await service.wait(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode], ["Failed", "CouldNotStart", null]);
  assert.match(job.Message ?? "", /^step \d+ could not start: pipes for its output: too many open files: .*RLIMIT_NOFILE.*LimitNOFILE=/);
  const states = job.Steps.map(({ State }) => State);
  assert.equal(states.filter((state) => state === "Failed").length, 1);
  assert.ok(
    states.indexOf("Failed") > 10 && states.slice(0, states.indexOf("Failed")).every((state) => state === "Succeeded"),
    states.join(" "),
  );
});

test("a job without room for its supervisor says so while it waits, and runs when there is room", async (t) => {
  const service = await startService(t);
  const [launcher] = childrenOf(service.pid).filter((pid) => argumentsOf(pid).includes("launch"));
  execFileSync("prlimit", [`--pid=${launcher}`, "--nofile=7:"]);
  const id = await service.submit({ CommandLine: "echo ran" });
  await waitFor("it says why it waits", async () => (await service.client().job(id)).Message !== null);
  const job = await service.client().job(id);
  assert.equal(job.State, "Starting");
  assert.match(job.Message ?? "", /^waits to be started.*too many open files.*RLIMIT_NOFILE/);
  execFileSync("prlimit", [`--pid=${launcher}`, "--nofile=1000:"]);
  const ended = await service.wait(id);
  assert.deepEqual([ended.State, ended.Message, (await service.output(id)).toString()], ["Succeeded", null, "ran\n"]);
});

/** Sets this limit on the job's supervisor when its first step runs; then the step ends. */
async function limited(service: Service, id: string, limit: string): Promise<void> {
  const directory = join(service.stateDir, "jobs", id);
  const status = (): string => (existsSync(join(directory, "status")) ? readFileSync(join(directory, "status"), "utf8") : "");
  await waitFor("its first step runs", () => /^start 1 /m.test(status()));
  execFileSync("prlimit", [`--pid=${status().split(" ")[3]}`, limit]);
  writeFileSync(join(directory, "work", "go"), "");
}
