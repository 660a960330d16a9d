import { safeLink } from "./safe-link.ts";
import type { Run } from "./styles.ts";

/** Addresses in the text of an output, as links. */

const addresses = /(?<![\p{L}\p{N}])(?:https?:\/\/|mailto:)[^\s\p{C}<>"`\u2028\u2029]+/giu;

/** The runs, cut where addresses begin and end. An address may extend over several runs. */
export function withLinks(runs: readonly Run[]): readonly Run[] {
  const text = runs.map((run) => run.text).join("");
  if (!/:\/\/|mailto:/i.test(text)) return runs;
  const found = [...text.matchAll(addresses)].flatMap(({ index, 0: address }) => {
    const own = withoutEnd(address);
    const link = safeLink(own);
    return link === null ? [] : [{ start: index, end: index + own.length, link }];
  });
  if (found.length === 0) return runs;
  let at = 0;
  return runs.flatMap((run) => {
    const [start, end] = [at, at + run.text.length];
    at = end;
    if (run.link !== null) return [run];
    const inside = found.filter((one) => one.end > start && one.start < end);
    const edges = [...new Set([start, ...inside.flatMap((one) => [Math.max(start, one.start), Math.min(end, one.end)]), end])];
    return edges.slice(0, -1).map((from, index) => ({
      ...run,
      text: run.text.slice(from - start, (edges[index + 1] ?? end) - start),
      link: inside.find((one) => from >= one.start && from < one.end)?.link ?? null,
    }));
  });
}

/** Punctuation behind an address belongs to the sentence around it, and so does a bracket that was not opened in it. */
function withoutEnd(address: string): string {
  let end = address.length;
  const count = (character: string): number => address.slice(0, end).split(character).length - 1;
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1);
    const opening = { ")": "(", "]": "[", "}": "{" }[last];
    const isEnd = opening === undefined ? ".,;:!?'*_~".includes(last) : count(last) > count(opening);
    if (!isEnd) break;
  }
  return address.slice(0, end);
}
