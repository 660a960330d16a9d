import { isIPv6 } from "node:net";
import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import type { Actor } from "../audit/audit-log.ts";
import { type Identity, keyOf, nameOf, scopeOf } from "../identity/identity.ts";
import { unixConnections } from "../identity/peers.ts";
import type { Role } from "../identity/roles.ts";
import { isLoopback, unmapIPv4 } from "../sockets/addresses.ts";
import type { App, Context } from "./context.ts";
import { idOf, isJobId, unknownJob } from "./ids.ts";
import { Problem } from "./problems.ts";

/**
 * Who may ask what. Every route says it of itself, in its `config`:
 *
 *     public   anybody; what is answered may depend on who asks
 *     see      any role; `submit` of its own jobs alone
 *     run      `submit`, of its own jobs alone, and `admin`
 *     admin    `admin`
 */
type Access = "public" | "see" | "run" | "admin";

const mayAccess: Record<Exclude<Access, "public">, Role[]> = {
  see: ["read", "submit", "admin"],
  run: ["submit", "admin"],
  admin: ["admin"],
};

declare module "fastify" {
  interface FastifyContextConfig {
    access: Access;
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

/** No request comes to its route before it is known who sends it, that the role suffices, and that the job is not somebody else's. */
export async function addAccess(app: App, context: Context): Promise<void> {
  await app.register(rateLimit, { global: false });
  app.decorateRequest("identity", null);
  app.addHook("onRoute", ({ method, url, config }) => {
    if (config?.access === undefined)
      throw new Error(`the route ${String(method)} ${url} does not say who may use it: give it config.access`);
  });
  const limits = makeLimits(app, context);
  app.addHook("onRequest", async (request) => {
    await identify(request, context, limits);
    if (request.identity !== null) await authorize(request, request.identity, { context, limits });
  });
  app.addHook("preHandler", async (request) => {
    if (request.identity === null || context.identifier.isStillAuthorized(request.identity)) return;
    throw await refuse(
      request,
      { context, limits },
      { code: "not-identified", reason: "while the request arrived, what let it in was revoked or ended" },
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
  else if (request.is404 || request.routeOptions.config.access !== "public")
    throw await refuse(request, { context, limits }, { code: "not-identified", reason: identification.reason });
  const rate = await limits.requests(request);
  if (!rate.isAllowed && rate.isExceeded) {
    const detail = `more than ${context.limits.maxRequestsPerSecond} requests in a second: wait, or set JOBRUNNER_MAX_REQUESTS_PER_SECOND`;
    throw new Problem("too-many-requests", detail, { headers: { "Retry-After": String(rate.ttlInSeconds) } });
  }
}

type Dependencies = { context: Context; limits: Limits };
type Refusal = { code: "not-identified" | "role-too-small"; reason: string };

/**
 * Tokens are too long to be guessed, so whoever has a right one is let in however many wrong ones come from the same address, which many may
 * share. What is limited is the work and the lines of the audit log that failures cost: enough of them would push all others out of it.
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
  { code, reason }: Refusal,
): Promise<Problem> {
  const rate = await limits.failures(request);
  if (!rate.isAllowed && rate.isExceeded) {
    const detail = `more than ${maxFailuresPerMinute} failed attempts in a minute from this address: wait, and use a right token`;
    return new Problem("too-many-failures", detail, { headers: { "Retry-After": String(rate.ttlInSeconds) } });
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

async function authorize(request: FastifyRequest, identity: Identity, dependencies: Dependencies): Promise<void> {
  const { access } = request.routeOptions.config;
  if (request.is404 || access === "public") return;
  if (!mayAccess[access].includes(identity.role)) {
    const reason = `the role ${identity.role} may not do this: it takes ${mayAccess[access].join(" or ")}`;
    throw await refuse(request, dependencies, { code: "role-too-small", reason });
  }
  const scope = scopeOf(identity);
  const id = idOf(request.params);
  // Whether a job is somebody else's or nobody's: the same answer.
  if (id !== "" && scope !== null && !(isJobId(id) && dependencies.context.runner.find(id)?.owner === scope)) throw unknownJob();
}

/** Who asks; for routes that are not public. */
export function identityOf({ identity }: FastifyRequest): Identity {
  if (identity === null) throw new Error("a route asks who sent a request, and is public");
  return identity;
}

export function actorOf(request: FastifyRequest): Actor {
  const { identity } = request;
  return { By: identity === null ? null : nameOf(identity), Role: identity?.role ?? null, From: addressOf(request) };
}

/** Whoever has one address of a network like these has all of them. */
function networkOf(request: FastifyRequest): string {
  const address = addressOf(request);
  if (isLoopback(unmapIPv4(address))) return "loopback";
  return isIPv6(address) ? address.split(":").slice(0, 4).join(":") : address;
}

function addressOf({ raw: { socket } }: FastifyRequest): string {
  return unixConnections.has(socket) ? "unix" : (socket.remoteAddress ?? "unknown");
}

/** Without the query, what looks like a token, and not so long that it floods the audit log. */
function pathOf({ originalUrl: url }: FastifyRequest): string {
  const path = (url.split("?", 1)[0] ?? "").replace(/^\w+:\/\/[^/]*/, "");
  return path.replaceAll(/jr_[0-9a-f]*_[\w-]*/gi, "jr_***").slice(0, 200);
}
