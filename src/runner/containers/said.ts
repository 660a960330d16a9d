import type { ClientEnd } from "../../job/container.ts";
import { maskedTexts } from "../../job/secrets.ts";
import { lastLines } from "../../output/excerpt.ts";
import type { OutputWatchers } from "../../output/watcher.ts";
import { readSaid } from "./files.ts";

/** What an engine's client says on its standard error when it cannot do what it was told. */

const examinedLines = 40;

// "Run 'docker run --help' for more information" and its older forms, and what podman says of a retry.
const advice = /^(?:Run|See) '[^']*--help'|^time="[^"]*" level=(?:warning|info|debug) /;
// Printed when a pull has come to its end: the image is there, and what failed came after.
const pulled = /^(?:Status: |Digest: sha256:|Writing manifest to image destination|[0-9a-f]{64}$)/m;

/**
 * By our own init (supervisor/init.c), or by runc where that could not be executed itself, as with more variables than the kernel takes.
 */
const ownRefusal = /^(?:jobrunner-init|exec \/\S+): (.*)$/;
/** By an engine's init (tini, catatonit), which takes the place of the command. */
const engineInitRefusal =
  /^(?:\[FATAL tini \(\d+\)\] exec (?<command>.*) failed: (?<why>.*)|ERROR \(catatonit:\d+\): failed to exec pid1: (?<cause>.*))$/;

export type Said = {
  sentence: string | null;
  isPullOver: boolean;
  /** Why the command was not executed, of what was to execute it. Null: it was, or that is not known. */
  refusal: string | null;
};

/** Only asked of a client that ended badly. The last line is what matters: the ones before tell of progress. */
export async function clientSaid(
  job: { directory: string; watchers: OutputWatchers },
  step: number,
  secrets: Record<string, string>,
): Promise<Said> {
  const apart = readSaid(job.directory, step);
  const text = apart ?? (await lastLines(job, { step, stream: "stderr", lines: examinedLines }));
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !advice.test(line));
  const last = lines.at(-1) ?? "";
  const sentence = last.replace(/^(?:docker|podman|nerdctl): /, "").replace(/^time="[^"]*" level=\w+ msg=/, "");
  const refusal = apart === null ? engineRefusal(last) : (ownRefusal.exec(last)?.[1] ?? null);
  return {
    sentence: sentence === "" ? null : mask(sentence, secrets),
    isPullOver: pulled.test(text),
    refusal: refusal === null ? null : mask(refusal, secrets),
  };
}

/** Where the command wrote to the same place, it may have said the same. */
function engineRefusal(line: string): string | null {
  const found = engineInitRefusal.exec(line)?.groups;
  return found === undefined ? null : `${found["command"] ?? "command"}: ${found["why"] ?? found["cause"]}`;
}

/** What the supervisor masks in output is not in an engine's words either. */
function mask(text: string, secrets: Record<string, string>): string {
  return maskedTexts(secrets).reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

/** Codes that the engine or its init gives where the command never ran: then the last words are theirs. */
export function mayBeTheEngine({ exitCode }: ClientEnd): boolean {
  return exitCode === null || exitCode === 1 || (exitCode >= 125 && exitCode <= 127);
}
