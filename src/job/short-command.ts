import { quoted } from "../lib/quoted.ts";
import type { RecordedSpec } from "./secrets.ts";
import { type Command, commandsOf, type JobSpec } from "./spec.ts";

/** In characters as people see them (graphemes). */
const longestCommand = 120;

/** What a job runs, on one line, shortened: the command of its first step, and how many steps follow. Tells jobs without a name apart. */
export function shortCommand(spec: Pick<JobSpec | RecordedSpec, "CommandLine" | "Commands">): string {
  const commands = commandsOf(spec);
  const [first] = commands;
  if (first === undefined) return "";
  const rest = commands.length - 1;
  const suffix = rest === 0 ? "" : ` (+${rest} ${rest === 1 ? "step" : "steps"})`;
  return shortened(onOneLine(wordsOf(first)), longestCommand - suffix.length) + suffix;
}

function wordsOf({ CommandLine, Args, Entrypoint, Image }: Command): string {
  if (CommandLine !== undefined) return CommandLine;
  const words = [...(Entrypoint ?? []), ...(Args ?? [])];
  if (words.length === 0) return Image ?? "";
  let text = "";
  for (const word of words) {
    text += text === "" ? quoted(word) : ` ${quoted(word)}`;
    if (text.length > examined) break;
  }
  return text;
}

/** A grapheme has some code units; so many are enough for the longest command in any script. */
const examined = 16 * longestCommand;

function onOneLine(text: string): string {
  return text
    .slice(0, examined)
    .trim()
    .replaceAll(/\s*\n\s*/g, " ↵ ")
    .replaceAll(/\s+/g, " ");
}

const graphemes = new Intl.Segmenter();

function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const kept: string[] = [];
  for (const { segment } of graphemes.segment(text)) {
    if (kept.push(segment) > longest)
      return `${kept
        .slice(0, longest - 1)
        .join("")
        .trimEnd()}…`;
  }
  return text;
}
