import { createParser } from "eventsource-parser";
import type { Body } from "./answered.ts";
import { Silence, Unreachable } from "./errors.ts";

/** Opens a stream; the signal given to it ends the connection. Rejects as the client's other calls do. */
export type Open = (signal: AbortSignal) => Promise<Body>;
/** Like the type of the parser, but declared here, so that users of the client need no further package. */
export type ServerEvent = { id?: string | undefined; event?: string | undefined; data: string };

/**
 * `silenceMs`: a connection that is silent for this long counts as broken. The service sends a comment every 15 s. `onId` is called with
 * the last ID when everything up to it has been taken, also for an ID without data.
 */
export type Connecting = { url: string; silenceMs: number; signal: AbortSignal | undefined; onId?: (id: string) => void };

/**
 * The server-sent events of one connection, in batches as they come. The first batch is empty, and means that the connection is open. Ends
 * with the stream; throws Unreachable if the connection breaks, and the signal's reason when it aborts. Leaving the loop closes the
 * connection.
 */
export async function* eventBatches(
  open: Open,
  { url, silenceMs, signal, onId = () => undefined }: Connecting,
): AsyncGenerator<ServerEvent[]> {
  const connection = new AbortController();
  const onAbort = (): void => connection.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const watch = new Watch(silenceMs, () => connection.abort(new Unreachable(url, new Silence(silenceMs))));
  try {
    signal?.throwIfAborted();
    watch.start();
    const reader = (await open(connection.signal))?.getReader();
    watch.stop();
    // Aborting the signal of `open` is not enough: a garbage-collected request no longer listens to it (nodejs/undici, issue 3644).
    connection.signal.addEventListener("abort", () => void reader?.cancel().catch(() => undefined));
    connection.signal.throwIfAborted();
    yield [];
    if (reader === undefined) return;
    const decoder = new TextDecoder();
    let batch: ServerEvent[] = [];
    let lastId: string | null = null;
    const parser = createParser({ onEvent: (event) => batch.push(event), onId: (id) => (lastId = id) });
    for (;;) {
      watch.start();
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new Unreachable(url, cause); // the connection broke
      });
      watch.stop(); // the caller may take as long as it likes for a batch
      connection.signal.throwIfAborted();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const ready = batch;
      batch = [];
      if (ready.length > 0) yield ready;
      if (lastId !== null) onId(lastId);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (connection.signal.aborted) throw connection.signal.reason;
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    watch.stop();
    connection.abort();
  }
}

/** The chunks of an answer's body as they come. Throws Unreachable if the connection breaks or is silent. */
export async function* chunksOf(body: Body, { url, silenceMs }: Connecting): AsyncGenerator<Uint8Array, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  let isSilent = false;
  const giveUp = (): void => void reader.cancel().catch(() => undefined);
  const watch = new Watch(silenceMs, () => {
    isSilent = true;
    giveUp();
  });
  try {
    for (;;) {
      watch.start();
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new Unreachable(url, cause);
      });
      watch.stop();
      if (isSilent) throw new Unreachable(url, new Silence(silenceMs));
      if (done) return;
      yield value;
    }
  } finally {
    watch.stop();
    giveUp();
  }
}

/** A timer that calls back after `silenceMs`, unless it is stopped before. */
export class Watch {
  readonly #silenceMs: number;
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(silenceMs: number, onSilence: () => void) {
    this.#silenceMs = silenceMs;
    this.#onSilence = onSilence;
  }

  start(): void {
    this.#timer = setTimeout(this.#onSilence, this.#silenceMs);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
