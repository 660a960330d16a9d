import { Type } from "typebox";
import type { Routes } from "../context.ts";
import { makeQuery } from "../query.ts";

const noQuery = makeQuery(Type.Object({}, { additionalProperties: false }));

/** Whether the service is well: to anybody in a word, to those who are let in with what it found on this box. */
export const healthRoutes: Routes = (app, { runner, version }) => {
  app.get("/healthz", { config: { access: "public" } }, async (request, reply) => {
    noQuery(request.query);
    const health = runner.health();
    const isWell = health.database === "ok" && health.launcher === "ok";
    const status = isWell ? "ok" : "unwell";
    return reply.code(isWell ? 200 : 503).send(request.identity === null ? { status } : { status, version, ...health });
  });
};
