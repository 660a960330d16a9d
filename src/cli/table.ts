import { styleText } from "node:util";

/** Columns of text. Nothing in them moves the cursor or colours the terminal but what is said here. */

export type Colour = Parameters<typeof styleText>[0];
export type Cell = string | { text: string; colour: Colour };

/** Lines, the first of them the titles; the last column is as wide as it is. `width`: of the screen, where lines must not be longer. */
export function table(
  titles: string[],
  rows: Cell[][],
  { stream, width = Infinity }: { stream: NodeJS.WritableStream; width?: number },
): string[] {
  const cells = [titles, ...rows].map((row) =>
    row.map((cell) => (typeof cell === "string" ? { text: visible(cell), colour: null } : { ...cell, text: visible(cell.text) })),
  );
  const widths = titles.map((_, column) => cells.reduce((widest, row) => Math.max(widest, row[column]?.text.length ?? 0), 0));
  return cells.map((row) => {
    let left = width;
    const parts = row.map(({ text, colour }, column) => {
      const isLast = column === row.length - 1;
      const shown = (isLast ? text : `${text.padEnd(widths[column] ?? 0)}  `).slice(0, Math.max(0, left));
      left -= shown.length;
      return colour === null ? shown : styleText(colour, shown, { stream });
    });
    return parts.join("").trimEnd();
  });
}

/** Names, labels and messages are others' words: what a terminal would take for a command is shown in place of being obeyed. */
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
