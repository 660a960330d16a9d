import { type Static, type TString, Type } from "typebox";
import { jobStates, JobView } from "../../job/job.ts";
import type { JobQuery } from "../../runner/list.ts";
import { callerOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { jobOperation, json, noQuery, operation } from "../operation.ts";
import { refine } from "../refine.ts";

const maxPage = 1000;
const defaultPage = 50;

const wordsOf = (lists: string[]): string[] => lists.flatMap((list) => list.toLowerCase().split(","));
const isState = (word: string): boolean => jobStates.some((one) => one.toLowerCase() === word);
const states = refine(
  Type.Array(Type.String(), {
    maxItems: 64,
    description: `${jobStates.join(", ")}, in any case; separate several by commas, or repeat the parameter`,
  }),
  (lists) => (wordsOf(lists).every(isState) ? null : `must be one or more of ${jobStates.join(", ")}`),
);

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));
const time = (description: string): TString =>
  refine(Type.String({ description }), (text) =>
    isTime(text) ? null : "must be a time in the format of RFC 3339, such as 2026-01-31T12:00:00Z",
  );

const JobsQuery = Type.Object(
  {
    id: Type.Optional(Type.String({ pattern: "^[0-9a-f-]{1,36}$", description: "the beginning of the ID" })),
    state: Type.Optional(states),
    label: Type.Optional(Type.Array(Type.String(), { maxItems: 64, description: "key or key=value; if repeated, all must match" })),
    name: Type.Optional(Type.String()),
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "text in the name, the ID or a label (as key=value), in upper or lower case",
      }),
    ),
    since: Type.Optional(time("submitted at or after this time (RFC 3339)")),
    until: Type.Optional(time("submitted before this time (RFC 3339)")),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPage, default: defaultPage })),
    cursor: Type.Optional(Type.String({ pattern: "^[0-9a-z]{1,10}$", description: "NextCursor of the previous page" })),
  },
  { additionalProperties: false },
);

const listJobs = operation({
  id: "listJobs",
  tag: "jobs",
  summary: "All jobs, newest first, in pages",
  description:
    "A page may have fewer jobs than `limit`, if its jobs are large or if many jobs were examined for few matches. Even an empty page " +
    "may have a next page.",
  query: JobsQuery,
  answers: {
    200: json(
      "A page",
      Type.Object(
        { Jobs: Type.Array(JobView), NextCursor: Type.Union([Type.String(), Type.Null()], { description: "null: this is the last page" }) },
        { title: "JobPage" },
      ),
    ),
  },
  problems: ["too-many-at-once"],
});

const RemovedJob = Type.Object(
  {
    Remains: Type.Optional(
      Type.Object(
        { Path: Type.String(), Problem: Type.String() },
        { description: "the part of its directory that could not be removed yet, and why. The service tries again; GET /healthz shows it" },
      ),
    ),
  },
  { title: "RemovedJob" },
);

const removeJob = jobOperation({
  id: "removeJob",
  tag: "jobs",
  summary: "Removes a finished job with its output and workspace",
  query: noQuery,
  answers: { 200: json("The job is removed", RemovedJob) },
  problems: ["not-finished"],
});

/** All jobs, also finished ones. */
export const listRoutes: Routes = (app, { operations }) => {
  app.get("/jobs", { config: { operation: "list" }, schema: listJobs }, async (request, reply) => {
    return await operations.list(callerOf(request), readQuery(request.query), () => !reply.raw.destroyed);
  });

  app.delete("/jobs/:id", { config: { operation: "remove" }, schema: removeJob }, async (request) => {
    const remains = await operations.remove(callerOf(request), request.params.id);
    return remains === null ? {} : { Remains: { Path: remains.path, Problem: remains.problem } };
  });
};

function readQuery(query: Static<typeof JobsQuery>): Omit<JobQuery, "owner"> {
  const { id, state = [], label = [], name, text, since, until, limit, cursor } = query;
  return {
    idPrefix: id ?? null,
    states: jobStates.filter((one) => wordsOf(state).includes(one.toLowerCase())),
    labels: label.map(readLabel),
    name: name ?? null,
    text: text ?? null,
    sinceMs: since === undefined ? null : Date.parse(since),
    untilMs: until === undefined ? null : Date.parse(until),
    limit: limit ?? defaultPage,
    cursor: cursor ?? null,
  };
}

/** `key` (with any value) or `key=value`. */
function readLabel(text: string): { key: string; value: string | null } {
  const [key = "", ...value] = text.split("=");
  return { key, value: value.length === 0 ? null : value.join("=") };
}
