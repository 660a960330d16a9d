import type { Stream } from "./index-file.ts";
import { attach } from "./attach.ts";
import type { OutputWatchers } from "./watcher.ts";

const maxExcerptBytes = 16_384;

/** The last lines that a step has written to one of its streams so far, as text. Of very long lines, the end. */
export async function lastLines(
  job: { directory: string; watchers: OutputWatchers },
  wanted: { step: number; stream: Stream; lines: number },
): Promise<string> {
  const options = {
    encoding: "raw",
    offset: 0,
    tail: wanted.lines,
    follow: false,
    stream: wanted.stream,
    step: wanted.step,
    timestamps: false,
    end: null,
  } as const;
  const source = { ...job, isFinished: () => false, outcome: () => null };
  let end = Buffer.alloc(0);
  for await (const chunk of attach(source, options, new AbortController().signal)) {
    end = Buffer.concat([end, chunk]).subarray(-maxExcerptBytes);
  }
  return end.toString();
}
