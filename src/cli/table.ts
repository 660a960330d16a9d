import { styleText } from "node:util";
import { padded, shortened, widthOf } from "./display-width.ts";

/** Tables for terminals. Text in a cell cannot move the cursor or set colours; only `colour` does. */

export type Colour = Parameters<typeof styleText>[0];
export type Cell = string | { text: string; colour: Colour };

/** `minWidth`: the column may be cut down to so many columns of the screen. Without it, it is shown whole or not at all. */
export type Column = string | { title: string; minWidth: number };

/**
 * Lines, beginning with the titles. The last column is not padded. `width`: of the screen. If there is no room for all columns, those that
 * may be cut are cut, the last ones first; if that is not enough, columns are left out from the right.
 */
export function table(
  columns: Column[],
  rows: Cell[][],
  { stream, width = Infinity }: { stream: NodeJS.WritableStream; width?: number },
): string[] {
  const titles = columns.map((column) => (typeof column === "string" ? column : column.title));
  const cells = [titles, ...rows].map((row) =>
    row.map((cell) => (typeof cell === "string" ? { text: visible(cell), colour: null } : { ...cell, text: visible(cell.text) })),
  );
  const needed = columns.map((column, index) => {
    const most = cells.reduce((widest, row) => Math.max(widest, widthOf(row[index]?.text ?? "")), 0);
    return { most, least: typeof column === "string" ? most : Math.min(most, column.minWidth) };
  });
  const widths = fittedWidths(needed, width);
  return cells.map((row) => {
    const parts = row.slice(0, widths.length).map(({ text, colour }, index) => {
      const columnWidth = widths[index] ?? 0;
      const shown =
        index === widths.length - 1 ? shortened(text, columnWidth) : `${padded(shortened(text, columnWidth), columnWidth)}${gap}`;
      return colour === null ? shown : styleText(colour, shown, { stream });
    });
    return parts.join("").trimEnd();
  });
}

const gap = "  ";

/** The widths of the columns that are shown. The first column is always shown. */
function fittedWidths(needed: { most: number; least: number }[], width: number): number[] {
  const widths = needed.map(({ most }) => most);
  let over = widths.reduce((sum, one) => sum + one + gap.length, -gap.length) - width;
  for (let index = widths.length - 1; index >= 0 && over > 0; index -= 1) {
    const { most = 0, least = 0 } = needed[index] ?? {};
    const cut = Math.min(over, most - least);
    widths[index] = most - cut;
    over -= cut;
  }
  if (over <= 0) return widths;
  return needed.length === 1 ? [Math.max(1, width)] : fittedWidths(needed.slice(0, -1), width);
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
