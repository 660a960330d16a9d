import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { finalStates, Reason, reasonsOf } from "../src/job/job.ts";
import { freePort } from "./helper/ports.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { bearer, createToken, fromElsewhere } from "./helper/tokens.ts";
import { waitFor } from "./helper/wait.ts";

const isInstalled = spawnSync("promtool", ["--version"], { stdio: "ignore" }).status === 0;
const needsPrometheus = { skip: isInstalled || process.env["CI"] !== undefined ? false : "the Debian package prometheus is not installed" };

test("jobs are counted by state and reason, with their waits, durations and output", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_MAX_RUNNING: "2" } });
  await service.run({ CommandLine: "echo four" });
  await service.run({ CommandLine: "exit 3" });
  const running = await service.submit({ CommandLine: "sleep 1000" });
  const killed = await service.submit({ CommandLine: "sleep 1000" });
  const queued = await service.submit({ CommandLine: "true" });
  await service.kill(killed);
  await service.wait(queued);
  await service.submit({ CommandLine: "echo up; sleep 1000" });
  await service.submit({ CommandLine: "true" });
  const reader = await service.attach(running);
  await waitFor("both run", async () => (await samples(service)).get('jobrunner_jobs{state="Running"}') === 2);
  const found = await samples(service);
  const expected: Record<string, number> = {
    jobrunner_jobs_submitted_total: 7,
    'jobrunner_jobs{state="Queued"}': 1,
    'jobrunner_jobs{state="Running"}': 2,
    'jobrunner_jobs{state="Stopping"}': 0,
    jobrunner_supervisors: 2,
    jobrunner_jobs_running_limit: 2,
    'jobrunner_jobs_finished_total{state="Succeeded",reason="None"}': 2,
    'jobrunner_jobs_finished_total{state="Failed",reason="ExitCode"}': 1,
    'jobrunner_jobs_finished_total{state="Killed",reason="Requested"}': 1,
    jobrunner_queue_wait_seconds_count: 6,
    jobrunner_start_latency_seconds_count: 4,
    'jobrunner_job_duration_seconds_count{state="Succeeded"}': 2,
    jobrunner_output_bytes_total: 5,
    jobrunner_output_lost_bytes_total: 0,
    jobrunner_readers: 1,
    'jobrunner_readers_dropped_total{reason="stalled"}': 0,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, found.get(name)])), expected);
  assert.ok((found.get("jobrunner_database_commit_seconds_count") ?? 0) > 0);
  assert.ok(found.has("nodejs_eventloop_lag_p99_seconds") && found.has("process_resident_memory_bytes"));
  reader.close();
});

test("counters with labels start at 0, so that the first event is an increase", async (t) => {
  const service = await startService(t);
  const found = await samples(service);
  for (const state of finalStates) {
    for (const reason of reasonsOf[state])
      assert.equal(found.get(`jobrunner_jobs_finished_total{state="${state}",reason="${reason ?? "None"}"}`), 0, `${state} ${reason}`);
    assert.equal(found.get(`jobrunner_job_duration_seconds_count{state="${state}"}`), 0);
  }
  for (const reason of ["stalled", "not_authorized"]) assert.equal(found.get(`jobrunner_readers_dropped_total{reason="${reason}"}`), 0);
  const told = new Set<string | null>(finalStates.flatMap((state) => [...reasonsOf[state]]));
  for (const reason of Reason.enum) assert.ok(told.has(reason), `no state has the reason ${reason}`);
});

test("every metric that the docs name exists", async (t) => {
  const service = await startService(t);
  const { text } = await service.call("GET", "/metrics");
  const names =
    readFileSync(join(repository, "docs", "operations.md"), "utf8").match(/\b(jobrunner|nodejs|process)_[a-z0-9_]+(?=[`{])/g) ?? [];
  assert.ok(names.length >= 15);
  for (const name of names) assert.ok(text.includes(`# TYPE ${name} `), name);
});

test("disconnected readers are counted", async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_READER_TIMEOUT_SECONDS: "1" } });
  const { job } = await service.run({ CommandLine: "head -c 20M /dev/zero" });
  const reader = await service.attach(job.ID);
  reader.stall();
  await waitFor("it is dropped", async () => (await samples(service)).get('jobrunner_readers_dropped_total{reason="stalled"}') === 1);
  reader.close();
});

