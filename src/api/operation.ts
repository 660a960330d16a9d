import { type TObject, type TSchema, Type } from "typebox";
import { isJobId } from "../operations/job-id.ts";
import { unknownJob } from "../operations/refusal.ts";
import { findPathProblem } from "./file-paths.ts";
import { type ProblemCode, ProblemDocument, statusOf, titleOf } from "./problems.ts";
import { refine } from "./refine.ts";

/** What a route declares. The declaration checks its requests, and describes them in the OpenAPI document. */

export type Operation<Query extends TObject> = {
  id: string;
  tag: "jobs" | "output" | "files" | "service";
  summary: string;
  description?: string;
  query: Query;
  answers: Record<number, Answer>;
  /** Besides those of every route. */
  problems?: ProblemCode[];
};

/** `type` "null": an answer without a body. */
export type Answer = { description: string; headers?: Record<string, object> } & ({ content: Record<string, TSchema> } | { type: "null" });

/** Every request may be answered by these before the route's handler runs. */
const common: ProblemCode[] = [
  "bad-request",
  "invalid-request",
  "foreign-origin",
  "foreign-host",
  "request-timeout",
  "path-too-long",
  "headers-too-large",
  "too-many-requests",
  "too-many-connections",
  "internal",
  "method-not-allowed",
  "unknown-path",
];
/** Requests of routes that are not public may also be answered by these. */
const guarded: ProblemCode[] = ["not-identified", "role-too-small", "too-many-failures"];

/** A malformed ID gets the same answer as an ID that no job has. */
const id = refine(Type.String({ description: "the job's ID", examples: ["019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b"] }), (text) =>
  isJobId(text) ? null : unknownJob(),
);
const path = refine(
  Type.String({ description: "the path from the workspace down; its slashes are not encoded", examples: ["out/report.txt"] }),
  findPathProblem,
);
const [ofJob, ofFile] = [Type.Object({ id }), Type.Object({ id, path })];

/** The schema of a Fastify route. One that reads headers or a body adds `headers`, with names in lower case, or `body`. */
export function operation<Query extends TObject>(of: Operation<Query>) {
  const { id: operationId, tag, summary, description, query, answers, problems = [] } = of;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    querystring: query,
    response: describe(answers, [...problems, ...common, ...guarded]),
  };
}

/** The schema of a route about one job. */
export function jobOperation<Query extends TObject>(of: Operation<Query>) {
  return { ...operation({ ...of, problems: [...(of.problems ?? []), "unknown-job"] }), params: ofJob };
}

/** The schema of a route about a file of a job. */
export function fileOperation<Query extends TObject>(of: Operation<Query>) {
  const problems: ProblemCode[] = [...(of.problems ?? []), "unknown-file", "outside-workspace", "file-refused", "file-of-another-kind"];
  return { ...jobOperation({ ...of, problems }), params: ofFile };
}

/** The schema of a public route. */
export function publicOperation<Query extends TObject>(of: Operation<Query>) {
  const described = operation(of);
  return { ...described, security: [], response: describe(of.answers, [...(of.problems ?? []), ...common]) };
}

export const noQuery = Type.Object({}, { additionalProperties: false });

export function json(description: string, schema: TSchema): Answer {
  return { description, content: { "application/json": schema } };
}

/** The answer of a route that has nothing to say except that it succeeded. */
export const done = Type.Object({}, { additionalProperties: false });

type Described = { description: string; headers?: Record<string, object>; content?: Record<string, object> };

/** The answers by status, with an example of each problem. */
function describe(answers: Record<number, Answer>, problems: ProblemCode[]): Record<string, Described> {
  const described = new Map<string, Described>();
  for (const [status, answer] of Object.entries(answers)) {
    if ("type" in answer) {
      described.set(status, answer);
      continue;
    }
    const content = Object.fromEntries(Object.entries(answer.content).map(([type, schema]) => [type, { schema }]));
    described.set(status, { ...answer, content });
  }
  for (const [status, codes] of Map.groupBy(new Set(problems), (code) => String(statusOf(code)))) {
    const sentences = codes.map((code) => `\`${code}\`: ${titleOf(code)}`);
    const examples = Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }]));
    const other = described.get(status);
    described.set(status, {
      description: [...(other === undefined ? [] : [other.description]), ...sentences].join("\n\n"),
      content: { ...other?.content, "application/problem+json": { schema: ProblemDocument, examples } },
    });
  }
  return Object.fromEntries(described);
}

function exampleOf(code: ProblemCode): object {
  const [status, title] = [statusOf(code), titleOf(code)];
  const detail = code === "invalid-request" ? "TimeoutSeconds must be > 0" : `${title}: this sentence says what to do`;
  const errors = code === "invalid-request" ? { errors: [{ field: "TimeoutSeconds", message: "must be > 0" }] } : {};
  return { type: `urn:jobrunner:problem:${code}`, title, status, code, detail, ...errors };
}
