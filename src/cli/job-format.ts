import { isFinished } from "../client/states.ts";
import type { Job, JobState } from "../client/index.ts";
import { elapsedMs, shortDuration, skewMs } from "../lib/duration.ts";
import { cutTo, widthOf } from "./display-width.ts";
import { type Cell, type Colour, table, visible } from "./table.ts";

/** Jobs as lines for people. */

const titles = ["ID", "NAME", "STATE", "STEPS", "SUBMITTED", "TOOK", "EXIT", "LABELS"];
/** In columns. On a screen that cuts lines, a longer name would leave no room for the columns beside it. */
const longestName = 32;

/** A table of jobs. `width`: longer lines are cut to so many columns of the screen. */
export function linesOf(jobs: Job[], { stream, width = Infinity }: { stream: NodeJS.WritableStream; width?: number }): string[] {
  const short = shorten(jobs.map(({ ID }) => ID));
  const nowMs = Date.now();
  const shown =
    width === Infinity
      ? jobs
      : jobs.map((job) => ({ ...job, ...(job.Name === null ? { Command: nameFor(job.Command ?? "") } : { Name: nameFor(job.Name) }) }));
  return table(
    titles,
    shown.map((job) => rowOf(job, { short, nowMs })),
    { stream, width },
  );
}

/** A name as it is shown on a screen. */
export function nameFor(name: string): string {
  const shown = visible(name);
  return widthOf(shown) > longestName ? `${cutTo(shown, longestName - 1)}…` : shown;
}

/** This much of an ID (milliseconds and a count) distinguishes it from others of its service; the rest is random. */
const shortLength = 18;

/** Shortens IDs, unless two of them would then be equal. */
function shorten(ids: string[]): (id: string) => string {
  const isApart = new Set(ids.map((id) => id.slice(0, shortLength))).size === new Set(ids).size;
  return (id) => (isApart ? id.slice(0, shortLength) : id);
}

function rowOf(job: Job, { short, nowMs }: { short: (id: string) => string; nowMs: number }): Cell[] {
  const { ID, Name, State, SubmittedAt, Labels } = job;
  return [
    short(ID),
    Name ?? { text: job.Command ?? "", colour: "dim" },
    { text: stateOf(job), colour: colours[State] },
    stepsOf(job),
    agoOf(SubmittedAt, nowMs),
    tookOf(job, nowMs),
    exitOf(job),
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
function stateOf({ State, WaitsFor: waited }: Job): string {
  return !waited ? State : `${State}: waits for ${waited.Program} (${waited.PID}) of ${waited.User}`;
}

const colours: Record<JobState, Colour> = {
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

function tookOf({ State, StartedAt, EndedAt }: Job, nowMs: number): string {
  if (StartedAt === null || (EndedAt === null && isFinished(State))) return "";
  const ms = elapsedMs({ StartedAt, EndedAt }, nowMs);
  return ms === null ? "?" : shortDuration(ms);
}

function agoOf(time: string, nowMs: number): string {
  const ms = nowMs - Date.parse(time);
  return ms < -skewMs ? time.slice(0, 10) : `${shortDuration(ms)} ago`;
}

function exitOf(job: Job): string {
  if (!isFinished(job.State)) return "";
  return job.Signal ?? (job.ExitCode === null ? "?" : String(job.ExitCode));
}

function labelsOf(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
