import type { components } from "./openapi.ts";
import type { Answered } from "./answered.ts";

export type Problem = components["schemas"]["Problem"];

/** The service refused the request (RFC 9457). The message says what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** A code of the OpenAPI document; `not-jobrunner` if another program answered, for example a proxy. */
  readonly code: string;
  readonly title: string;
  readonly errors: { field: string; message: string }[];
  readonly retryAfterSeconds: number | null;

  /** `problem`: null if the answer was none. */
  constructor(response: Answered, problem: Problem | null, url: string) {
    super(problem?.detail ?? `what answers at ${url} is not a jobrunner: ${response.status} ${response.statusText}`);
    this.status = response.status;
    this.code = problem?.code ?? "not-jobrunner";
    this.title = problem?.title ?? response.statusText;
    this.errors = problem?.errors ?? [];
    this.retryAfterSeconds = secondsOf(response.headers.get("retry-after"));
  }
}

/** No answer came: nothing listens, the name is unknown, TLS was refused, or the connection broke. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  /** The platform's code of the innermost cause, such as ECONNREFUSED; empty if it has none, as in browsers. */
  readonly code: string;

  constructor(url: string, cause: unknown) {
    const innermost = innermostOf(cause);
    super(`no answer from ${url}: ${innermost instanceof Error ? plain(innermost.message) : String(innermost)}`, { cause });
    this.code = innermost instanceof Error && "code" in innermost ? String(innermost.code) : "";
  }
}

/** The connection was silent for so long that it counts as broken. */
export class Silence extends Error {
  readonly code = "ESILENT";

  constructor(ms: number) {
    super(`nothing came for ${ms / 1000} s`);
  }
}

export class NoSuchJob extends Error {
  override readonly name = "NoSuchJob";
}

/** Several jobs have an ID that begins with the prefix. */
export class AmbiguousPrefix extends Error {
  override readonly name = "AmbiguousPrefix";
  /** The newest of them, ten at most. */
  readonly ids: string[];

  constructor(prefix: string, ids: string[]) {
    super(`several jobs have an ID that begins with ${prefix}`);
    this.ids = ids;
  }
}

/** A name stands for several jobs, or is also the beginning of an ID. */
export class AmbiguousName extends Error {
  override readonly name = "AmbiguousName";
  /** The newest of the jobs, ten at most. */
  readonly ids: string[];

  constructor(message: string, ids: string[]) {
    super(message);
    this.ids = ids;
  }
}

export class NotFinishedInTime extends Error {
  override readonly name = "NotFinishedInTime";
}

/** `fetch` gives the reason as the cause of its error, or as a list of errors if it tried several addresses. */
function innermostOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.message === "") return innermostOf(error.errors[0]);
  return error instanceof Error && error.cause !== undefined ? innermostOf(error.cause) : error;
}

/** Only the reason of an OpenSSL error (ERR_error_string(3)). */
function plain(message: string): string {
  const [, reason] = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message) ?? [];
  return reason === undefined ? message : `TLS failed: ${reason}`;
}

/** The delay of a Retry-After, which has seconds or a time (RFC 9110, 10.2.3). */
function secondsOf(text: string | null): number | null {
  if (text === null) return null;
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
