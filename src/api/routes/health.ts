import { Type } from "typebox";
import { type Identity, scopeOf } from "../../identity/identity.ts";
import type { Remains } from "../../runner/removal.ts";
import type { Routes } from "../context.ts";
import { json, noQuery, publicOperation } from "../operation.ts";

/** Whether the service is well: to anybody in a word, to those who are let in with what it found on this box. */
export const healthRoutes: Routes = (app, { operations, version }) => {
  app.get("/healthz", { config: { operation: "health" }, schema: getHealth }, async (request, reply) => {
    const health = operations.health();
    const { remains, ...rest } = health;
    const isWell = health.database === "ok" && health.launcher === "ok";
    const status = isWell ? "ok" : "unwell";
    return reply
      .code(isWell ? 200 : 503)
      .send(request.identity === null ? { status } : { status, version, ...rest, ...removalsFor(request.identity, remains) });
  });
};

const mostShown = 20;

/** Others' jobs are not named to who sees its own alone. */
function removalsFor(identity: Identity, remains: Remains[]): { removalsStopped: number; remains?: Remains[] } {
  return { removalsStopped: remains.length, ...(scopeOf(identity) === null ? { remains: remains.slice(0, mostShown) } : {}) };
}

const textOrNull = Type.Union([Type.String(), Type.Null()]);
const Health = Type.Object(
  {
    status: Type.Enum(["ok", "unwell"]),
    version: Type.Optional(Type.String()),
    database: Type.Optional(Type.String({ description: "ok, or what is wrong" })),
    launcher: Type.Optional(Type.String({ description: "ok, or what is wrong" })),
    cgroups: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: "where each job has one; null: none can be made" })),
    containers: Type.Optional(
      Type.Object({ engine: textOrNull, version: textOrNull, problem: textOrNull }, { description: "which engine there is, or why none" }),
    ),
    removalsStopped: Type.Optional(
      Type.Integer({ minimum: 0, description: "deleted jobs of which something could not be removed from the disk; it is tried again" }),
    ),
    remains: Type.Optional(
      Type.Array(
        Type.Object({ job: Type.String(), path: Type.String({ description: "where the removal was stopped" }), problem: Type.String() }),
        {
          description: `of those what remains, of up to ${mostShown}, to who sees all jobs`,
        },
      ),
    ),
    running: Type.Optional(Type.Integer({ minimum: 0 })),
    queued: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { title: "Health", description: "To who is not let in, the status alone" },
);

const getHealth = publicOperation({
  id: "getHealth",
  tag: "service",
  summary: "Whether the service is well",
  query: noQuery,
  answers: { 200: json("It is", Health), 503: json("It is not", Health) },
});
