import { Type } from "typebox";
import type { Routes } from "../context.ts";
import { makeQuery } from "../query.ts";

const noQuery = makeQuery(Type.Object({}, { additionalProperties: false }));

/** For Prometheus, which sends a token like everybody else. */
export const metricsRoutes: Routes = (app, { metrics }) => {
  app.get("/metrics", { config: { access: "see" } }, async (request, reply) => {
    noQuery(request.query);
    const { body, contentType } = await metrics.text();
    return reply.type(contentType).send(body);
  });
};
