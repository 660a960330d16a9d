/** Why an operation is refused or fails: the one table of error codes, which the API, the command line and agents show. */
export const refusalTitles = {
  "invalid-json": "The body is not JSON",
  "invalid-request": "The request is not valid",
  "bad-request": "The request is not HTTP as this service speaks it",
  "not-identified": "The client is unknown",
  "foreign-origin": "A web page of another site may not use this service",
  "role-too-small": "The role does not permit this",
  "outside-workspace": "The path leaves the job's workspace",
  "file-refused": "The service may not do this with the file",
  "unknown-job": "The job does not exist",
  "unknown-file": "The job's workspace has no such file",
  "unknown-path": "The service has nothing at this path",
  "method-not-allowed": "The path does not have this method",
  "not-acceptable": "The service cannot send any format of Accept",
  "not-finished-in-time": "The job is not finished yet",
  "request-timeout": "The request took too long to arrive",
  "not-finished": "The job is not finished",
  "not-running": "No step of the job is running",
  "signal-not-possible": "The signal cannot be sent to this step",
  "file-of-another-kind": "The file is of another kind than this call expects",
  "not-all-removed": "Not all of the folder could be removed",
  "body-too-large": "The body is too large",
  "path-too-long": "The path is too long",
  "no-such-range": "The output does not have this range",
  "foreign-host": "The Host header does not name this service",
  "key-used-before": "The Idempotency-Key was used with another body",
  "user-refused": "No job may run as this user",
  "no-container-engine": "This machine has no container engine",
  "too-many-requests": "Too many requests in a second",
  "too-many-at-once": "Too many such requests are in progress",
  "too-many-failures": "Too many failed attempts",
  "headers-too-large": "The headers are too large",
  internal: "The service failed",
  "silent-container-engine": "The container engine does not answer",
  "too-many-connections": "Too many connections are open",
  "too-many-readers": "Too many readers are being served",
  "disk-full": "The disk is too full for a new job",
} as const;

export type RefusalCode = keyof typeof refusalTitles;

/** What is wrong with one field, in the API's words: `Commands[0].Args`, `?limit`, `Idempotency-Key`. The message says what to do. */
export type FieldError = { field: string; message: string };

export type RefusalDetails = { errors?: FieldError[]; retryAfterSeconds?: number; cause?: unknown };

/** The message tells people what is wrong and what to do. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly errors: FieldError[];
  /** When it may be worth trying again; null: that is not known. */
  readonly retryAfterSeconds: number | null;

  constructor(code: RefusalCode, message: string, { errors = [], retryAfterSeconds, cause }: RefusalDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds ?? null;
  }
}

/** A refusal that names the fields that are wrong. */
export function invalid(errors: FieldError[]): Refusal {
  const message = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
  return new Refusal("invalid-request", message, { errors });
}

/** The same answer for a job that does not exist and for one that is somebody else's. */
export function unknownJob(): Refusal {
  return new Refusal("unknown-job", "no job has this ID: GET /jobs lists them");
}
