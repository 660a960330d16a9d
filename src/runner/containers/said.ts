import type { ClientEnd } from "../../job/container.ts";
import { maskedTexts } from "../../job/secrets.ts";
import { lastLines } from "../../output/excerpt.ts";
import type { OutputWatchers } from "../../output/watcher.ts";
import { readSaid } from "./files.ts";

/** What an engine's client writes to its standard error if it fails. */

const examinedLines = 40;

// "Run 'docker run --help' for more information", its older forms, and podman's messages about retries.
const advice = /^(?:Run|See) '[^']*--help'|^time="[^"]*" level=(?:warning|info|debug) /;
// Printed at the end of a pull: the image is there, and the failure came later.
const pulled = /^(?:Status: |Digest: sha256:|Writing manifest to image destination|[0-9a-f]{64}$)/m;

/** Printed by our own init (supervisor/init.c), or by runc if it could not execute the init, for example because of too many variables. */
const ownRefusal = /^(?:jobrunner-init|exec \/\S+): (.*)$/;
/** Printed by an engine's init (tini, catatonit). */
const engineInitRefusal =
  /^(?:\[FATAL tini \(\d+\)\] exec (?<command>.*) failed: (?<why>.*)|ERROR \(catatonit:\d+\): failed to exec pid1: (?<cause>.*))$/;

export type Said = {
  sentence: string | null;
  isPullOver: boolean;
  /** Why the command was not executed, in the words of the init. Null: it was executed, or the reason is unknown. */
  refusal: string | null;
};

/** Reads the words of a client that failed. The last line is what matters, because earlier lines report progress. */
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

/** The line of an engine's init. If the command writes to the same file, it may have printed the line itself. */
function engineRefusal(line: string): string | null {
  const found = engineInitRefusal.exec(line)?.groups;
  return found === undefined ? null : `${found["command"] ?? "command"}: ${found["why"] ?? found["cause"]}`;
}

/** Masks in the engine's words what the supervisor masks in output. */
function mask(text: string, secrets: Record<string, string>): string {
  return maskedTexts(secrets).reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

/** Whether the exit code may be that of the engine or its init, because the command never ran. Then the last words are theirs. */
export function mayBeTheEngine({ exitCode }: ClientEnd): boolean {
  return exitCode === null || exitCode === 1 || (exitCode >= 125 && exitCode <= 127);
}
