// Whether a million finished jobs slow down starts and lists.
import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Store } from "../src/store/store.ts";
import { atMost } from "./lib/benchmark.ts";
import type { Benchmark, Context } from "./lib/benchmark.ts";
import { type Client, listField, nextCursor, stringField } from "./lib/http.ts";
import { startService } from "./lib/service.ts";
import { median, ms, percentile } from "./lib/statistics.ts";

const jobs = 1_000_000;
const batch = 5000;
const teams = 50;

export const benchmark: Benchmark = {
  name: "database",
  title: "a million finished jobs",
  method:
    `${jobs.toLocaleString("en")} finished jobs, copies of a real one, are written to the database by the project's own store (without ` +
    `job ` +
    "directories): 2 % Failed, 100 Lost, 50 teams as labels, one rare label, 1,000 names. The time from the start of the process to the " +
    "first 200 of GET /healthz: the median of 7 starts. Then pages of 50 jobs, 100 requests for each over a kept connection: the median.",
  limitSeconds: 400,
  run,
};

async function run({ scope, progress, report }: Context): Promise<void> {
  const empty = await startService(scope);
  const id = await empty.client.submit({ CommandLine: "echo hello", Name: "template", Labels: { team: "template" } });
  await empty.client.finished(id, 20);
  await empty.stop();
  const path = join(empty.stateDirectory, "jobrunner.db");
  const began = performance.now();
  await fill(path, id, (done) => {
    progress(`${done.toLocaleString("en")} jobs written in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  });
  progress(`the database has ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);

  const ready: number[] = [];
  for (let round = 0; round < 6; round++) {
    const service = await startService(scope, { stateDirectory: empty.stateDirectory });
    ready.push(service.readyAfter);
    await service.stop();
  }
  const service = await startService(scope, { stateDirectory: empty.stateDirectory });
  ready.push(service.readyAfter);
  const start = median(ready);
  report({
    name: "from process start to ready",
    ours: ms(start),
    peer: `${ms(empty.readyAfter)} (empty database)`,
    measured: ms(start),
    demanded: "<= 1000 ms",
    verdict: atMost(start, 1000),
  });

  const cursor = encodeURIComponent(await deepCursor(service.client, jobs / 2));
  const pages: [string, string][] = [
    ["newest", ""],
    ["deep inside", `cursor=${cursor}`],
    ["state=Succeeded", "state=Succeeded"],
    ["state=Lost (100 in all)", "state=Lost"],
    ["state=Failed, deep inside", `state=Failed&cursor=${cursor}`],
    ["label=team=7", "label=team%3D7"],
    ["label=team=7, deep inside", `label=team%3D7&cursor=${cursor}`],
    ["label=rare=yes (20 in all)", "label=rare%3Dyes"],
    ["label=team=7, state=Failed", "label=team%3D7&state=Failed"],
    ["label=team=7, state=Lost", "label=team%3D7&state=Lost"],
    ["label=rare (any value)", "label=rare"],
    ["label=team=7 and label=rare=yes", "label=team%3D7&label=rare%3Dyes"],
    ["name=nightly-7", "name=nightly-7"],
  ];
  for (const [name, query] of pages) {
    const values: number[] = [];
    let length = 0;
    for (let turn = 0; turn < 100; turn++) {
      const before = performance.now();
      const page = await service.client.json("GET", `/jobs?limit=50&${query}`);
      values.push(performance.now() - before);
      length = listField(page, "Jobs").length;
      // A slow page needs only a few turns.
      if (turn === 9 && median(values) > 200) break;
    }
    report({
      name: `GET /jobs: ${name}`,
      ours: `${length} jobs`,
      peer: "",
      measured: `${ms(median(values))} (p99 ${ms(percentile(values, 0.99))})`,
      demanded: "<= 5 ms",
      verdict: atMost(median(values), 5),
    });
  }
}

/** Writes with the project's store, so that the rows are what the service writes. */
async function fill(path: string, template: string, progress: (done: number) => void): Promise<void> {
  const store = new Store(path);
  try {
    const found = store.jobOf(template);
    if (found?.viewJson == null) throw new Error("the job to copy is not recorded as finished");
    const { viewJson, specJson } = found;
    const last = store.lastAccepted();
    if (last === null) throw new Error("the service has accepted no job");
    for (let from = 0; from < jobs; from += batch) {
      const writes: Promise<void>[] = [];
      for (let index = from; index < from + batch; index++) {
        const id = randomUUID();
        const seq = last.seq + 1 + index;
        const state = index % 10_000 === 5 ? "Lost" : index % 50 === 3 ? "Failed" : "Succeeded";
        // Independent of the states, so that every team has failed jobs.
        const team = String(Math.floor(index / 7) % teams);
        const name = `nightly-${Math.floor(index / 3) % 1000}`;
        const labels = { team, ...(index % 50_000 === 77 ? { rare: "yes" } : {}) };
        const view = viewJson
          .replaceAll(template, id)
          .replace('"State":"Succeeded"', `"State":"${state}"`)
          .replace('"Name":"template"', `"Name":"${name}"`)
          .replace('{"team":"template"}', JSON.stringify(labels));
        writes.push(
          store.insert({
            seq,
            id,
            state: "Starting",
            executorReference: "bench",
            submittedAtMs: last.submittedAtMs + index,
            clockTurn: last.clockTurn,
            name,
            labels,
            idempotency: null,
            owner: null,
            submittedBy: "local:bench",
            secretsJson: null,
            accountJson: null,
            specJson,
          }),
          store.finish(seq, { state, viewJson: view }),
        );
      }
      await Promise.all(writes);
      if ((from + batch) % 250_000 === 0) progress(from + batch);
    }
  } finally {
    store.close();
  }
}

async function deepCursor(client: Client, depth: number): Promise<string> {
  let cursor = "";
  for (let passed = 0; passed < depth;) {
    const page = await client.json("GET", `/jobs?limit=1000${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    const list = listField(page, "Jobs");
    const next = nextCursor(page);
    if (list.length === 0 || next === null) throw new Error(`the list ended after ${passed} jobs`);
    stringField(list[0], "ID");
    passed += list.length;
    cursor = next;
  }
  return cursor;
}
