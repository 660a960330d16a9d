import type { Step, WholeJob } from "../../../src/client/index.ts";
import { StateMark, stateClass } from "../../parts/state.tsx";
import { goTo, hrefs } from "../../route.ts";
import { nowMs } from "../../service/clock.ts";
import { isUnfinished } from "../../../src/lib/ending.ts";
import { bytesText, exactTime, exitText, tookText } from "../../service/format.ts";

/** A job's steps in order, with when each ran and how it ended. A step's name links to its output. */
export function Timeline({ job }: { job: WholeJob }) {
  const span = spanOf(job);
  return (
    <ol class="timeline card" aria-label="Steps">
      {job.Steps.map((step) => (
        <li key={step.Number} title={step.Message ?? undefined} {...opening(job, step)}>
          <StateMark state={step.State} isShort />
          <StepName job={job} step={step} />
          <Bar step={step} span={span} />
          <span class="step-end mono">{step.State === "Succeeded" ? "" : exitText(step)}</span>
          <span class="step-took">
            <StepTook step={step} />
          </span>
          <span class="step-use muted">{useOf(step)}</span>
        </li>
      ))}
    </ol>
  );
}

/** A click anywhere in the row leads to the step's output, as its link does for keys and screen readers. */
function opening(job: WholeJob, { Number, StartedAt }: Step): { class: string; onClick: () => void } | Record<string, never> {
  return StartedAt === null ? {} : { class: "is-open", onClick: () => goToStep(job, Number) };
}

function goToStep(job: WholeJob, number: number): void {
  goTo(hrefs.job(job.ID, { kind: "step", number }), { isQuiet: true }); // also if the address is the same
}

function StepName({ job, step }: { job: WholeJob; step: Step }) {
  const words = (
    <>
      <span class="muted">{step.Number}</span> <span>{nameOf(step, job)}</span>
    </>
  );
  if (step.StartedAt === null) return <span class="step-name muted">{words}</span>;
  const go = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return event.stopPropagation(); // a new tab or window
    event.preventDefault(); // the row goes there
  };
  return (
    <a class="step-name" href={hrefs.job(job.ID, { kind: "step", number: step.Number })} onClick={go} title="Go to its output">
      {words}
    </a>
  );
}

/** Its name, or what it runs. */
export function nameOf({ Name, Number }: Pick<Step, "Name" | "Number">, { Spec }: WholeJob): string {
  if (Name !== null) return Name;
  const command = Spec.Commands?.[Number - 1] ?? Spec;
  const line = "Args" in command && command.Args !== undefined ? command.Args.join(" ") : command.CommandLine;
  const image = "Image" in command ? command.Image : undefined;
  return line?.trim().split("\n", 1)[0] ?? image ?? `step ${Number}`;
}

type Span = { startMs: number; endMs: number };

/** A job whose end is unknown ends, in the picture, with the last time that is known. */
function spanOf(job: WholeJob): Span | null {
  const times = [job, ...job.Steps].flatMap(({ StartedAt, EndedAt }) =>
    [StartedAt, EndedAt].flatMap((time) => (time === null ? [] : [Date.parse(time)])),
  );
  const [firstMs] = times;
  if (firstMs === undefined) return null;
  const lastMs = job.EndedAt === null ? Math.max(...times) : Date.parse(job.EndedAt);
  return { startMs: firstMs, endMs: isUnfinished(job) ? nowMs.value : lastMs };
}

function Bar({ step, span }: { step: Step; span: Span | null }) {
  if (span === null || step.StartedAt === null) return <span class="track" />;
  const wholeMs = Math.max(1, span.endMs - span.startMs);
  const within = (timeMs: number): number => Math.min(wholeMs, Math.max(0, timeMs - span.startMs)); // a clock may have been set meanwhile
  const fromMs = within(Date.parse(step.StartedAt));
  const toMs = Math.max(fromMs, within(step.EndedAt === null ? span.endMs : Date.parse(step.EndedAt)));
  const style = { left: `${(100 * fromMs) / wholeMs}%`, width: `${(100 * (toMs - fromMs)) / wholeMs}%` };
  return (
    <span class="track">
      <i class={stateClass(step.State)} style={style} title={timesOf(step)} />
    </span>
  );
}

function timesOf({ StartedAt, EndedAt }: Step): string {
  return [StartedAt, EndedAt].flatMap((time) => (time === null ? [] : [exactTime(time)])).join(" – ");
}

function StepTook({ step }: { step: Step }) {
  if (step.State === "Skipped") return <span class="muted">skipped</span>;
  return <>{tookText(step, nowMs.value)}</>;
}

/** The resources that it used, if known. */
function useOf({ CPUSeconds, PeakMemoryBytes, OutputBytes }: Step): string {
  return [
    CPUSeconds === null ? "" : `${CPUSeconds.toFixed(CPUSeconds < 10 ? 2 : 0)} s CPU`,
    PeakMemoryBytes === null ? "" : `${bytesText(PeakMemoryBytes)} memory`,
    OutputBytes === null ? "" : `${bytesText(OutputBytes)} output`,
  ]
    .filter((text) => text !== "")
    .join(" · ");
}
