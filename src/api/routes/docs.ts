import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../context.ts";
import { madeOnce } from "../made-once.ts";
import type { RouteTable } from "../route-table.ts";

/** The description of the API, for everybody: it contains nothing about this machine. */
export function docsRoutes(app: App, { routes, version }: { routes: RouteTable; version: string }): void {
  const docs = madeOnce(async () => await (await import("../openapi.ts")).makeDocs(routes.all, version));
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const described = await docs();
    reply.hijack();
    described.routing(request.raw, reply.raw);
  };
  for (const url of ["/openapi.json", "/docs", "/docs/*"]) app.get(url, { config: { operation: "document" } }, handler);
}
