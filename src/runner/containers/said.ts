import type { ClientEnd } from "../../job/container.ts";
import { lastLines } from "../../output/excerpt.ts";
import type { OutputWatchers } from "../../output/watcher.ts";

/** What an engine's client says on its standard error when it cannot do what it was told. */

const lookedAtLines = 40;

// "Run 'docker run --help' for more information" and its older forms, and what podman says of a retry.
const advice = /^(?:Run|See) '[^']*--help'|^time="[^"]*" level=(?:warning|info|debug) /;
// Printed when a pull has come to its end: the image is there, and what failed came after.
const pulled = /^(?:Status: |Digest: sha256:|Writing manifest to image destination|[0-9a-f]{64}$)/m;

export type Said = { sentence: string | null; isPullOver: boolean };

/** Only asked of a client that ended badly. The last line is what matters: the ones before tell of progress. */
export async function clientSaid(job: { directory: string; watchers: OutputWatchers }, step: number): Promise<Said> {
  const text = await lastLines(job, { step, stream: "stderr", lines: lookedAtLines });
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !advice.test(line));
  return { sentence: lines.at(-1)?.replace(/^(?:docker|podman|nerdctl): /, "").replace(/^time="[^"]*" level=\w+ msg=/, "") ?? null, isPullOver: pulled.test(text) };
}

/** Codes that the engine or its init gives where the command never ran: then the last words are theirs. */
export function mayBeTheEngine({ exitCode }: ClientEnd): boolean {
  return exitCode === null || exitCode === 1 || (exitCode >= 125 && exitCode <= 127);
}
