import { Type } from "typebox";
import type { Routes } from "../context.ts";
import { makeQuery } from "../query.ts";

const noQuery = makeQuery(Type.Object({}, { additionalProperties: false }));

/** Whether the service is well, and what it found on this box. */
export const healthRoutes: Routes = (app, { runner, version }) => {
  app.get("/healthz", async (request, reply) => {
    noQuery(request.query);
    const health = runner.health();
    const isWell = health.database === "ok" && health.launcher === "ok";
    return reply.code(isWell ? 200 : 503).send({ status: isWell ? "ok" : "unwell", version, ...health });
  });
};
