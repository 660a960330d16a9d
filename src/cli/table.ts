import { styleText } from "node:util";
import { cutTo, padded, widthOf } from "./display-width.ts";

/** Tables for terminals. Text in a cell cannot move the cursor or set colours; only `colour` does. */

export type Colour = Parameters<typeof styleText>[0];
export type Cell = string | { text: string; colour: Colour };

/** Lines, beginning with the titles. The last column is not padded. `width`: longer lines are cut to so many columns of the screen. */
export function table(
  titles: string[],
  rows: Cell[][],
  { stream, width = Infinity }: { stream: NodeJS.WritableStream; width?: number },
): string[] {
  const cells = [titles, ...rows].map((row) =>
    row.map((cell) => (typeof cell === "string" ? { text: visible(cell), colour: null } : { ...cell, text: visible(cell.text) })),
  );
  const widths = titles.map((_, column) => cells.reduce((widest, row) => Math.max(widest, widthOf(row[column]?.text ?? "")), 0));
  return cells.map((row) => {
    let left = width;
    const parts = row.map(({ text, colour }, column) => {
      const isLast = column === row.length - 1;
      const whole = isLast ? text : `${padded(text, widths[column] ?? 0)}  `;
      const shown = cutTo(whole, Math.max(0, left));
      left -= widthOf(whole);
      return colour === null ? shown : styleText(colour, shown, { stream });
    });
    return parts.join("").trimEnd();
  });
}

/** Escapes control characters. Names, labels and messages come from other users, and a terminal would execute control sequences in them. */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Bidi_Control}/gu, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[^\\]$/, codeOf),
  );
}

function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
