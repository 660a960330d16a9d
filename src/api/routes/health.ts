import { Type } from "typebox";
import type { Routes } from "../context.ts";
import { makeQuery } from "../query.ts";

const noQuery = makeQuery(Type.Object({}, { additionalProperties: false }));

/** Whether the service is well, and what it found on this box. */
export const healthRoutes: Routes = (app, { runner, version }) => {
  app.get("/healthz", async (request, reply) => {
    noQuery(request.query);
    const { database, launcher, cgroups, running, queued } = runner.health();
    const isWell = database === "ok" && launcher === "ok";
    return reply.code(isWell ? 200 : 503).send({ status: isWell ? "ok" : "unwell", version, database, launcher, cgroups, running, queued });
  });
};
