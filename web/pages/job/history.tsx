import { useEffect, useMemo } from "preact/hooks";
import type { Job, WholeJob } from "../../../src/client/index.ts";
import { longDuration } from "../../../src/lib/duration.ts";
import { type History as RunsHistory, historyOf } from "../../../src/lib/history.ts";
import { stateClass } from "../../parts/state.tsx";
import { useKnown } from "../../parts/use-known.ts";
import { hrefs } from "../../route.ts";
import { nowMs } from "../../service/clock.ts";
import { exitText, sinceText, stateWord, tookText } from "../../service/format.ts";
import { RunHistory } from "./run-history.ts";
import "./history.css";

/** The other runs of the job's name, as small bars. A job without a name has none. */
export function History({ job }: { job: WholeJob }) {
  return job.Name === null ? null : <Named key={job.ID} id={job.ID} name={job.Name} />;
}

function Named({ id, name }: { id: string; name: string }) {
  const { client, events } = useKnown();
  const history = useMemo(() => new RunHistory({ client, name, id }), [client, name, id]);
  useEffect(() => history.start(events), [history, events]);
  const { value: runs } = history.runs;
  if (runs === null) return null;
  const found = historyOf(runs.jobs, nowMs.value);
  return (
    <nav class="history card" aria-label={`Runs of ${name}`}>
      <Neighbour job={runs.previous} words="‹ previous" />
      <ol>
        {found.runs.map(({ job, part }) => (
          <li key={job.ID}>
            <Bar job={job} part={part} isCurrent={job.ID === id} />
          </li>
        ))}
      </ol>
      <Neighbour job={runs.next} words="next ›" />
      <span class="muted">{summaryOf(found, runs.isNewest)}</span>
    </nav>
  );
}

function Neighbour({ job, words }: { job: Job | null; words: string }) {
  if (job === null) return <span class="muted">{words}</span>;
  return (
    <a href={hrefs.job(job.ID)} title={wordsOf(job)}>
      {words}
    </a>
  );
}

/** Its height is the duration. The mark below it says the outcome to those who see no colours. */
function Bar({ job, part, isCurrent }: { job: Job; part: number; isCurrent: boolean }) {
  const heightPercent = Math.max(8, Math.round(100 * part));
  return (
    <a
      class={`run ${stateClass(job.State)}`}
      href={hrefs.job(job.ID)}
      title={wordsOf(job)}
      aria-label={wordsOf(job)}
      aria-current={isCurrent ? "page" : undefined}
      tabIndex={isCurrent ? 0 : -1}
    >
      <i style={{ height: `${heightPercent}%` }} />
      <b aria-hidden="true">{marks[job.State]}</b>
    </a>
  );
}

const marks: Record<Job["State"], string> = {
  Queued: "·",
  Starting: "▸",
  Running: "▸",
  Stopping: "▸",
  Succeeded: "",
  Failed: "✕",
  TimedOut: "◷",
  Killed: "■",
  Lost: "?",
};

function wordsOf(job: Job): string {
  const end = job.State === "Succeeded" ? "" : exitText(job);
  return [stateWord(job.State), end, tookText(job, nowMs.value), sinceText(job.SubmittedAt, nowMs.value)]
    .filter((text) => text !== "")
    .join(" · ");
}

function summaryOf({ finishedCount, failedCount, medianMs, worstMs }: RunsHistory<Job>, isNewest: boolean): string {
  return [
    `failed ${failedCount} of ${finishedCount}`,
    ...(medianMs === null || worstMs === null ? [] : [`median ${longDuration(medianMs)}`, `worst ${longDuration(worstMs)}`]),
    ...(isNewest ? [] : ["runs around this one"]),
  ].join(" · ");
}
