import type { Answer, Answered } from "./answered.ts";
import { ApiError, type Problem, Silence, Unreachable } from "./errors.ts";
import { Watch } from "./stream.ts";

export type Fetch = (url: string, init: FetchInit) => Promise<Answered>;

/** Options that all implementations of fetch support. Bodies that are streams need `duplex`. */
export type FetchInit = { method: string; headers: Record<string, string>; body: Bytes | null; signal: AbortSignal | null; duplex: "half" };

/** The time limit for sending a body. The service accepts slow connections down to the same speed. */
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

/** Sends requests with the token, and maps each kind of failure to one kind of error. */
export class Transport {
  readonly url: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: Fetch;
  /** Whether this URL has ever answered, even with a refusal. */
  hasAnswered = false;

  /** Throws a TypeError for an invalid URL or token. The error of `fetch` would contain them. */
  constructor(url: string, { token, fetch }: { token: string | null; fetch: Fetch }) {
    if (/^\w+:\/\/[^/]*@/.test(url)) throw new TypeError("the URL must hold no name and password: give a token");
    const trimmed = token?.trim();
    if (trimmed !== undefined && !/^[\x21-\x7e]*$/.test(trimmed))
      throw new TypeError("the token must be one word of visible ASCII characters");
    this.url = url;
    this.#headers = trimmed === undefined ? {} : { Authorization: `Bearer ${trimmed}` };
    // The fetch of browsers must be called without `this`.
    this.#fetch = async (...request) => {
      const response = await fetch(...request);
      this.hasAnswered = true;
      return response;
    };
  }

  /** `path`: relative to the service's URL, with the query. */
  async send(path: string, { method, headers, body, signal }: Sending): Promise<Answered> {
    return await this.#fetch(`${this.url}${path}`, { method, headers: { ...headers, ...this.#headers }, body, signal, duplex: "half" });
  }

  /** The data of a successful answer. Throws as Client does. */
  async data<Data>(answer: Promise<Answer<Data>>, signal: AbortSignal | undefined): Promise<Data> {
    const { data, error, response } = await this.answer(answer, signal);
    if (data === undefined) throw this.refusal(response, error);
    return data;
  }

  /** The same with a time limit, after which it throws Unreachable. */
  async dataWithin<Data>(
    limitMs: number,
    ask: (signal: AbortSignal) => Promise<Answer<Data>>,
    signal: AbortSignal | undefined,
  ): Promise<Data> {
    return await this.within(limitMs, (both) => this.data(ask(both), signal), signal);
  }

  /** Aborts a request after `limitMs`. */
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

  /** A successful answer whose body is server-sent events. */
  async events(answer: Promise<Answer<Answered>>, signal: AbortSignal): Promise<Answered> {
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

  /** A request with bytes as its body or answer. `limitMs`: time limit for the answer, after which it throws Unreachable. */
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

  /** The same for an answer without content. */
  async done(path: string, request: BytesRequest): Promise<void> {
    const response = await this.bytes(path, request);
    response.text().catch(() => undefined); // an unread body would keep its connection busy
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
