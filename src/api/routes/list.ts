import { Type } from "typebox";
import { type JobState, jobStates } from "../../job/job.ts";
import type { JobQuery } from "../../runner/types.ts";
import { actorOf, identityOf, scopeOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { idOf, isJobId, unknownJob } from "../ids.ts";
import { type FieldError, invalid, Problem } from "../problems.ts";
import { makeQuery } from "../query.ts";

const maxPage = 1000;
const texts = Type.Array(Type.String(), { maxItems: 64 });

const listQuery = makeQuery(
  Type.Object(
    {
      state: Type.Optional(texts),
      label: Type.Optional(texts),
      name: Type.Optional(Type.String()),
      since: Type.Optional(Type.String()),
      until: Type.Optional(Type.String()),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPage })),
      cursor: Type.Optional(Type.String({ pattern: "^[0-9a-z]{1,10}$" })),
    },
    { additionalProperties: false },
  ),
);

const defaultPage = 50;

/** All jobs, those that are over among them. */
export const listRoutes: Routes = (app, { runner, audit }) => {
  app.get("/jobs", { config: { access: "see" } }, async (request) => {
    return runner.list({ ...readQuery(request.query), owner: scopeOf(identityOf(request)) });
  });

  app.delete("/jobs/:id", { config: { access: "run" } }, async (request) => {
    const id = idOf(request.params);
    const result = isJobId(id) ? await runner.remove(id) : "unknown";
    if (result === "unknown") throw unknownJob();
    if (result === "not-over") throw new Problem("not-over", "only a job that is over can be removed: kill it first with DELETE /ID");
    audit.write(actorOf(request), { Event: "delete", Job: id });
    return {};
  });
};

function readQuery(query: unknown): Omit<JobQuery, "owner"> {
  const { state = [], label = [], name, since, until, limit, cursor } = listQuery(query);
  const errors: FieldError[] = [];
  const states = state.flatMap((list) => list.split(",")).flatMap((word): JobState[] => {
    const known = jobStates.find((one) => one === word);
    if (known === undefined) errors.push({ field: "?state", message: `must be of ${jobStates.join(", ")}` });
    return known === undefined ? [] : [known];
  });
  const time = (field: string, text: string | undefined): number | null => {
    if (text === undefined) return null;
    const timeMs = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(timeMs)) errors.push({ field, message: "must be a time by RFC 3339, such as 2026-01-31T12:00:00Z" });
    return timeMs;
  };
  const result = {
    states,
    labels: label.map(readLabel),
    name: name ?? null,
    sinceMs: time("?since", since),
    untilMs: time("?until", until),
    limit: limit ?? defaultPage,
    cursor: cursor ?? null,
  };
  if (errors.length > 0) throw invalid(errors);
  return result;
}

/** `key` (whatever its value) or `key=value`. */
function readLabel(text: string): { key: string; value: string | null } {
  const [key = "", ...value] = text.split("=");
  return { key, value: value.length === 0 ? null : value.join("=") };
}
