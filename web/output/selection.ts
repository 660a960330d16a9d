import { signal } from "@preact/signals";
import type { Line } from "./lines.ts";

/** A place in the log: a character of a line that is shown, counted in UTF-16 code units. */
export type LogPoint = { offsetBytes: number; column: number };
/** From where the reader began to select to where that went, which may be further up. */
export type LogRange = { anchor: LogPoint; focus: LogPoint };

/**
 * What is selected of an output. Only rows on the screen are in the document, so that the browser's own selection cannot hold what was
 * scrolled away: this does.
 */
export class LogSelection {
  readonly range = signal<LogRange | null>(null);

  selectAll(): void {
    this.range.value = { anchor: { offsetBytes: 0, column: 0 }, focus: { offsetBytes: Infinity, column: 0 } };
  }

  clear(): void {
    this.range.value = null;
  }
}

export function isBefore(one: LogPoint, other: LogPoint): boolean {
  return one.offsetBytes < other.offsetBytes || (one.offsetBytes === other.offsetBytes && one.column < other.column);
}

/** From its upper to its lower end. */
export function ordered({ anchor, focus }: LogRange): { start: LogPoint; end: LogPoint } {
  return isBefore(focus, anchor) ? { start: focus, end: anchor } : { start: anchor, end: focus };
}

/** The text of a line that is in the range; null: it is not in it. */
export function selectedText(line: Line, range: LogRange): string | null {
  const { start, end } = ordered(range);
  if (line.isOverwritten || line.endBytes <= start.offsetBytes || line.offsetBytes > end.offsetBytes) return null;
  const text = line.runs.map((run) => run.text).join("");
  const from = line.offsetBytes === start.offsetBytes ? start.column : 0;
  return text.slice(from, line.offsetBytes === end.offsetBytes ? end.column : undefined);
}
