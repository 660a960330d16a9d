import { Unreachable } from "./errors.ts";
import type { Backoff } from "./backoff.ts";
import { chunksOf, type Connecting } from "./stream.ts";
import type { Answered } from "./answered.ts";

export type Downloading = {
  /** Requests the rest, beginning with this byte. */
  next: (fromBytes: number) => Promise<Answered>;
  backoff: Backoff;
  connecting: Connecting;
};

/**
 * The bytes of a file, beginning with the first answer, over as many connections as needed. Each continues where the last one ended. Fails
 * with a sentence for people if the file changes meanwhile.
 */
export function wholeFile(first: Answered, downloading: Downloading): ReadableStream<Uint8Array> {
  const chunks = chunksOfAll(first, downloading);
  // Some browsers lack ReadableStream.from.
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

async function* chunksOfAll(first: Answered, { next, backoff, connecting }: Downloading): AsyncGenerator<Uint8Array, undefined> {
  const sizeBytes = sizeOf(first);
  let atBytes = 0;
  for (let response = first; ;) {
    try {
      for await (const chunk of chunksOf(response.body, connecting)) {
        atBytes += chunk.length;
        backoff.calm();
        yield chunk;
      }
      if (sizeBytes === null || atBytes >= sizeBytes) return;
      throw new Unreachable(connecting.url, new Error("the file ended early"));
    } catch (error) {
      if (atBytes === sizeBytes) return; // the file was already complete
      await backoff.after(error);
    }
    response = await backoff.through(async () => await next(atBytes));
    if (response.status !== 206 || versionOf(response) !== versionOf(first)) {
      await response.body?.cancel();
      throw new Error("the file was changed while it was copied: copy it again");
    }
  }
}

function sizeOf({ headers }: Answered): number | null {
  const [, total] = /\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  const text = total ?? headers.get("content-length");
  return text === null ? null : Number(text);
}

function versionOf(response: Answered): string {
  return `${sizeOf(response)} ${response.headers.get("last-modified")}`;
}
