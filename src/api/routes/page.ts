import type { FastifyReply, FastifyRequest } from "fastify";
import { chooseType } from "../accept.ts";
import type { App, Context } from "../context.ts";
import { madeOnce } from "../made-once.ts";

/**
 * The web page, for everybody: its files contain nothing about this machine. It gets all data from the API with the identity of its user.
 */
export function pageRoutes(app: App, { pageDirectory }: Pick<Context, "pageDirectory">): void {
  const page = madeOnce(async () => await (await import("../page.ts")).makePage(pageDirectory));
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const made = await page();
    reply.hijack();
    made.routing(request.raw, reply.raw);
  };
  for (const url of ["/ui", "/ui/*"]) app.get(url, { config: { operation: "page" } }, handler);
}

/** Redirects browsers from `GET /` to the web page. All other clients get the list of running jobs. */
export function redirectBrowsersToUi(app: App): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.url !== "/" || (request.method !== "GET" && request.method !== "HEAD")) return;
    reply.header("Vary", "Accept");
    if (chooseType(request.headers.accept, ["application/json", "text/html"]) !== "text/html") return;
    await reply.code(303).header("Location", "ui/").send(); // relative, because a proxy may serve it under a path of its own
  });
}
