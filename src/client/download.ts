import { Unreachable } from "./errors.ts";
import type { Backoff } from "./backoff.ts";
import { chunksOf, type Connecting } from "./stream.ts";
import type { Answered } from "./answered.ts";

export type Downloading = {
  /** Asks for the rest, from a byte on. */
  next: (fromBytes: number) => Promise<Answered>;
  backoff: Backoff;
  connecting: Connecting;
};

/**
 * The bytes of a file whose first answer is there, over as many connections as it takes: each goes on where the last ended. Fails with a
 * sentence where the file has become another one meanwhile.
 */
export function wholeFile(first: Answered, downloading: Downloading): ReadableStream<Uint8Array> {
  const chunks = chunksOfAll(first, downloading);
  // Not ReadableStream.from, which not all browsers have.
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
      if (atBytes === sizeBytes) return; // nothing was missing any more
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
