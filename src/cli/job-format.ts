import { isFinished } from "../client/states.ts";
import type { Job, JobState } from "../client/index.ts";
import { type Cell, type Colour, table, visible } from "./table.ts";

/** A job as people read it in a line. */

const titles = ["ID", "NAME", "STATE", "STEPS", "SUBMITTED", "TOOK", "EXIT", "LABELS"];
/** On a screen that cuts lines, a name leaves room for what is beside it. */
const longestName = 32;

/** A table of jobs as they are now. `width`: of the screen, where lines must not be longer. */
export function linesOf(jobs: Job[], { stream, width = Infinity }: { stream: NodeJS.WritableStream; width?: number }): string[] {
  const short = shorten(jobs.map(({ ID }) => ID));
  const nowMs = Date.now();
  const shown = width === Infinity ? jobs : jobs.map((job) => ({ ...job, Name: clip(job.Name ?? "") }));
  return table(
    titles,
    shown.map((job) => rowOf(job, { short, nowMs })),
    { stream, width },
  );
}

function clip(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
}

/** So much of an ID, milliseconds and a count, tells it from others of its service; the rest is chance. */
const shortLength = 18;

/** The IDs, cut where that leaves them apart. */
function shorten(ids: string[]): (id: string) => string {
  const isApart = new Set(ids.map((id) => id.slice(0, shortLength))).size === new Set(ids).size;
  return (id) => (isApart ? id.slice(0, shortLength) : id);
}

function rowOf(job: Job, { short, nowMs }: { short: (id: string) => string; nowMs: number }): Cell[] {
  const { ID, Name, State, SubmittedAt, Labels } = job;
  return [
    short(ID),
    Name ?? "",
    { text: stateOf(job), colour: colours[State] },
    stepsOf(job),
    agoOf(SubmittedAt, nowMs),
    tookOf(job, nowMs),
    exitOf(job),
    labelsOf(Labels),
  ];
}

/** A change of a job's state as a line; its time is that of the change, as far as the job says. */
export function changeOf(job: Job): string {
  const { ID, Name, State, Message, SubmittedAt, StartedAt, EndedAt } = job;
  const time = EndedAt ?? StartedAt ?? SubmittedAt;
  return visible([time, ID, State.padEnd(9), Name ?? "-", Message ?? ""].join("  ").trimEnd());
}

/** A kill that waits says for whom: nobody would guess. Older services do not. */
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

/** Which step runs, of how many. */
function stepsOf({ Steps }: Job): string {
  const begun = Steps.filter(({ State }) => State !== "Pending" && State !== "Skipped").length;
  return `${begun}/${Steps.length}`;
}

function tookOf({ State, StartedAt, EndedAt }: Job, nowMs: number): string {
  if (StartedAt === null || (EndedAt === null && isFinished(State))) return "";
  const ms = (EndedAt === null ? nowMs : Date.parse(EndedAt)) - Date.parse(StartedAt);
  return ms < (EndedAt === null ? -skewMs : 0) ? "?" : durationOf(ms);
}

/** Clocks of two machines may differ by this much. A larger difference means that a clock was set back. */
const skewMs = 60_000;

function agoOf(time: string, nowMs: number): string {
  const ms = nowMs - Date.parse(time);
  return ms < -skewMs ? time.slice(0, 10) : `${durationOf(ms)} ago`;
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

/** The two largest units: 850ms, 4.2s, 3m12s, 5h03m, 2d04h. Seconds are rounded before they are divided: 59.6 s is 1m00s, not 60s. */
export function durationOf(ms: number): string {
  if (ms < 1000) return `${Math.max(0, ms)}ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  const two = (number: number): string => String(number).padStart(2, "0");
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${days}d${two(hours % 24)}h`;
}
