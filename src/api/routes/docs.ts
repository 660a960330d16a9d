import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../context.ts";
import type { DescribedRoute } from "../openapi.ts";

/** What describes the API. Nothing in it is of this box. */
export function docsRoutes(app: App, { routes, version }: { routes: DescribedRoute[]; version: string }): void {
  let docs: Promise<FastifyInstance> | null = null;
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    docs ??= import("../openapi.ts").then(async ({ makeDocs }) => await makeDocs(routes, version));
    const described = await docs;
    reply.hijack();
    described.routing(request.raw, reply.raw);
  };
  for (const url of ["/openapi.json", "/docs", "/docs/*"]) app.get(url, { config: { access: "public" } }, handler);
}
