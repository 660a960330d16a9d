import { useComputed } from "@preact/signals";
import type { Job } from "../../../src/client/index.ts";
import { StateMark } from "../../parts/state.tsx";
import { StepsBar } from "../../parts/steps-bar.tsx";
import { hrefs } from "../../route.ts";
import { nowMs } from "../../service/clock.ts";
import { exactTime, exitText, isActive, shortId, sinceText, titleOf, tookText } from "../../service/format.ts";
import type { Row } from "./job-list.ts";
import { Labels } from "./labels.tsx";

type JobRowProps = { row: Row; index: number; topPx: number; isCurrent: boolean; onLabel: (label: string) => void };

/** A job as a row. */
export function JobRow({ row, index, topPx, isCurrent, onLabel }: JobRowProps) {
  const job = row.job.value;
  const { ID, Name, Command, State, SubmittedAt, Message } = job;
  return (
    <div class="job-row" role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${topPx}px)` }} title={Message ?? undefined}>
      <span role="cell">
        <StateMark state={State} />
      </span>
      <span role="cell" class="name">
        <a href={hrefs.job(ID)} tabIndex={isCurrent ? 0 : -1}>
          {Name ?? <span class={Command === null ? "mono" : "mono muted"}>{titleOf(job)}</span>}
        </a>
        {titleOf(job) !== shortId(ID) && <span class="mono muted">{shortId(ID)}</span>}
      </span>
      <Labels labels={job.Labels} onLabel={onLabel} />
      <span role="cell" class="steps">
        <StepsBar steps={job.Steps} />
      </span>
      <span role="cell" class="submitted muted" title={exactTime(SubmittedAt)}>
        <Since time={SubmittedAt} />
      </span>
      <span role="cell" class="took">
        <Took job={job} />
      </span>
      <span role="cell" class="exit mono">
        {exitText(job)}
      </span>
    </div>
  );
}

function Since({ time }: { time: string }) {
  return <>{useComputed(() => sinceText(time, nowMs.value))}</>;
}

/** The duration of an unfinished job, updated every second. */
function Took({ job }: { job: Job }) {
  if (isActive(job) && job.StartedAt !== null) return <Ticking key={job.StartedAt} job={job} />;
  return <>{tookText(job, 0)}</>;
}

function Ticking({ job }: { job: Job }) {
  return <>{useComputed(() => tookText(job, nowMs.value))}</>;
}
