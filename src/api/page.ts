import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import { fastify, type FastifyInstance } from "fastify";
import { withoutCompilers } from "./compilers.ts";
import { securityHeaders } from "./headers.ts";
import { Problem, sendProblem } from "./problems.ts";

/** The files of the web page, as Vite made them. An app of its own, loaded when it is first asked for. */
export async function makePage(directory: string): Promise<FastifyInstance> {
  const app = fastify({ ...withoutCompilers, logger: false });
  app.addHook(
    "onRequest",
    async (_request, reply) => void reply.headers({ ...securityHeaders, "Content-Security-Policy": pageSecurityPolicy }),
  );
  app.get("/ui", async (_request, reply) => await reply.redirect("ui/", 308));
  await app.register(fastifyStatic, {
    root: directory,
    prefix: "/ui/",
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) =>
      void reply.header("Cache-Control", path.includes(join(directory, "assets")) ? "public, max-age=31536000, immutable" : "no-cache"),
  });
  app.setNotFoundHandler((_request, reply) => {
    const isBuilt = existsSync(join(directory, "index.html"));
    const problem = new Problem(
      "unknown-path",
      isBuilt ? "the web page has nothing at this path: it begins at /ui/" : "the web page is not built: run make",
    );
    sendProblem(reply, problem);
  });
  await app.ready();
  return app;
}

/**
 * Nothing from elsewhere, nothing within the page that is a script, a style or a frame, and no text that becomes HTML (Content Security
 * Policy Level 3, Trusted Types): what jobs write stays text.
 */
const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri " +
  "'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
