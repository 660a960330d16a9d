import stringWidth from "string-width";

/** Text on a terminal is aligned and cut by columns: wide characters (CJK, emoji) take two, combining marks none. */

export const widthOf: (text: string) => number = stringWidth;

/** Like `padEnd`, in columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

/** The text, or its beginning with an ellipsis, in at most so many columns. */
export function shortened(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : `${cutTo(text, columns - 1)}…`;
}

/** The beginning of the text that fits. A character with its combining marks is kept or left out as a whole. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let [shown, width] = ["", 0];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    shown += segment;
  }
  return shown;
}
