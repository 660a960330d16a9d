import { behindBytes, pageBytes } from "./lines.ts";
import type { Output } from "./output.ts";
import { type LogRange, ordered, selectedText } from "./selection.ts";

/** More is a file, not a clipboard. */
export const mostCopiedBytes = 10 << 20;

/** `restBytes`: so much of the range was left out behind the text. */
export type Copied = { text: string; lineCount: number; restBytes: number };

/**
 * The text of a range: the output alone, as it is shown. `timeOf`: what is written before each line. Pages that are not at hand are read.
 * Throws what the client throws.
 */
export async function copiedText(
  output: Output,
  range: LogRange,
  { timeOf, signal }: { timeOf: (time: string | null) => string; signal: AbortSignal },
): Promise<Copied> {
  const { start, end } = ordered(range);
  const sizeBytes = output.sizeBytes.value ?? 0;
  const lastBytes = Math.min(end.offsetBytes, sizeBytes - 1);
  const limitBytes = start.offsetBytes + mostCopiedBytes;
  const parts: string[] = [];
  const done = (lineCount: number, restBytes: number): Copied => ({ text: parts.join("").replace(/\n$/, ""), lineCount, restBytes });
  let lineCount = 0;
  let isWithin = false; // a line that was cut because it is long
  for (let number = firstPage(start.offsetBytes); number * pageBytes <= Math.min(lastBytes, limitBytes - 1); number += 1) {
    const page = await output.load(number, signal);
    for (const line of page.lines) {
      if (line.endBytes > limitBytes && line.offsetBytes <= lastBytes) return done(lineCount, lastBytes + 1 - line.offsetBytes);
      const text = selectedText(line, range);
      if (text === null) continue;
      parts.push(isWithin ? text : `${timeOf(line.time)}${text}`, line.isCut ? "" : "\n");
      lineCount += isWithin ? 0 : 1;
      isWithin = line.isCut;
    }
  }
  return done(lineCount, 0);
}

/** The line with this byte may begin in the page before. */
function firstPage(offsetBytes: number): number {
  return Math.max(0, Math.floor((offsetBytes - behindBytes) / pageBytes));
}
