import { Type } from "typebox";
import { type Identity, scopeOf } from "../../identity/identity.ts";
import type { Remains } from "../../runner/removal.ts";
import type { Routes } from "../context.ts";
import { json, noQuery, publicOperation } from "../operation.ts";

/** Whether the service is well: one word for everybody, and details for identified clients. */
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

/** A client that sees only its own jobs does not get the IDs of others. */
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
    cgroups: Type.Optional(
      Type.Union([Type.String(), Type.Null()], { description: "the folder of the jobs' cgroups; null: none can be created" }),
    ),
    containers: Type.Optional(
      Type.Object(
        { engine: textOrNull, version: textOrNull, problem: textOrNull },
        { description: "the container engine, or why there is none" },
      ),
    ),
    removalsStopped: Type.Optional(
      Type.Integer({ minimum: 0, description: "deleted jobs with files that could not be removed from the disk; the service tries again" }),
    ),
    remains: Type.Optional(
      Type.Array(
        Type.Object({ job: Type.String(), path: Type.String({ description: "where the removal stopped" }), problem: Type.String() }),
        {
          description: `what remains of them, for clients that see all jobs; at most ${mostShown}`,
        },
      ),
    ),
    running: Type.Optional(Type.Integer({ minimum: 0 })),
    queued: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { title: "Health", description: "Clients that are not identified get only the status" },
);

const getHealth = publicOperation({
  id: "getHealth",
  tag: "service",
  summary: "Whether the service is well",
  query: noQuery,
  answers: { 200: json("The service is well", Health), 503: json("The service is not well", Health) },
});
