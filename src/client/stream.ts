import { createParser, type EventSourceMessage } from "eventsource-parser";
import { Unreachable } from "./errors.ts";

/** Of a connection on which nothing has come for so long, not even the comments that the service sends every 15 s, the other end is gone. */
const silenceMs = 50_000;

/** Opens a stream; the signal given to it ends the connection. Rejects as the client's other calls do. */
export type Open = (signal: AbortSignal) => Promise<Body>;
/** Null: an answer without one. */
export type Body = ReadableStream<Uint8Array> | null;

/** `onId` is told of the last id when all up to it has been taken, also of one that comes without data. */
export type Source = { url: string; signal: AbortSignal | undefined; onId?: (id: string) => void };

/**
 * The server-sent events of one connection, in batches as they come; the first batch is empty, and says that it is open. Ends with the stream, throws
 * Unreachable where the connection breaks, and the signal's reason when it aborts. Whoever leaves the loop closes the connection.
 */
export async function* eventBatches(open: Open, { url, signal, onId = () => undefined }: Source): AsyncGenerator<EventSourceMessage[]> {
  const connection = new AbortController();
  const onAbort = (): void => connection.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const watch = new Watch(() => connection.abort(new Unreachable(url, new Error(`nothing came for ${silenceMs / 1000} s`))));
  try {
    signal?.throwIfAborted();
    watch.start();
    const reader = (await open(connection.signal))?.getReader();
    watch.stop();
    // What `open` was given does not last: a request that was collected as garbage hears of it no more (nodejs/undici, issue 3644).
    connection.signal.addEventListener("abort", () => void reader?.cancel().catch(() => undefined));
    connection.signal.throwIfAborted();
    yield [];
    if (reader === undefined) return;
    const decoder = new TextDecoder();
    let batch: EventSourceMessage[] = [];
    let lastId: string | null = null;
    const parser = createParser({ onEvent: (event) => batch.push(event), onId: (id) => (lastId = id) });
    for (;;) {
      watch.start();
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new Unreachable(url, cause); // the connection broke
      });
      watch.stop(); // how long the caller takes for a batch is its own matter
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

class Watch {
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  start(): void {
    this.#timer = setTimeout(this.#onSilence, silenceMs);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
