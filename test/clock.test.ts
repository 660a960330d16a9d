import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nextAccepted } from "../src/runner/acceptance-order.ts";
import type { FinishedJobs } from "../src/store/listing.ts";
import { type Accepted, Store } from "../src/store/store.ts";
import { cli } from "./helper/cli.ts";
import { FakedClock, needsFaketime } from "./helper/faked-clock.ts";
import type { Service } from "./helper/service.ts";
import { bearer, createToken, jobrunner } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

const hourMs = 3_600_000;

test(
  "when a clock that was nine years ahead is corrected, jobs have true times and order, and no negative durations",
  needsFaketime,
  async (t) => {
    const clock = new FakedClock(t);
    clock.setAhead("9y");
    const service = await clock.start(t, { JOBRUNNER_MAX_RUNNING: "2" });
    const token = bearer(await createToken(service, "reader", "read"));
    assert.equal((await service.call("GET", "/jobs", { headers: token })).status, 200);
    const { job: ahead } = await service.run({ CommandLine: "true" });
    const across = await service.submit({ CommandLine: "until [ -e go ]; do sleep 0.05; done; echo late", Name: "across" });
    const blocker = await service.submit({ CommandLine: "sleep 1000" });
    const queued = await service.submit({ CommandLine: "true" });
    await waitFor("both run", async () =>
      (await Promise.all([across, blocker].map((id) => service.get(id)))).every(({ State }) => State === "Running"),
    );
    clock.setAhead("0");
    writeFileSync(join(service.workspaceOf(across), "go"), "");
    await Promise.all([service.wait(across), service.wait(queued)]);
    await service.kill(blocker);
    const later: string[] = [];
    for (let count = 0; count < 3; count += 1) later.push((await service.run({ CommandLine: "echo out" })).job.ID);
    await service.stop();
    await service.start();
    later.push((await service.run({ CommandLine: "true" })).job.ID);

    const order = [ahead.ID, across, blocker, queued, ...later];
    for (const id of later) assertIsNow((await service.get(id)).SubmittedAt);
    const { SubmittedAt, StartedAt, EndedAt } = await service.get(across);
    assert.deepEqual([SubmittedAt, StartedAt].map(isNow), [false, false]);
    assertIsNow(EndedAt);
    assertIsNow((await service.get(queued)).StartedAt);

    assert.deepEqual(await listed(service), order.toReversed());
    assert.deepEqual(order.toSorted(), order, "the IDs sort as they were accepted");
    const paged: string[] = [];
    for (let cursor = ""; ;) {
      const { text } = await service.call("GET", `/jobs?limit=2${cursor}`);
      const { Jobs, NextCursor }: { Jobs: { ID: string }[]; NextCursor: string | null } = JSON.parse(text);
      paged.push(...Jobs.map(({ ID }) => ID));
      if (NextCursor === null) break;
      cursor = `&cursor=${NextCursor}`;
    }
    assert.deepEqual(paged, order.toReversed());
    const [before, after] = [new Date(Date.now() - hourMs).toISOString(), new Date(Date.now() + hourMs).toISOString()];
    assert.deepEqual(await listed(service, `since=${before}&until=${after}`), later.toReversed());
    assert.deepEqual(await listed(service, `since=${before}`), order.toReversed());
    assert.deepEqual(await listed(service, `since=${after}`), order.slice(0, 4).toReversed());
    assert.deepEqual(await listed(service, `until=${before}`), []);

    assertNoneIsNegative((await service.call("GET", "/metrics")).text);
    const rows = (await cli(t, service.url, ["ps", "--all"])).stdout.split("\n");
    assert.match(rows.find((row) => row.includes("across")) ?? "", new RegExp(`across .* ${SubmittedAt.slice(0, 10)} +\\? +0`));
    assert.match(service.log, new RegExp(`"job":"${across}"[^\\n]*"durationSeconds":null`));
    assert.equal((await service.call("GET", "/jobs", { headers: token })).status, 200);
    await waitFor("the token's last use is the true one", async () => {
      const [{ LastUsedAt }]: [{ LastUsedAt: string }] = JSON.parse((await jobrunner(service, ["token", "list", "--json"])).stdout).filter(
        ({ Name }: { Name: string }) => Name === "reader",
      );
      return isNow(LastUsedAt);
    });
  },
);

test("metrics and times of a running service whose clock is set back contain no negative time", needsFaketime, async (t) => {
  const clock = new FakedClock(t);
  clock.setAhead("30d");
  const service = await clock.start(t, { JOBRUNNER_MAX_RUNNING: "1" });
  const first = await service.submit({ CommandLine: "until [ -e go ]; do sleep 0.05; done" });
  const waits = await service.submit({ CommandLine: "true" });
  await service.supervisor(first);
  clock.setAhead("0");
  writeFileSync(join(service.workspaceOf(first), "go"), "");
  await service.wait(waits);
  const { text } = await service.call("GET", "/metrics");
  assertNoneIsNegative(text);
  assert.match(text, /^jobrunner_queue_wait_seconds_count 2$/m); // measured within one process, which the clock does not affect
  assert.match(text, /^jobrunner_start_latency_seconds_count 1$/m);
  assert.match(text, /^jobrunner_job_duration_seconds_count\{state="Succeeded"\} 1$/m);
});

