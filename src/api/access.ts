import { isIPv6 } from "node:net";
import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import type { Actor } from "../audit/audit-log.ts";
import { type Identity, keyOf, nameOf } from "../identity/identity.ts";
import { unixConnections } from "../identity/peers.ts";
import { authorize, isAboutJob, isPublic, type OperationName } from "../operations/access.ts";
import type { Caller } from "../operations/audited.ts";
import { Refusal } from "../operations/refusal.ts";
import { isLoopback, unmapIPv4 } from "../sockets/addresses.ts";
import type { App, Context } from "./context.ts";
import { idOf } from "./ids.ts";
import { Problem } from "./problems.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the route does: that decides who may use it. */
    operation: OperationName;
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

/**
 * No route runs, and no body is read, before the client is identified, its role permits the route's operation, and it may see the job. The
 * operation checks role and job again, whatever the route is.
 */
export async function addAccess(app: App, context: Context): Promise<void> {
  await app.register(rateLimit, { global: false });
  app.decorateRequest("identity", null);
  app.addHook("onRoute", ({ method, url, config }) => {
    const route = `the route ${String(method)} ${url}`;
    if (config?.operation === undefined) throw new Error(`${route} does not name its operation: give it config.operation`);
    if (isAboutJob(config.operation) !== /\/:id(\/|$)/.test(url))
      throw new Error(`${route}: a path has the parameter :id if, and only if, its operation (${config.operation}) is about one job`);
  });
  const limits = makeLimits(app, context);
  app.addHook("onRequest", async (request) => {
    await identify(request, context, limits);
    if (request.identity !== null) await checkAccess(request, request.identity, { context, limits });
  });
  app.addHook("preHandler", async (request) => {
    if (request.identity === null || context.identifier.isStillAuthorized(request.identity)) return;
    throw await refuse(
      request,
      { context, limits },
      { code: "not-identified", reason: "the token or certificate was revoked or expired while the request arrived" },
    );
  });
}

type Limits = { requests: Limit; failures: Limit };
type Limit = ReturnType<App["createRateLimit"]>;

function makeLimits(app: App, { limits }: Context): Limits {
  const requests = app.createRateLimit({
    max: limits.maxRequestsPerSecond,
    timeWindow: 1000,
    keyGenerator: (request) => (request.identity === null ? addressOf(request) : keyOf(request.identity)),
  });
  return { requests, failures: app.createRateLimit({ max: limits.maxFailuresPerMinute, timeWindow: 60_000, keyGenerator: networkOf }) };
}

async function identify(request: FastifyRequest, context: Context, limits: Limits): Promise<void> {
  const identification = await context.identifier.identify(request.raw);
  if (identification.kind === "known") request.identity = identification.identity;
  else if (request.is404 || !isPublic(request.routeOptions.config.operation))
    throw await refuse(request, { context, limits }, { code: "not-identified", reason: identification.reason });
  const rate = await limits.requests(request);
  if (!rate.isAllowed && rate.isExceeded) {
    const detail = `more than ${context.limits.maxRequestsPerSecond} requests in a second: wait, or set JOBRUNNER_MAX_REQUESTS_PER_SECOND`;
    throw new Problem("too-many-requests", detail, { retryAfterSeconds: rate.ttlInSeconds });
  }
}

type Dependencies = { context: Context; limits: Limits };
type Refused = { code: "not-identified" | "role-too-small"; reason: string };

/**
 * Writes a refusal into the audit log, and returns the problem to answer with. Tokens are too long to be guessed, so a valid one is
 * accepted however many wrong ones come from the same address, which many clients may share. The limit bounds the work of failures and
 * their lines in the audit log, where they would replace all others.
 */
async function refuse(
  request: FastifyRequest,
  {
    context: {
      audit,
      limits: { maxFailuresPerMinute },
    },
    limits,
  }: Dependencies,
  { code, reason }: Refused,
): Promise<Problem> {
  const rate = await limits.failures(request);
  if (!rate.isAllowed && rate.isExceeded) {
    const detail = `more than ${maxFailuresPerMinute} failed attempts in a minute from this address: wait, and use a valid token`;
    return new Problem("too-many-failures", detail, { retryAfterSeconds: rate.ttlInSeconds });
  }
  audit.write(actorOf(request), {
    Event: "refused",
    Code: code,
    Method: request.method,
    Path: pathOf(request),
    Reason: reason.split(": ", 1)[0] ?? reason,
  });
  return new Problem(code, reason, code === "not-identified" ? { headers: { "WWW-Authenticate": 'Bearer realm="jobrunner"' } } : {});
}

async function checkAccess(request: FastifyRequest, identity: Identity, dependencies: Dependencies): Promise<void> {
  if (request.is404) return;
  const { operation } = request.routeOptions.config;
  try {
    if (isAboutJob(operation)) dependencies.context.operations.permit(callerOf(request), operation, idOf(request.params));
    else authorize(identity, operation);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "role-too-small") throw error;
    throw await refuse(request, dependencies, { code: "role-too-small", reason: error.message });
  }
}

/** The identity of a request to a route that is not public. */
export function identityOf({ identity }: FastifyRequest): Identity {
  if (identity === null) throw new Error("a public route asked for the identity of a request");
  return identity;
}

/** Who calls the operation of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  return { identity: identityOf(request), from: addressOf(request) };
}

function actorOf(request: FastifyRequest): Actor {
  const { identity } = request;
  return { By: identity === null ? null : nameOf(identity), Role: identity?.role ?? null, From: addressOf(request) };
}

/** The address, or its /64 network for IPv6: a client with one address of that network has all of them. */
function networkOf(request: FastifyRequest): string {
  const address = addressOf(request);
  if (isLoopback(unmapIPv4(address))) return "loopback";
  return isIPv6(address) ? address.split(":").slice(0, 4).join(":") : address;
}

function addressOf({ raw: { socket } }: FastifyRequest): string {
  return unixConnections.has(socket) ? "unix" : (socket.remoteAddress ?? "unknown");
}

/** The path for the audit log: without the query, without anything that looks like a token, and not longer than 200 characters. */
function pathOf({ originalUrl: url }: FastifyRequest): string {
  const path = (url.split("?", 1)[0] ?? "").replace(/^\w+:\/\/[^/]*/, "");
  return path.replaceAll(/jr_[0-9a-f]*_[\w-]*/gi, "jr_***").slice(0, 200);
}
