import { Type } from "typebox";
import type { Routes } from "../context.ts";
import { noQuery, operation } from "../operation.ts";

/** For Prometheus, which sends a token like everybody else. */
export const metricsRoutes: Routes = (app, { metrics }) => {
  app.get("/metrics", { config: { access: "see" }, schema: getMetrics }, async (_request, reply) => {
    const { body, contentType } = await metrics.text();
    return reply.type(contentType).send(body);
  });
};

const getMetrics = operation({
  id: "getMetrics",
  tag: "service",
  summary: "Counts and times, for Prometheus",
  query: noQuery,
  answers: { 200: { description: "Prometheus' text format", content: { "text/plain": Type.String() } } },
});
