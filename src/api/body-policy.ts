import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { expectBody, hasBody, requestTimeout } from "./arrival.ts";
import { readBody } from "./body.ts";
import type { App, Context } from "./context.ts";
import { endConnection } from "./last-answer.ts";

/**
 * How a route takes the bodies of its requests:
 *
 *     none       the route ignores the body
 *     buffered   the handler gets it complete, up to JOBRUNNER_MAX_BODY_BYTES; with a schema, as checked JSON
 *     streamed   the handler reads it piece by piece, and bounds it
 *     live       like streamed, but the body may take as long as a job runs
 *
 * A body that is not live must arrive in time (JOBRUNNER_REQUEST_TIMEOUT_SECONDS), also if nobody reads it.
 */
type BodyPolicy = "none" | "buffered" | "streamed" | "live";

declare module "fastify" {
  interface FastifyContextConfig {
    /** "none" if it is left out. */
    body?: BodyPolicy;
  }
}

/** Applies each route's policy. Call before other hooks are added: a body has its deadline even if a hook refuses the request. */
export function applyBodyPolicies(app: App, { limits }: Pick<Context, "limits">): void {
  app.addHook("onRoute", ({ method, url, config, schema }) => {
    const policy = config?.body ?? "none";
    const isDeclared =
      policy !== "none" || (schema?.body === undefined && !["POST", "PUT", "PATCH"].some((one) => [method].flat().includes(one)));
    if (!isDeclared) throw new Error(`the route ${String(method)} ${url} does not say how it takes a body: give it config.body`);
  });
  // JSON is accepted whatever the Content-Type says, so that plain `curl -d` works. Fastify would refuse a malformed Content-Type.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (request: FastifyRequest, payload: IncomingMessage) =>
    isForHandler(policyOf(request)) ? payload : await readBody(payload, limits.maxBodyBytes),
  );
  app.addHook("onRequest", (request, reply, next) => {
    request.raw.headers["content-type"] = undefined; // deleting a property would make the object slow
    if (hasBody(request.raw) && policyOf(request) !== "live") setDeadline(request, reply, { limits });
    next();
  });
}

function policyOf({ routeOptions: { config } }: FastifyRequest): BodyPolicy {
  return config.body ?? "none";
}

function isForHandler(policy: BodyPolicy): boolean {
  return policy === "streamed" || policy === "live";
}

/** From here on the body must arrive in time. */
export function setDeadline(request: FastifyRequest, reply: FastifyReply, { limits }: Pick<Context, "limits">): void {
  if (!hasBody(request.raw)) return;
  const { socket } = request.raw;
  expectBody(request.raw, limits.requestTimeoutSeconds, () => {
    if (reply.raw.headersSent) socket.destroy();
    else endConnection(socket, requestTimeout(limits));
  });
}