test("lists by time, with any other filter, have just the jobs of that time in order of acceptance after any clock change", async (t) => {
  const store = new Store(":memory:");
  t.after(() => store.close());
  const random = randomFrom(7);
  const jobs = await insertJobs(store, random);
  const turns = new Set(jobs.map(({ clockTurn }) => clockTurn)).size;
  assert.ok(turns > 20, `${turns} turns`);
  for (let round = 0; round < 500; round += 1) {
    const someMs = (): number | null =>
      random() < 0.3 ? null : (jobs[Math.floor(random() * jobs.length)]?.submittedAtMs ?? 0) + Math.floor(random() * 3) - 1;
    const query = {
      idPrefix: null,
      states: random() < 0.5 ? null : (["Succeeded", "Failed"] as const).filter(() => random() < 0.7),
      labels: random() < 0.5 ? [] : [{ key: "third", value: "yes" }],
      name: null,
      text: null,
      owner: null,
      sinceMs: someMs(),
      untilMs: someMs(),
    };
    const belowSeq = random() < 0.5 ? Number.MAX_SAFE_INTEGER : Math.floor(random() * jobs.length);
    const limit = 1 + Math.floor(random() * 100);
    const expected = jobs.filter(({ seq, submittedAtMs, state }) => {
      if (seq >= belowSeq || (query.states !== null && !query.states.includes(state))) return false;
      if (query.labels.length > 0 && seq % 3 > 0) return false;
      return (query.sinceMs === null || submittedAtMs >= query.sinceMs) && (query.untilMs === null || submittedAtMs < query.untilMs);
    });
    const found = walk(store.finishedJobs(query), belowSeq, 1 + Math.floor(random() * 300)).slice(0, limit);
    assert.deepEqual(
      found,
      expected
        .map(({ seq }) => seq)
        .toReversed()
        .slice(0, limit),
      JSON.stringify({ query, belowSeq }),
    );
  }
});

/** All matching jobs, found in ranges of so many rows. */
function walk(finished: FinishedJobs, belowSeq: number, rows: number): number[] {
  const found: number[] = [];
  for (let below = belowSeq; below > 0;) {
    const lowest = finished.reach(below, rows);
    assert.ok(lowest < below);
    found.push(...finished.within({ lowest, below }, { jobs: 10_000, characters: Infinity }).map(({ seq }) => seq));
    below = lowest;
  }
  return found;
}

type Inserted = Accepted & { state: "Succeeded" | "Failed" };

/** Their times advance, sometimes stand still, and are sometimes set back or forth; some jobs are removed. */
async function insertJobs(store: Store, random: () => number): Promise<Inserted[]> {
  let jobs: Inserted[] = [];
  let timeMs = 1_000_000;
  for (let count = 0; count < 2000; count += 1) {
    timeMs += random() < 0.03 ? Math.floor((random() - 0.5) * 20_000) : Math.floor(random() * 20);
    const accepted = nextAccepted(store.lastAccepted(), timeMs);
    const state = accepted.seq % 5 === 0 ? "Failed" : "Succeeded";
    const labels: Record<string, string> = accepted.seq % 3 === 0 ? { third: "yes" } : {};
    const nothing = {
      executorReference: null,
      name: null,
      idempotency: null,
      owner: null,
      submittedBy: "test",
      secretsJson: null,
      accountJson: null,
    };
    await Promise.all([
      store.insert({ ...accepted, ...nothing, state: "Starting", labels, specJson: "{}" }),
      store.finish(accepted.seq, { state, viewJson: "{}" }),
    ]);
    jobs.push({ ...accepted, state });
    if (random() > 0.05) continue;
    const gone = jobs.at(-1 - Math.floor(random() * 3));
    if (gone !== undefined) await store.remove(gone.seq, gone.id);
    jobs = jobs.filter((job) => job !== gone);
  }
  return jobs;
}

/** The same sequence of numbers from 0 to 1 in every run (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

function isNow(time: string | null): boolean {
  return time !== null && Math.abs(Date.parse(time) - Date.now()) < hourMs;
}

function assertIsNow(time: string | null): void {
  assert.ok(isNow(time), String(time));
}

function assertNoneIsNegative(metrics: string): void {
  assert.deepEqual(metrics.match(/^jobrunner_\S* -.*$/gm), null);
}

async function listed(service: Service, query = ""): Promise<string[]> {
  const { status, text } = await service.call("GET", `/jobs?limit=1000&${query}`);
  assert.equal(status, 200, text);
  const { Jobs }: { Jobs: { ID: string }[] } = JSON.parse(text);
  return Jobs.map(({ ID }) => ID);
}
