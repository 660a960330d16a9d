import type { IncomingMessage, ServerResponse } from "node:http";
import { fastify, type FastifyError, type FastifyReply, type FastifyRequest } from "fastify";
import { isJobId } from "../operations/job-id.ts";
import { Refusal } from "../operations/refusal.ts";
import { addAccess } from "./access.ts";
import { applyBodyPolicies, setDeadline } from "./body-policy.ts";
import { checkBySchemas } from "./check-by-schemas.ts";
import { withoutCompilers } from "./compilers.ts";
import type { App, Context, Routes } from "./context.ts";
import { withNamesAsBytes } from "./file-paths.ts";
import { type KnownHosts, makeGuard } from "./guard.ts";
import { securityHeaders } from "./headers.ts";
import { idOf } from "./ids.ts";
import { Problem } from "./problems.ts";
import { sendProblem } from "./send-problem.ts";
import { RouteTable } from "./route-table.ts";
import { attachRoutes } from "./routes/attach.ts";
import { boxRoutes } from "./routes/box.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventRoutes } from "./routes/events.ts";
import { fileRoutes } from "./routes/files.ts";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { listRoutes } from "./routes/list.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { redirectBrowsersToUi, pageRoutes } from "./routes/page.ts";
import { searchRoutes } from "./routes/search.ts";
import { styleRoutes } from "./routes/style.ts";
import { submitRoutes } from "./routes/submit.ts";
import { makeUpgrades, type Upgrades } from "./upgrades.ts";

export type Api = {
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  upgrades: Upgrades;
  /** Every route, as the router has it. */
  routes: RouteTable;
};

const apiRoutes: Routes[] = [
  submitRoutes,
  jobRoutes,
  attachRoutes,
  searchRoutes,
  styleRoutes,
  fileRoutes,
  listRoutes,
  eventRoutes,
  healthRoutes,
  metricsRoutes,
  boxRoutes,
  pageRoutes,
];

/** The API as a function that answers requests. `routes` are those besides its description. */
export async function makeApi(context: Context, hosts: KnownHosts, routes: Routes[] = apiRoutes): Promise<Api> {
  const app: App = fastify({
    ...withoutCompilers,
    logger: false,
    rewriteUrl: ({ url = "" }) => withNamesAsBytes(url),
    frameworkErrors: (error, request, reply) => {
      setDeadline(request, reply, context); // hooks do not run for what the router refuses
      sendError(context, error, request, reply);
    },
  });
  const table = new RouteTable();
  app.addHook("onRoute", (route) => table.add(route));
  checkBySchemas(app);
  applyBodyPolicies(app, context);
  const guard = makeGuard(hosts);
  app.addHook("onRequest", (request, reply, next) => {
    reply.headers(securityHeaders);
    guard(request.raw);
    next();
  });
  redirectBrowsersToUi(app);
  await addAccess(app, context);
  app.addHook("onRequest", (request, _reply, next) => {
    if (table.isReserved(request.method, request.url)) throw notFound(request, table);
    next();
  });
  for (const add of routes) add(app, context);
  docsRoutes(app, { routes: table, version: context.version });
  app.setNotFoundHandler(async (request) => {
    throw notFound(request, table);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(context, error, request, reply));
  await app.ready();
  return { handle: (request, response) => app.routing(request, response), upgrades: makeUpgrades(app, table), routes: table };
}

function notFound({ method, url }: FastifyRequest, table: RouteTable): Problem {
  const allowed = table.methodsAt(url).join(", ");
  if (allowed === "")
    return new Problem("unknown-path", "this version of jobrunner has nothing at this path: docs/api.md lists what there is");
  return new Problem("method-not-allowed", `this path has no ${method}: use ${allowed}`, { headers: { Allow: allowed } });
}

function sendError({ log }: Context, error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): void {
  const problem = error instanceof Refusal ? Problem.of(error) : fromFramework(error);
  if (problem.code === "internal")
    log("error", "a request failed", {
      ...(isJobId(idOf(request.params)) ? { job: idOf(request.params) } : {}),
      method: request.method,
      err: error,
    });
  sendProblem(reply, problem);
}

/** The problem of an error by which Fastify refuses a request before its route runs. */
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
