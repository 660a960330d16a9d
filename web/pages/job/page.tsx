import { useCallback, useEffect, useMemo } from "preact/hooks";
import type { Job, WholeJob } from "../../../src/client/index.ts";
import { Guarded } from "../../parts/guarded.tsx";
import { Later } from "../../parts/later.tsx";
import { StateMark } from "../../parts/state.tsx";
import { useTab } from "../../parts/use-tab.ts";
import { useKnown } from "../../parts/use-known.ts";
import { goTo, hrefs, type LogTarget } from "../../route.ts";
import { nowMs } from "../../service/clock.ts";
import { exactTime, exitText, isActive, sinceText, titleOf, tookText } from "../../service/format.ts";
import { Actions } from "./actions.tsx";
import { Facts } from "./facts.tsx";
import { failingStep } from "./failing-step.ts";
import { LiveJob } from "./live-job.ts";
import { Timeline } from "./timeline.tsx";
import "./style.css";
import "./log.css";
import "./terminal.css";

/** A job: its state, steps, output and actions. */
export function JobPage({ id, target }: { id: string; target: LogTarget | null }) {
  const { client, events } = useKnown();
  const live = useMemo(() => new LiveJob({ client, id }), [client, id]);
  useEffect(() => live.start(events), [live, events]);
  const onFinished = useCallback((job: Job) => live.note(job), [live]);
  const { value: found } = live.found;
  const job = found.kind === "found" ? found.job : null;
  useTab(job === null ? id : titleOf(job), job?.State);
  switch (found.kind) {
    case "loading":
      return (
        <p class="page muted" aria-busy="true">
          Loading the job…
        </p>
      );
    case "missing":
      return (
        <div class="page">
          <div class="notice warn">
            There is no job with this ID. It may have been deleted, or the address is incomplete. <a href={hrefs.jobs()}>All jobs</a>
          </div>
        </div>
      );
    case "failed":
      return (
        <div class="page">
          <div class="notice bad">
            The job could not be asked for: {found.problem} <button onClick={() => void live.ask()}>Try again</button>
          </div>
        </div>
      );
    case "found":
      return (
        <div class="page filling job">
          <div class="top">
            <Guarded what="The head of the job">
              <Head job={found.job} />
            </Guarded>
            <Guarded what="The history">
              {found.job.Name !== null && <Later load={async () => (await import("./history.tsx")).History} props={{ job: found.job }} />}
            </Guarded>
            <Guarded what="The timeline">
              <Timeline job={found.job} />
            </Guarded>
            <Guarded what="The facts of the job">
              <Facts job={found.job} />
            </Guarded>
          </div>
          <Guarded what="The output">
            <Later load={async () => (await import("./log.tsx")).Log} props={{ job: found.job, target, onFinished }} />
          </Guarded>
        </div>
      );
  }
}

function Head({ job }: { job: WholeJob }) {
  const { ID, Name, State, Labels, Message, SubmittedAt, SubmittedBy } = job;
  return (
    <header class="job-head">
      <div class="row">
        <h1>{Name ?? <span class="mono">{titleOf(job)}</span>}</h1>
        <span role="status">
          <StateMark state={State} />
        </span>
        {exitText(job) !== "" && State !== "Succeeded" && <span class="mono">{exitText(job)}</span>}
        <Took job={job} />
        <span class="grow" />
        <Actions job={job} />
      </div>
      {Message !== null && (
        <p class={`notice ${isActive(job) || State === "Succeeded" ? "" : "bad"}`}>
          <Cause job={job} message={Message} />
        </p>
      )}
      <p class="muted facts-line">
        {titleOf(job) !== ID && <span class="mono">{ID}</span>}
        <span title={exactTime(SubmittedAt)}>
          submitted {sinceText(SubmittedAt, nowMs.value)}
          {SubmittedBy === null ? "" : ` by ${SubmittedBy}`}
        </span>
        {Object.entries(Labels).map(([key, value]) => (
          <a key={key} class="label" href={hrefs.jobs(new URLSearchParams([["label", `${key}=${value}`]]))}>
            {key}={value}
          </a>
        ))}
      </p>
    </header>
  );
}

/** Leads to the last lines of the step that failed. */
function Cause({ job, message }: { job: WholeJob; message: string }) {
  const step = failingStep(job);
  if (step === null || step.OutputBytes === 0) return <>{message}</>;
  const href = hrefs.job(job.ID, { kind: "step-end", number: step.Number });
  const go = (event: MouseEvent): void => {
    event.preventDefault();
    goTo(href, { isQuiet: location.hash === href }); // also if the address is the same
  };
  return (
    <a class="cause" href={href} onClick={go} title="Go to its last lines">
      {message}
    </a>
  );
}

function Took({ job }: { job: WholeJob }) {
  const text = tookText(job, nowMs.value);
  return text === "" ? null : <span class="muted">{text}</span>;
}
