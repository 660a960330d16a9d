import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import { fastify, type FastifyInstance } from "fastify";
import { withoutCompilers } from "./compilers.ts";
import { securityHeaders } from "./headers.ts";
import { Problem } from "./problems.ts";
import { sendProblem } from "./send-problem.ts";

/** The files of the web page, as Vite built them. It is a separate app that is loaded on first use. */
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
      isBuilt ? "the web page has no file at this path: open /ui/" : "the web page is not built: run make",
    );
    sendProblem(reply, problem);
  });
  await app.ready();
  return app;
}

/**
 * The page loads nothing from other sites, has no inline scripts, inline styles or frames, and turns no text into HTML (Content Security
 * Policy Level 3, Trusted Types). So the output of jobs stays text.
 */
const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri " +
  "'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