test("metrics are only for identified clients", async (t) => {
  const service = await startService(t);
  assert.equal((await service.call("GET", "/metrics", { headers: fromElsewhere })).status, 401);
  const answer = await service.call("GET", "/metrics", { headers: bearer(await createToken(service, "prometheus", "read")) });
  assert.equal(answer.status, 200);
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
});

test("Prometheus' own check finds nothing wrong with the metrics", needsPrometheus, async (t) => {
  const service = await startService(t);
  await service.run({ CommandLine: "true" });
  const { text } = await service.call("GET", "/metrics");
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.equal(`${stdout}${stderr}`, "");
});

test("Prometheus scrapes the service with a token, and finds every metric of the dashboard", needsPrometheus, async (t) => {
  const service = await startService(t, { environment: { JOBRUNNER_LOCAL_TRUST: "true" } });
  const url = await startPrometheus(t, service);
  await service.run({ CommandLine: "echo out" });
  await waitFor("it has scraped a job that is finished", async () => (await query(url, "sum(jobrunner_jobs_finished_total)")) === "1", 30);
  assert.equal(await query(url, 'up{job="jobrunner"}'), "1");
  const dashboard: { panels: { targets: { expr: string }[] }[] } = JSON.parse(
    readFileSync(join(repository, "packaging", "grafana", "jobrunner.json"), "utf8"),
  );
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length > 15);
  for (const expression of expressions) {
    const [name = ""] = /\b(jobrunner|nodejs|process)_\w+/.exec(expression) ?? [];
    assert.notEqual(await query(url, `count(${name})`), null, name);
    const filled = expression.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m");
    assert.equal((await answer(url, filled)).status, "success", filled);
  }
});

test("Prometheus sees the first lost and the first timed-out job as an increase", needsPrometheus, async (t) => {
  const service = await startService(t);
  const url = await startPrometheus(t, service);
  const over = (state: string): string => `jobrunner_jobs_finished_total{state="${state}"}`;
  const states = ["Lost", "TimedOut"];
  for (const state of states)
    await waitFor(`it has scraped that none is ${state}`, async () => (await query(url, `sum(${over(state)})`)) === "0");
  const lost = await service.submit({ CommandLine: "sleep 1000" });
  process.kill(await service.supervisor(lost), "SIGKILL");
  await service.run({ CommandLine: "sleep 1000", TimeoutSeconds: 0.1 });
  assert.equal((await service.wait(lost)).State, "Lost");
  for (const state of states)
    await waitFor(`one more is ${state}`, async () => Number(await query(url, `sum(increase(${over(state)}[5m]))`)) > 0);
});

/** The metrics by name and labels, as written in the text format. */
async function samples(service: Service): Promise<Map<string, number>> {
  const { text } = await service.call("GET", "/metrics");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line): [string, number] => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

async function startPrometheus(t: TestContext, service: Service): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-prometheus-"));
  writeFileSync(join(folder, "token"), await createToken(service, "prometheus", "read"));
  const config = {
    global: { scrape_interval: "1s" },
    scrape_configs: [
      {
        job_name: "jobrunner",
        authorization: { credentials_file: join(folder, "token") },
        static_configs: [{ targets: [`127.0.0.1:${service.port}`] }],
      },
    ],
  };
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config)); // JSON is YAML
  const port = await freePort();
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=error",
  ];
  const child = spawn("prometheus", args, { stdio: "ignore" });
  t.after(async () => {
    child.kill("SIGTERM");
    await waitFor("prometheus ends", () => child.exitCode !== null || child.signalCode !== null);
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor("prometheus is ready", async () => (await fetch(`${url}/-/ready`).catch(() => null))?.status === 200, 30);
  return url;
}

type QueryAnswer = { status: string; data?: { result: { value: [number, string] }[] } };

async function answer(url: string, expression: string): Promise<QueryAnswer> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const body: QueryAnswer = JSON.parse(await response.text());
  return body;
}

/** The first value, or null if there is none. */
async function query(url: string, expression: string): Promise<string | null> {
  return (await answer(url, expression)).data?.result[0]?.value[1] ?? null;
}
