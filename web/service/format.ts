import { isFinished, type Job, type Step } from "../../src/client/index.ts";
import { longDuration, skewMs } from "../../src/lib/duration.ts";
import { exitOf, knownText, tookOf } from "../../src/lib/ending.ts";

/** Values of the API as the page shows them. */

export function isActive({ State }: Pick<Job, "State">): boolean {
  return !isFinished(State);
}

/** `TimedOut` as "timed out". */
export function stateWord(state: Job["State"] | Step["State"]): string {
  return state.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

/** A duration that is updated every second: in whole seconds. */
export function tickingText(ms: number): string {
  return ms < 9950 ? `${Math.floor(ms / 1000)} s` : longDuration(Math.floor(ms / 1000) * 1000);
}

/** `12 s ago`; after an hour the time of day; after midnight, or if a clock was set back since, the date as well. */
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

/** The date and the time with seconds, for tooltips. */
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

/** `exit 2` or `SIGKILL`; nothing if there is neither, `?` if it is unknown. */
export function exitText(run: Parameters<typeof exitOf>[0]): string {
  return knownText(exitOf(run), (exit) => (run.Signal === null ? `exit ${exit}` : exit));
}

/** How long it took, or runs so far; nothing if it has not started, `?` if it is unknown. */
export function tookText(run: Parameters<typeof tookOf>[0], nowMs: number): string {
  return knownText(tookOf(run, nowMs), ({ ms, isRunning }) => (isRunning ? tickingText(ms) : longDuration(ms)));
}

/** The job's name, or what it runs, or the beginning of its ID. */
export function titleOf({ Name, Command, ID }: Pick<Job, "Name" | "Command" | "ID">): string {
  return [Name, Command].find((text) => text !== null && text !== "") ?? shortId(ID);
}

/** As long as in the tables of the command line, which accepts it in place of the whole ID. */
export function shortId(id: string): string {
  return id.slice(0, 18);
}

/** `14:03:09.123` in the time zone of this device. */
export function clockText(time: string): string {
  const date = new Date(time);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
