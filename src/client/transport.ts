import type { Answer, Answered, Body } from "./answered.ts";
import { ApiError, type Problem, Silence, Unreachable } from "./errors.ts";
import { Watch } from "./stream.ts";

export type Fetch = (url: string, init: FetchInit) => Promise<Answered>;

/** What all implementations of fetch understand; `duplex` is wanted of bodies that are streams. */
export type FetchInit = { method: string; headers: Record<string, string>; body: Bytes | null; signal: AbortSignal | null; duplex: "half" };

/** How long a body may be on its way: the service expects no more of a slow line. */
export function longestMsOf(bodyBytes: number): number {
  return Math.min(maxTimerMs, Math.ceil((bodyBytes / bytesPerSecond) * 1000));
}

const bytesPerSecond = 16_384;
const maxTimerMs = 2 ** 30;

export type Bytes = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;

export type BytesRequest = {
  method: string;
  body?: Bytes;
  headers?: Record<string, string>;
  limitMs?: number;
  signal: AbortSignal | undefined;
};

type Sending = Pick<FetchInit, "method" | "headers" | "signal"> & { body: string | null };

/** How requests go out and what becomes of them: the token, and one kind of error for each thing that can go wrong. */
export class Transport {
  readonly url: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: Fetch;
  /** Whether anything has ever answered at this URL, be it to refuse. */
  hasAnswered = false;

  /** Throws a TypeError for what cannot be sent: `fetch` would show it in its own. */
  constructor(url: string, { token, fetch }: { token: string | null; fetch: Fetch }) {
    if (/^\w+:\/\/[^/]*@/.test(url)) throw new TypeError("the URL must hold no name and password: give a token");
    const trimmed = token?.trim();
    if (trimmed !== undefined && !/^[\x21-\x7e]*$/.test(trimmed))
      throw new TypeError("the token must be one word of visible ASCII characters");
    this.url = url;
    this.#headers = trimmed === undefined ? {} : { Authorization: `Bearer ${trimmed}` };
    // A browser's own wants no `this`.
    this.#fetch = async (...request) => {
      const response = await fetch(...request);
      this.hasAnswered = true;
      return response;
    };
  }

  /** `path`: from the service's URL on, with its query. */
  async send(path: string, { method, headers, body, signal }: Sending): Promise<Answered> {
    return await this.#fetch(`${this.url}${path}`, { method, headers: { ...headers, ...this.#headers }, body, signal, duplex: "half" });
  }

  /** What the service gives; throws as Client says. */
  async data<Data>(answer: Promise<Answer<Data>>, signal: AbortSignal | undefined): Promise<Data> {
    const { data, error, response } = await this.answer(answer, signal);
    if (data === undefined) throw this.refusal(response, error);
    return data;
  }

  /** The same, of an answer that must come within `limitMs`; after that, Unreachable. */
  async dataWithin<Data>(
    limitMs: number,
    ask: (signal: AbortSignal) => Promise<Answer<Data>>,
    signal: AbortSignal | undefined,
  ): Promise<Data> {
    return await this.within(limitMs, (both) => this.data(ask(both), signal), signal);
  }

  /** Whatever is asked, given up after `limitMs`. */
  async within<Result>(limitMs: number, ask: (signal: AbortSignal) => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    const late = AbortSignal.timeout(limitMs);
    const both = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      return await ask(both);
    } catch (error) {
      if (error instanceof Unreachable && late.aborted) throw new Unreachable(this.url, new Silence(limitMs));
      throw error;
    }
  }

  /** What is given as server-sent events. */
  async events(answer: Promise<Answer<Body>>, signal: AbortSignal): Promise<Body> {
    const { data, error, response } = await this.answer(answer, signal);
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    if (data === undefined || !isStream) throw this.refusal(response, error);
    return data;
  }

  async answer<Result>(answer: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    try {
      return await answer;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof SyntaxError)
        throw new Error(`what answers at ${this.url} is not a jobrunner: it sends no JSON`, { cause: error });
      throw new Unreachable(this.url, error);
    }
  }

  /** A request of bytes. `limitMs`: until it is answered; after that, Unreachable. */
  async bytes(path: string, { method, body, headers = {}, limitMs, signal }: BytesRequest): Promise<Answered> {
    const late = new AbortController();
    const watch = limitMs === undefined ? null : new Watch(limitMs, () => late.abort(new Silence(limitMs)));
    const both = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    watch?.start();
    try {
      const sent = this.#fetch(`${this.url}${path}`, {
        method,
        headers: { ...headers, ...this.#headers },
        body: body ?? null,
        signal: both,
        duplex: "half",
      });
      const response = await this.answer(sent, signal);
      if (response.ok) return response;
      const text = await response.text();
      throw this.refusal(response, parse(text));
    } finally {
      watch?.stop();
    }
  }

  /** The same, where there is nothing in the answer but that it was done. */
  async done(path: string, request: BytesRequest): Promise<void> {
    const response = await this.bytes(path, request);
    response.text().catch(() => undefined); // one that nobody reads keeps its connection from others
  }

  refusal(response: Answered, error: unknown): ApiError {
    return new ApiError(response, isProblem(error) ? error : null, this.url);
  }
}

function isProblem(error: unknown): error is Problem {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    typeof error.code === "string" &&
    "detail" in error &&
    typeof error.detail === "string"
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not from a jobrunner
  }
}
