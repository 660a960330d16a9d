import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { secondsBetween } from "../job/facts.ts";
import { activeStates, finalStates, type JobState, type JobView, type Reason, reasonsOf } from "../job/job.ts";

/** The metrics of the service, by Prometheus' conventions: base units, and counters that end in _total. */

export type Sources = {
  version: string;
  maxRunning: number;
  /** Counts the unfinished jobs by state. */
  countStates: () => Map<JobState, number>;
  readers: () => number;
  /** How many deleted jobs still have files on disk. */
  remains: () => number;
};

const dropReasons = ["stalled", "not_authorized"] as const;
/** Why a reader was disconnected: it read nothing, or is not authorized any more. */
export type DropReason = (typeof dropReasons)[number];

/** Gauges of the library whose names end in _total, against the conventions. Other metrics have the same values. */
const wronglyNamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

const waitSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600];
const durationSeconds = [0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600];
const commitSeconds = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5];

/** Keeps the metrics with prom-client. */
export class Measures {
  readonly #registry = new Registry();
  readonly #own = { registers: [this.#registry] };
  readonly #submitted = new Counter({ name: "jobrunner_jobs_submitted_total", help: "Jobs accepted", ...this.#own });
  readonly #finished = new Counter({
    name: "jobrunner_jobs_finished_total",
    help: "Finished jobs, by state and reason",
    labelNames: ["state", "reason"],
    ...this.#own,
  });
  readonly #queueWait = new Histogram({
    name: "jobrunner_queue_wait_seconds",
    help: "Time from the acceptance of a job until it is given to a supervisor",
    buckets: waitSeconds,
    ...this.#own,
  });
  readonly #startLatency = new Histogram({
    name: "jobrunner_start_latency_seconds",
    help: "Time from the acceptance of a job until its first process is started",
    buckets: waitSeconds,
    ...this.#own,
  });
  readonly #duration = new Histogram({
    name: "jobrunner_job_duration_seconds",
    help: "Time from the start of the first step to the end of the job",
    labelNames: ["state"],
    buckets: durationSeconds,
    ...this.#own,
  });
  readonly #outputBytes = new Counter({
    name: "jobrunner_output_bytes_total",
    help: "Output of finished jobs that was stored",
    ...this.#own,
  });
  readonly #lostBytes = new Counter({
    name: "jobrunner_output_lost_bytes_total",
    help: "Output of finished jobs that could not be stored",
    ...this.#own,
  });
  readonly #dropped = new Counter({
    name: "jobrunner_readers_dropped_total",
    help: "Readers of output and events that were disconnected",
    labelNames: ["reason"],
    ...this.#own,
  });
  readonly #commit = new Histogram({
    name: "jobrunner_database_commit_seconds",
    help: "Time of a commit of one or more writes, with its fsync",
    buckets: commitSeconds,
    ...this.#own,
  });

  constructor(sources: Sources) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of wronglyNamed) this.#registry.removeSingleMetric(name);
    this.#beginWithZeros();
    this.#observe(sources);
  }

  /** Prometheus sees an increase only of a series that it knows, so every series starts at 0. */
  #beginWithZeros(): void {
    for (const State of finalStates) {
      for (const Reason of reasonsOf[State]) this.#finished.inc(endLabels({ State, Reason }), 0);
      this.#duration.zero({ state: State });
    }
    for (const reason of dropReasons) this.#dropped.inc({ reason }, 0);
  }

  /** Registers the gauges whose values are looked up at each request. */
  #observe({ version, maxRunning, countStates, readers, remains }: Sources): void {
    const count = (state: JobState): number => countStates().get(state) ?? 0;
    this.#gauge({ name: "jobrunner_build_info", help: "The version of the service", labelNames: ["version"] }, (gauge) =>
      gauge.set({ version }, 1),
    );
    this.#gauge({ name: "jobrunner_jobs_running_limit", help: "How many jobs may run at once" }, (gauge) => gauge.set(maxRunning));
    this.#gauge(
      { name: "jobrunner_jobs", help: "Unfinished jobs, by state; the state Queued is the length of the queue", labelNames: ["state"] },
      (gauge) => {
        for (const state of activeStates) gauge.set({ state }, count(state));
      },
    );
    this.#gauge({ name: "jobrunner_supervisors", help: "Running supervisors: one for each job that is Running or Stopping" }, (gauge) => {
      gauge.set(count("Running") + count("Stopping"));
    });
    this.#gauge({ name: "jobrunner_removals_stopped", help: "Deleted jobs with files that could not be removed" }, (gauge) =>
      gauge.set(remains()),
    );
    this.#gauge({ name: "jobrunner_readers", help: "Readers of output and events" }, (gauge) => gauge.set(readers()));
  }

  #gauge(options: { name: string; help: string; labelNames?: string[] }, read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({ ...options, registers: [], collect: () => read(gauge) });
    this.#registry.registerMetric(gauge);
  }

  submitted(): void {
    this.#submitted.inc();
  }

  /** Null: the clock was set back meanwhile, so the time is unknown. */
  admitted(waitedMs: number | null): void {
    if (waitedMs !== null) this.#queueWait.observe(waitedMs / 1000);
  }

  finished({ State, Reason, SubmittedAt, StartedAt, EndedAt, OutputBytes, OutputLostBytes }: JobView): void {
    this.#finished.inc(endLabels({ State, Reason }));
    const latencySeconds = secondsBetween(SubmittedAt, StartedAt);
    const durationSeconds = secondsBetween(StartedAt, EndedAt);
    if (latencySeconds !== null) this.#startLatency.observe(latencySeconds);
    if (durationSeconds !== null) this.#duration.observe({ state: State }, durationSeconds);
    this.#outputBytes.inc(OutputBytes ?? 0);
    this.#lostBytes.inc(OutputLostBytes ?? 0);
  }

  committed(ms: number): void {
    this.#commit.observe(ms / 1000);
  }

  dropped(reason: DropReason): void {
    this.#dropped.inc({ reason });
  }

  /** The metrics in Prometheus' text format, with its media type. */
  async text(): Promise<{ body: string; contentType: string }> {
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

function endLabels({ State, Reason }: { State: JobState; Reason: Reason | null }): { state: string; reason: string } {
  return { state: State, reason: Reason ?? "None" };
}
