import type { Job, JobState } from "../client/index.ts";
import { stateWithCause } from "../lib/cause.ts";
import { shortDuration, skewMs } from "../lib/duration.ts";
import { exitOf, type Known, knownText, type Took, tookOf } from "../lib/ending.ts";
import { shortened } from "./display-width.ts";
import { type Cell, type Colour, type Column, table, visible } from "./table.ts";

/** Jobs as lines for people. */

const columns: Column[] = [
  "ID",
  { title: "NAME", minWidth: 16 },
  { title: "STATE", minWidth: 15 },
  "STEPS",
  "SUBMITTED",
  "TOOK",
  "EXIT",
  { title: "LABELS", minWidth: 12 },
];
/** In columns. On a screen that cuts lines, a longer name would leave no room for the columns beside it. */
const longestName = 32;

/** A table of jobs. `width`: of the screen that they must fit. */
export function linesOf(jobs: Job[], { stream, width = Infinity }: { stream: NodeJS.WritableStream; width?: number }): string[] {
  const short = shorten(jobs.map(({ ID }) => ID));
  const nowMs = Date.now();
  const shown =
    width === Infinity
      ? jobs
      : jobs.map((job) => ({ ...job, ...(job.Name === null ? { Command: nameFor(job.Command ?? "") } : { Name: nameFor(job.Name) }) }));
  return table(
    columns,
    shown.map((job) => rowOf(job, { short, nowMs })),
    { stream, width },
  );
}

/** A name as it is shown on a screen. */
export function nameFor(name: string): string {
  return shortened(visible(name), longestName);
}

/** This much of an ID (milliseconds and a count) distinguishes it from others of its service; the rest is random. */
const shortLength = 18;

/** Shortens IDs, unless two of them would then be equal. */
export function shorten(ids: string[]): (id: string) => string {
  const isApart = new Set(ids.map((id) => id.slice(0, shortLength))).size === new Set(ids).size;
  return (id) => (isApart ? id.slice(0, shortLength) : id);
}

function rowOf(job: Job, { short, nowMs }: { short: (id: string) => string; nowMs: number }): Cell[] {
  const { ID, Name, State, SubmittedAt, Labels } = job;
  return [
    short(ID),
    Name ?? { text: job.Command ?? "", colour: "dim" },
    { text: stateText(job), colour: colours[State] },
    stepsOf(job),
    agoOf(SubmittedAt, nowMs),
    tookText(tookOf(job, nowMs)),
    exitText(job),
    labelsOf(Labels),
  ];
}

/** A change of a job's state as a line, with the time of the change if the job has it. */
export function changeOf(job: Job): string {
  const { ID, Name, State, Message, SubmittedAt, StartedAt, EndedAt } = job;
  const time = EndedAt ?? StartedAt ?? SubmittedAt;
  return visible([time, ID, State.padEnd(9), Name ?? "-", Message ?? ""].join("  ").trimEnd());
}

/** Names the process that a kill waits for. Older services do not report it. */
export function stateText(job: Job): string {
  const { State, WaitsFor: waited } = job;
  return !waited ? stateWithCause(job) : `${State}: waits for ${waited.Program} (${waited.PID}) of ${waited.User}`;
}

/** Of the terminal. */
export const colours: Record<JobState, Colour> = {
  Queued: "dim",
  Starting: "cyan",
  Running: "cyan",
  Stopping: "yellow",
  Succeeded: "green",
  Failed: "red",
  Killed: "yellow",
  TimedOut: "red",
  Lost: "magenta",
};

/** The number of steps that have started, and of all. */
function stepsOf({ Steps }: Job): string {
  const begun = Steps.filter(({ State }) => State !== "Pending" && State !== "Skipped").length;
  return `${begun}/${Steps.length}`;
}

export function tookText(took: Known<Took>): string {
  return knownText(took, ({ ms }) => shortDuration(ms));
}

export function agoOf(time: string, nowMs: number): string {
  const ms = nowMs - Date.parse(time);
  return ms < -skewMs ? time.slice(0, 10) : `${shortDuration(ms)} ago`;
}

export function exitText(job: Job): string {
  return knownText(exitOf(job), (exit) => exit);
}

function labelsOf(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
