import { type Static, Type } from "typebox";

/** The errors of the API (RFC 9457): one table, so that a code, its status and its title are said once. */

export const problemTable = {
  "invalid-json": { status: 400, title: "The body is not JSON" },
  "invalid-request": { status: 400, title: "The request is not valid" },
  "bad-request": { status: 400, title: "The request is not HTTP as this service speaks it" },
  "not-identified": { status: 401, title: "It is not known who sends this" },
  "foreign-origin": { status: 403, title: "A web page from elsewhere may not use this service" },
  "role-too-small": { status: 403, title: "This role may not do that" },
  "outside-workspace": { status: 403, title: "The path leaves the job's workspace" },
  "file-refused": { status: 403, title: "The service may not do that with this file" },
  "unknown-job": { status: 404, title: "There is no such job" },
  "unknown-file": { status: 404, title: "There is no such file in the job's workspace" },
  "unknown-path": { status: 404, title: "There is nothing at this path" },
  "method-not-allowed": { status: 405, title: "The path has not this method" },
  "not-acceptable": { status: 406, title: "None of the forms in Accept can be given" },
  "not-finished-in-time": { status: 408, title: "The job is not finished yet" },
  "request-timeout": { status: 408, title: "The request took too long to arrive" },
  "not-finished": { status: 409, title: "The job is not finished" },
  "file-of-another-kind": { status: 409, title: "What is there is not what this call is for" },
  "not-all-removed": { status: 409, title: "Not all of the folder could be removed" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "path-too-long": { status: 414, title: "The path is too long" },
  "no-such-range": { status: 416, title: "The output has no such range" },
  "foreign-host": { status: 421, title: "The Host header does not name this service" },
  "key-used-before": { status: 422, title: "The Idempotency-Key was used with another body" },
  "user-refused": { status: 422, title: "No job may run as this user" },
  "no-container-engine": { status: 422, title: "Nothing on this box runs containers" },
  "too-many-requests": { status: 429, title: "Too many requests in a second" },
  "too-many-at-once": { status: 429, title: "Too many such requests are under way" },
  "too-many-failures": { status: 429, title: "Too many failed attempts" },
  "headers-too-large": { status: 431, title: "The headers are too large" },
  internal: { status: 500, title: "Something went wrong in the service" },
  "silent-container-engine": { status: 503, title: "The container engine does not answer" },
  "too-many-connections": { status: 503, title: "Too many connections are open" },
  "too-many-readers": { status: 503, title: "Too many readers are being served" },
  "disk-full": { status: 507, title: "The disk is too full for a new job" },
} as const;

export type ProblemCode = keyof typeof problemTable;

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemTable, code);
}

export const problemCodes = Object.keys(problemTable).filter(isProblemCode);

const FieldError = Type.Object(
  {
    field: Type.String({ description: "in the API's words: Commands[0].Args, ?limit, Idempotency-Key" }),
    message: Type.String({ description: "what to do about it" }),
  },
  { title: "FieldError" },
);
export type FieldError = Static<typeof FieldError>;

/** What is sent. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({ description: "urn:jobrunner:problem: and the code" }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum(problemCodes),
    detail: Type.String({ description: "what is wrong and what to do, for people" }),
    errors: Type.Optional(Type.Array(FieldError)),
  },
  { title: "Problem", description: "RFC 9457" },
);
type ProblemDocument = Static<typeof ProblemDocument>;

export const problemContentType = "application/problem+json; charset=utf-8";

/** An answer that is not a success. `detail` tells people what to do. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;

  constructor(code: ProblemCode, detail: string, more: { errors?: FieldError[]; headers?: Record<string, string>; cause?: unknown } = {}) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return problemTable[this.code].status;
  }

  toJSON(): ProblemDocument {
    const { status, title } = problemTable[this.code];
    const document = { type: `urn:jobrunner:problem:${this.code}`, title, status, code: this.code, detail: this.message };
    return this.errors.length === 0 ? document : { ...document, errors: this.errors };
  }
}

/** The request names fields that are wrong. */
export function invalid(errors: FieldError[]): Problem {
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
  return new Problem("invalid-request", detail, { errors });
}
