import { isFinished, type Job, type Step } from "../../src/client/index.ts";

/** How the page writes what the API says. */

export function isActive({ State }: Pick<Job, "State">): boolean {
  return !isFinished(State);
}

/** `TimedOut` as "timed out". */
export function stateWord(state: Job["State"] | Step["State"]): string {
  return state.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

/** How long it has taken; null: it has not started, or the clock was set back since, so that it is not known. */
export function tookMs({ StartedAt, EndedAt }: Pick<Job, "StartedAt" | "EndedAt">, nowMs: number): number | null {
  if (StartedAt === null) return null;
  const ms = (EndedAt === null ? nowMs : Date.parse(EndedAt)) - Date.parse(StartedAt);
  return ms < (EndedAt === null ? -skewMs : 0) ? null : Math.max(0, ms);
}

/** So far ahead of ours a clock may be that is right. */
const skewMs = 60_000;

/** `40 ms`, `1.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** Of what goes on, which is written anew each second: whole seconds. */
export function tickingText(ms: number): string {
  return ms < 9950 ? `${Math.floor(ms / 1000)} s` : durationText(Math.floor(ms / 1000) * 1000);
}

/** `12 s ago`, then the time of day, then the date; a date too where the clock was ahead then. */
export function sinceText(time: string, nowMs: number): string {
  const date = new Date(time);
  const agoMs = nowMs - date.getTime();
  if (agoMs < -skewMs) return dateTime.format(date);
  if (agoMs < 5000) return "just now";
  if (agoMs < 60_000) return `${Math.floor(agoMs / 1000)} s ago`;
  if (agoMs < 3_600_000) return `${Math.floor(agoMs / 60_000)} min ago`;
  return new Date(nowMs).toDateString() === date.toDateString() ? dayTime.format(date) : dateTime.format(date);
}

const dayTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateTime = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** For who wants it exactly. */
export function exactTime(time: string): string {
  return whole.format(new Date(time));
}

/** `812 B`, `1.2 kB`, `512 MB`: powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `exit 2`, `SIGKILL`; empty where there is neither. */
export function exitText({ ExitCode, Signal }: Pick<Job, "ExitCode" | "Signal">): string {
  return Signal ?? (ExitCode === null ? "" : `exit ${ExitCode}`);
}

/** What people call it: its name, else the beginning of its ID. */
export function titleOf({ Name, ID }: Pick<Job, "Name" | "ID">): string {
  return Name ?? shortId(ID);
}

/** So much of it as tells it from others, and as the command line takes for it. */
export function shortId(id: string): string {
  return id.slice(0, 18);
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
