import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { secondsBetween } from "../job/facts.ts";
import { activeStates, finalStates, type JobState, type JobView, type Reason, reasonsOf } from "../job/job.ts";

/** What the service counts and measures, in Prometheus' conventions: base units, counters that end in _total. */

export type Sources = {
  version: string;
  maxRunning: number;
  /** Of jobs that are not finished. */
  countStates: () => Map<JobState, number>;
  readers: () => number;
  /** Deleted jobs of which something remains on disk. */
  remains: () => number;
};

const dropReasons = ["stalled", "not_authorized"] as const;
/** Why a reader was cut off: it took nothing, or is not let in any more. */
export type DropReason = (typeof dropReasons)[number];

/** Of the library's own metrics: they are gauges, and there are others that say the same. */
const wronglyNamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

const waitSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600];
const durationSeconds = [0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600];
const commitSeconds = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5];

/** As prom-client keeps it. */
export class Measures {
  readonly #registry = new Registry();
  readonly #own = { registers: [this.#registry] };
  readonly #submitted = new Counter({ name: "jobrunner_jobs_submitted_total", help: "Jobs accepted", ...this.#own });
  readonly #finished = new Counter({
    name: "jobrunner_jobs_finished_total",
    help: "Jobs that are finished, by state and reason",
    labelNames: ["state", "reason"],
    ...this.#own,
  });
  readonly #queueWait = new Histogram({
    name: "jobrunner_queue_wait_seconds",
    help: "From acceptance until a job is given to a supervisor",
    buckets: waitSeconds,
    ...this.#own,
  });
  readonly #startLatency = new Histogram({
    name: "jobrunner_start_latency_seconds",
    help: "From acceptance until the first step's process is started",
    buckets: waitSeconds,
    ...this.#own,
  });
  readonly #duration = new Histogram({
    name: "jobrunner_job_duration_seconds",
    help: "From the first step's start to the job's end",
    labelNames: ["state"],
    buckets: durationSeconds,
    ...this.#own,
  });
  readonly #outputBytes = new Counter({
    name: "jobrunner_output_bytes_total",
    help: "Output kept of jobs that are finished",
    ...this.#own,
  });
  readonly #lostBytes = new Counter({
    name: "jobrunner_output_lost_bytes_total",
    help: "Output of jobs that are finished that could not be kept",
    ...this.#own,
  });
  readonly #dropped = new Counter({
    name: "jobrunner_readers_dropped_total",
    help: "Readers of output and events that were cut off",
    labelNames: ["reason"],
    ...this.#own,
  });
  readonly #commit = new Histogram({
    name: "jobrunner_database_commit_seconds",
    help: "A commit of one or many writes, with its fsync",
    buckets: commitSeconds,
    ...this.#own,
  });

  constructor(sources: Sources) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of wronglyNamed) this.#registry.removeSingleMetric(name);
    this.#beginWithZeros();
    this.#observe(sources);
  }

  /** Prometheus sees an increase only in what it has seen before: the first one lost would be none. */
  #beginWithZeros(): void {
    for (const State of finalStates) {
      for (const Reason of reasonsOf[State]) this.#finished.inc(endLabels({ State, Reason }), 0);
      this.#duration.zero({ state: State });
    }
    for (const reason of dropReasons) this.#dropped.inc({ reason }, 0);
  }

  /** What is looked up when it is asked for. */
  #observe({ version, maxRunning, countStates, readers, remains }: Sources): void {
    const count = (state: JobState): number => countStates().get(state) ?? 0;
    this.#gauge({ name: "jobrunner_build_info", help: "The version that runs", labelNames: ["version"] }, (gauge) =>
      gauge.set({ version }, 1),
    );
    this.#gauge({ name: "jobrunner_jobs_running_limit", help: "Jobs that may run at once" }, (gauge) => gauge.set(maxRunning));
    this.#gauge(
      { name: "jobrunner_jobs", help: "Jobs that are not finished, by state; those Queued are the queue's length", labelNames: ["state"] },
      (gauge) => {
        for (const state of activeStates) gauge.set({ state }, count(state));
      },
    );
    this.#gauge({ name: "jobrunner_supervisors", help: "Supervisors that run, one for each job that is Running or Stopping" }, (gauge) => {
      gauge.set(count("Running") + count("Stopping"));
    });
    this.#gauge(
      { name: "jobrunner_removals_stopped", help: "Deleted jobs of which something could not be removed from the disk" },
      (gauge) => gauge.set(remains()),
    );
    this.#gauge({ name: "jobrunner_readers", help: "Readers of output and events now" }, (gauge) => gauge.set(readers()));
  }

  #gauge(what: { name: string; help: string; labelNames?: string[] }, look: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({ ...what, registers: [], collect: () => look(gauge) });
    this.#registry.registerMetric(gauge);
  }

  submitted(): void {
    this.#submitted.inc();
  }

  /** Null: the clock was set back meanwhile, and it is not known how long it was. */
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

  /** Prometheus' text format, and its media type. */
  async text(): Promise<{ body: string; contentType: string }> {
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

function endLabels({ State, Reason }: { State: JobState; Reason: Reason | null }): { state: string; reason: string } {
  return { state: State, reason: Reason ?? "None" };
}
