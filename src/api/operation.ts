import { type TObject, type TSchema, Type } from "typebox";
import { type ProblemCode, ProblemDocument, statusOf, titleOf } from "./problems.ts";

/** What a route says of itself: by this its requests are checked, and described in the OpenAPI document. */

export type Operation<Query extends TObject> = {
  id: string;
  tag: "jobs" | "output" | "files" | "service";
  summary: string;
  description?: string;
  query: Query;
  headers?: TObject; // described, not checked: each route reads its own
  answers: Record<number, Answer>;
  /** Besides those that any call may meet. */
  problems?: ProblemCode[];
};

/** `type` null: without a body. */
export type Answer = { description: string; headers?: Record<string, object> } & ({ content: Record<string, TSchema> } | { type: "null" });

/** Any call may be answered by these, before its route is asked. */
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
/** And those that are not for anybody by these, too. */
const guarded: ProblemCode[] = ["not-identified", "role-too-small", "too-many-failures"];

const id = Type.String({ description: "the job's ID", examples: ["019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b"] });
const path = Type.String({ description: "from the workspace down; its slashes are slashes", examples: ["out/report.txt"] });

/** The schema of a Fastify route. */
export function operation<Query extends TObject>(of: Operation<Query>) {
  const { id: operationId, tag, summary, description, query, headers, answers, problems = [] } = of;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    querystring: query,
    ...(headers === undefined ? {} : { headers }),
    response: describe(answers, [...problems, ...common, ...guarded]),
  };
}

/** The same of a route that is about one job. */
export function jobOperation<Query extends TObject>(of: Operation<Query>) {
  return { ...operation({ ...of, problems: [...(of.problems ?? []), "unknown-job"] }), params: Type.Object({ id }) };
}

/** The same of a route that is about a file of a job. */
export function fileOperation<Query extends TObject>(of: Operation<Query>) {
  const problems: ProblemCode[] = [...(of.problems ?? []), "unknown-file", "outside-workspace", "file-refused", "file-of-another-kind"];
  return { ...jobOperation({ ...of, problems }), params: Type.Object({ id, path }) };
}

/** The same of a route for anybody, whoever asks. */
export function publicOperation<Query extends TObject>(of: Operation<Query>) {
  const described = operation(of);
  return { ...described, security: [], response: describe(of.answers, [...(of.problems ?? []), ...common]) };
}

export const noQuery = Type.Object({}, { additionalProperties: false });

export function json(description: string, schema: TSchema): Answer {
  return { description, content: { "application/json": schema } };
}

/** Where there is nothing to say but that it was done. */
export const done = Type.Object({}, { additionalProperties: false });

type Described = { description: string; headers?: Record<string, object>; content?: Record<string, object> };

/** By status; of problems with an example of each code. */
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
  const detail = code === "invalid-request" ? "TimeoutSeconds must be > 0" : `${title}, and here is said what to do`;
  const errors = code === "invalid-request" ? { errors: [{ field: "TimeoutSeconds", message: "must be > 0" }] } : {};
  return { type: `urn:jobrunner:problem:${code}`, title, status, code, detail, ...errors };
}
