import type { Run } from "../../output/styles.ts";

export type MarkedRun = { run: Run; isMarked: boolean };

/** The runs of a line, cut at the beginning and end of each match of a search. A match may extend over several runs. */
export function markedRuns(runs: readonly Run[], { text, isCaseSensitive }: { text: string; isCaseSensitive: boolean }): MarkedRun[] {
  const marks = marksIn(runs.map((run) => run.text).join(""), { text, isCaseSensitive });
  let at = 0;
  return runs.flatMap((run) => {
    const start = at;
    at += run.text.length;
    return cut(run, { start, marks });
  });
}

type Mark = { start: number; end: number };

/** Upper and lower case are equal by the same rule as in the service's search: a character, its lower case and its upper case. */
function marksIn(line: string, { text, isCaseSensitive }: { text: string; isCaseSensitive: boolean }): Mark[] {
  const characters = Array.from(text, (character) =>
    isCaseSensitive ? [character] : [character, character.toLowerCase(), character.toUpperCase()],
  );
  const marks: Mark[] = [];
  for (let start = 0; start < line.length;) {
    const end = endOfMatch(line, start, characters);
    if (end !== null && end > start) marks.push({ start, end });
    start = Math.max(start + 1, end ?? 0);
  }
  return marks;
}

/** Where the text ends that begins at `start`, each of whose characters may be one of several; null: another text is there. */
function endOfMatch(line: string, start: number, characters: readonly string[][]): number | null {
  let end = start;
  for (const variants of characters) {
    const found = variants.find((variant) => line.startsWith(variant, end));
    if (found === undefined) return null;
    end += found.length;
  }
  return end;
}

function cut(run: Run, { start, marks }: { start: number; marks: readonly Mark[] }): MarkedRun[] {
  const end = start + run.text.length;
  const edges = [start, ...marks.flatMap((mark) => [mark.start, mark.end]).filter((edge) => edge > start && edge < end), end];
  return edges.slice(0, -1).map((from, index) => {
    const isMarked = marks.some((mark) => from >= mark.start && from < mark.end);
    return { run: { ...run, text: run.text.slice(from - start, (edges[index + 1] ?? end) - start) }, isMarked };
  });
}
