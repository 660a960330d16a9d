import type { components } from "./openapi.ts";

export type Problem = components["schemas"]["Problem"];

/** The service said no (RFC 9457). The message says what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Of the table in the OpenAPI document; `not-jobrunner` where something else answered, a proxy for instance. */
  readonly code: string;
  readonly title: string;
  readonly errors: { field: string; message: string }[];
  readonly retryAfterSeconds: number | null;

  /** `problem`: null where the answer was none. */
  constructor(response: Response, problem: Problem | null, url: string) {
    super(problem?.detail ?? `what answers at ${url} is not a jobrunner: ${response.status} ${response.statusText}`);
    this.status = response.status;
    this.code = problem?.code ?? "not-jobrunner";
    this.title = problem?.title ?? response.statusText;
    this.errors = problem?.errors ?? [];
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    this.retryAfterSeconds = Number.isFinite(seconds) ? seconds : null;
  }
}

/** No answer was had: nothing listens, the name is not known, TLS was refused, or the connection broke. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor(url: string, cause: unknown) {
    super(`no answer from ${url}: ${reasonOf(cause)}`, { cause });
  }
}

export class NoSuchJob extends Error {
  override readonly name = "NoSuchJob";
}

/** Several jobs have an ID that begins so. */
export class AmbiguousPrefix extends Error {
  override readonly name = "AmbiguousPrefix";
  /** The newest of them, ten at most. */
  readonly ids: string[];

  constructor(prefix: string, ids: string[]) {
    super(`several jobs have an ID that begins with ${prefix}`);
    this.ids = ids;
  }
}

export class NotOverInTime extends Error {
  override readonly name = "NotOverInTime";
}

/** `fetch` says what happened in the cause of its error, and of several addresses that it tried in a list of them. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
