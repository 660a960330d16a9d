import type { IncomingMessage, ServerResponse } from "node:http";
import { fastify, type FastifyError, type FastifyReply, type FastifyRequest } from "fastify";
import { addAccess } from "./access.ts";
import { readBody } from "./body.ts";
import { checkBySchemas } from "./check-by-schemas.ts";
import { withoutCompilers } from "./compilers.ts";
import type { App, Context } from "./context.ts";
import { type KnownHosts, makeGuard } from "./guard.ts";
import { securityHeaders } from "./headers.ts";
import type { DescribedRoute } from "./openapi.ts";
import { isJobId } from "../operations/job-id.ts";
import { Refusal } from "../operations/refusal.ts";
import { idOf } from "./ids.ts";
import { Problem, problemContentType } from "./problems.ts";
import { attachRoutes } from "./routes/attach.ts";
import { boxRoutes } from "./routes/box.ts";
import { withNamesAsBytes } from "./file-paths.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventRoutes } from "./routes/events.ts";
import { fileRoutes } from "./routes/files.ts";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { listRoutes } from "./routes/list.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { searchRoutes } from "./routes/search.ts";
import { redirectBrowsersToUi, pageRoutes } from "./routes/page.ts";

/** First segments of paths that are no IDs: what is asked of them with a wrong method is no matter of jobs. */
const reserved = new Set(["jobs", "events", "healthz", "metrics", "openapi.json", "docs", "ui", "box"]);

export type Api = {
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Every route with its methods, as the router has them. */
  routes: Route[];
};

type Route = { method: string; url: string; pattern: RegExp };

/** The API as a function that answers requests. */
export async function makeApi(context: Context, hosts: KnownHosts): Promise<Api> {
  const app: App = fastify({
    ...withoutCompilers,
    logger: false,
    rewriteUrl: ({ url = "" }) => withNamesAsBytes(url),
    frameworkErrors: (error, request, reply) => sendError(context, error, request, reply),
  });
  const routes: Route[] = [];
  const described: DescribedRoute[] = [];
  app.addHook("onRoute", ({ method, url, schema }) => {
    for (const one of [method].flat()) {
      routes.push({ method: one, url, pattern: patternOf(url) });
      if (schema !== undefined && one !== "HEAD") described.push({ method: one, url, schema });
    }
  });
  acceptAnyBody(app, context.limits.maxBodyBytes);
  checkBySchemas(app);
  const guard = makeGuard(hosts);
  app.addHook("onRequest", (request, reply, next) => {
    reply.headers(securityHeaders);
    guard(request.raw);
    next();
  });
  redirectBrowsersToUi(app);
  await addAccess(app, context);
  app.addHook("onRequest", (request, _reply, next) => {
    refuseReserved(request, routes);
    next();
  });
  for (const add of [jobRoutes, attachRoutes, searchRoutes, fileRoutes, listRoutes, eventRoutes, healthRoutes, metricsRoutes, boxRoutes])
    add(app, context);
  pageRoutes(app, context);
  docsRoutes(app, { routes: described, version: context.version });
  app.setNotFoundHandler(async (request) => {
    throw notFound(request, routes);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(context, error, request, reply));
  await app.ready();
  return { handle: (request, response) => app.routing(request, response), routes };
}

/** A body is JSON whatever its Content-Type says, so that plain `curl -d` works; what is in it, the route reads. */
function acceptAnyBody(app: App, maxBodyBytes: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (_request: FastifyRequest, payload: IncomingMessage) => await readBody(payload, maxBodyBytes));
  app.addHook("onRequest", (request, _reply, next) => {
    request.raw.headers["content-type"] = undefined; // a malformed one would be refused; what is deleted from makes an object slow
    next();
  });
}

function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll(/:\w+/g, "[^/]+").replace("*", ".*")}$`);
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?", 1)[0] ?? "";
}

/** `DELETE /jobs` is not the kill of a job with the ID "jobs". */
function refuseReserved(request: FastifyRequest, routes: Route[]): void {
  const [, first = "", ...more] = pathOf(request).split("/");
  if (!reserved.has(first) || more.length > 0) return;
  const isThere = routes.some(({ method, pattern }) => method === request.method && pattern.source === `^\\/${first}$`);
  if (!isThere)
    throw notFound(
      request,
      routes.filter(({ pattern }) => pattern.source === `^\\/${first}$`),
    );
}

function notFound(request: FastifyRequest, routes: Route[]): Problem {
  const path = pathOf(request);
  const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  if (allowed.length === 0)
    return new Problem("unknown-path", "this version of jobrunner has nothing at this path: docs/api.md lists what there is");
  const detail = `${request.method} is not known here: use ${allowed.join(", ")}`;
  return new Problem("method-not-allowed", detail, { headers: { Allow: allowed.join(", ") } });
}

function sendError({ log }: Context, error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): void {
  const problem = error instanceof Refusal ? Problem.of(error) : fromFramework(error);
  if (problem.code === "internal")
    log("error", "a request failed", {
      ...(isJobId(idOf(request.params)) ? { job: idOf(request.params) } : {}),
      method: request.method,
      err: error,
    });
  void reply
    .code(problem.status)
    .headers({ ...securityHeaders, ...problem.headers })
    .type(problemContentType)
    .send(JSON.stringify(problem));
}

/** What Fastify refuses before a route is asked. */
function fromFramework(error: FastifyError): Problem {
  switch (error.code) {
    case "FST_ERR_BAD_URL":
      return new Problem("bad-request", "the path is not well-formed: a % must be followed by two hexadecimal digits of UTF-8");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new Problem("path-too-long", "the ID is too long to be one");
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return new Problem("bad-request", error.message, { cause: error });
  return new Problem("internal", "the service could not answer; its log says why", { cause: error });
}
