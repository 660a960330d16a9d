/** Durations, as the command line and the page show them. */

/** Clocks of two machines may differ by this much. A larger difference means that a clock was set back. */
export const skewMs = 60_000;

/** From a start to an end, or to the present; null: unknown, because the job has not started or a clock was set back since. */
export function elapsedMs({ StartedAt, EndedAt }: { StartedAt: string | null; EndedAt: string | null }, nowMs: number): number | null {
  if (StartedAt === null) return null;
  const ms = (EndedAt === null ? nowMs : Date.parse(EndedAt)) - Date.parse(StartedAt);
  return ms < (EndedAt === null ? -skewMs : 0) ? null : Math.max(0, ms);
}

/** For tables: `850ms`, `4.2s`, `12s`, `3m12s`, `5h03m`, `2d04h`. */
export function shortDuration(ms: number): string {
  return partsOf(ms)
    .map(({ number, unit }) => number + (unit === "min" ? "m" : unit))
    .join("");
}

/** For sentences: `850 ms`, `4.2 s`, `12 s`, `3 min 12 s`, `5 h 03 min`, `2 d 04 h`. */
export function longDuration(ms: number): string {
  return partsOf(ms)
    .map(({ number, unit }) => `${number} ${unit}`)
    .join(" ");
}

type Part = { number: string; unit: "ms" | "s" | "min" | "h" | "d" };

/** The two largest units. The duration is rounded before it is divided: 59.6 s is 1 min 00 s, not 60 s. */
function partsOf(ms: number): Part[] {
  const wholeMs = Math.max(0, Math.round(ms));
  if (wholeMs < 1000) return [{ number: String(wholeMs), unit: "ms" }];
  if (wholeMs < 9950) return [{ number: (wholeMs / 1000).toFixed(1), unit: "s" }];
  const seconds = Math.round(wholeMs / 1000);
  if (seconds < 60) return [{ number: String(seconds), unit: "s" }];
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  if (hours === 0) return [part(minutes, "min"), second(seconds % 60, "s")];
  if (days === 0) return [part(hours, "h"), second(minutes % 60, "min")];
  return [part(days, "d"), second(hours % 24, "h")];
}

function part(number: number, unit: Part["unit"]): Part {
  return { number: String(number), unit };
}

function second(number: number, unit: Part["unit"]): Part {
  return { number: String(number).padStart(2, "0"), unit };
}
