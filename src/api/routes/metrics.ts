import { setImmediate } from "node:timers/promises";
import { Type } from "typebox";
import { keyOf } from "../../identity/identity.ts";
import { identityOf } from "../access.ts";
import type { Routes } from "../context.ts";
import { noQuery, operation } from "../operation.ts";

/** For Prometheus, which needs a token like every other client. */
export const metricsRoutes: Routes = (app, { metrics, turns }) => {
  app.get("/metrics", { config: { operation: "metrics" }, schema: getMetrics }, async (request, reply) => {
    const { body, contentType } = await turns.run(keyOf(identityOf(request)), {
      isWanted: () => !reply.raw.destroyed,
      work: async () => {
        await setImmediate(); // one takes some milliseconds: other requests run between a thousand of these
        return await metrics.text();
      },
    });
    return reply.type(contentType).send(body);
  });
};

const getMetrics = operation({
  id: "getMetrics",
  tag: "service",
  summary: "Counts and times for Prometheus",
  query: noQuery,
  answers: { 200: { description: "The text format of Prometheus", content: { "text/plain": Type.String() } } },
  problems: ["too-many-at-once"],
});
