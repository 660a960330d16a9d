import type { FastifyReply, FastifyRequest } from "fastify";
import { chooseType } from "../accept.ts";
import type { App, Context } from "../context.ts";
import { madeOnce } from "../made-once.ts";

/** The web page, for anybody: nothing in it is of this box. What it shows it asks of the API, as whoever looks at it. */
export function pageRoutes(app: App, { pageDirectory }: Pick<Context, "pageDirectory">): void {
  const page = madeOnce(async () => await (await import("../page.ts")).makePage(pageDirectory));
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const made = await page();
    reply.hijack();
    made.routing(request.raw, reply.raw);
  };
  for (const url of ["/ui", "/ui/*"]) app.get(url, { config: { operation: "page" } }, handler);
}

/** Whoever types the service's address into a browser wants to see it; for all others `GET /` is the original's call. */
export function redirectBrowsersToUi(app: App): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.url !== "/" || (request.method !== "GET" && request.method !== "HEAD")) return;
    reply.header("Vary", "Accept");
    if (chooseType(request.headers.accept, ["application/json", "text/html"]) !== "text/html") return;
    await reply.code(303).header("Location", "ui/").send(); // relative, since a proxy may show the service under a path of its own
  });
}
