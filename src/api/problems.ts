import { type Static, Type } from "typebox";
import { securityHeaders } from "./headers.ts";
import { Refusal, type RefusalCode, type RefusalDetails, refusalTitles } from "../operations/refusal.ts";

/** Refusals as HTTP answers (RFC 9457): each code's status, and the document that is sent. */

const statuses: Record<RefusalCode, number> = {
  "invalid-json": 400,
  "invalid-request": 400,
  "bad-request": 400,
  "not-identified": 401,
  "foreign-origin": 403,
  "role-too-small": 403,
  "outside-workspace": 403,
  "file-refused": 403,
  "unknown-job": 404,
  "unknown-file": 404,
  "unknown-path": 404,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  "not-finished-in-time": 408,
  "request-timeout": 408,
  "not-finished": 409,
  "not-running": 409,
  "signal-not-possible": 409,
  "file-of-another-kind": 409,
  "not-all-removed": 409,
  "body-too-large": 413,
  "path-too-long": 414,
  "no-such-range": 416,
  "foreign-host": 421,
  "key-used-before": 422,
  "user-refused": 422,
  "no-container-engine": 422,
  "too-many-requests": 429,
  "too-many-at-once": 429,
  "too-many-failures": 429,
  "headers-too-large": 431,
  internal: 500,
  "silent-container-engine": 503,
  "too-many-connections": 503,
  "too-many-readers": 503,
  "disk-full": 507,
};

export type ProblemCode = RefusalCode;

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(statuses, code);
}

export const problemCodes = Object.keys(statuses).filter(isProblemCode);

export function statusOf(code: ProblemCode): number {
  return statuses[code];
}

export function titleOf(code: ProblemCode): string {
  return refusalTitles[code];
}

const FieldErrorSchema = Type.Object(
  {
    field: Type.String({ description: "the name of the field, such as Commands[0].Args, ?limit or Idempotency-Key" }),
    message: Type.String({ description: "what to do about it" }),
  },
  { title: "FieldError" },
);

/** The body of every answer that is an error. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({ description: "urn:jobrunner:problem: followed by the code" }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum(problemCodes),
    detail: Type.String({ description: "what is wrong and what to do, for people" }),
    errors: Type.Optional(Type.Array(FieldErrorSchema)),
  },
  { title: "Problem", description: "RFC 9457" },
);
type ProblemDocument = Static<typeof ProblemDocument>;

/** A refusal with headers of its own. */
export class Problem extends Refusal {
  readonly #headers: Record<string, string>;

  constructor(code: ProblemCode, detail: string, { headers = {}, ...details }: RefusalDetails & { headers?: Record<string, string> } = {}) {
    super(code, detail, details);
    this.#headers = headers;
  }

  /** The problem of a refusal. */
  static of(refusal: Refusal): Problem {
    if (refusal instanceof Problem) return refusal;
    const { code, message, errors, retryAfterSeconds, cause } = refusal;
    return new Problem(code, message, { errors, cause, ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }) });
  }

  get status(): number {
    return statuses[this.code];
  }

  get headers(): Record<string, string> {
    return this.retryAfterSeconds === null ? this.#headers : { "Retry-After": String(this.retryAfterSeconds), ...this.#headers };
  }

  toJSON(): ProblemDocument {
    const { code, status, message, errors } = this;
    const document = { type: `urn:jobrunner:problem:${code}`, title: titleOf(code), status, code, detail: message };
    return errors.length === 0 ? document : { ...document, errors };
  }
}

/** A problem as an answer. */
export function answerOf(problem: Problem): { status: number; headers: Record<string, string>; body: string } {
  const headers = { ...securityHeaders, ...problem.headers, "Content-Type": "application/problem+json; charset=utf-8" };
  return { status: problem.status, headers, body: JSON.stringify(problem) };
}
