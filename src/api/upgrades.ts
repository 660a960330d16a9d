import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { hasBody } from "./arrival.ts";
import { endAfterAnswer } from "./closing.ts";
import type { App } from "./context.ts";
import { hasAnswersDue } from "./last-answer.ts";
import type { RouteTable } from "./route-table.ts";

/**
 * Requests that ask for another protocol on their connection (RFC 9110, 7.8), such as WebSocket. A route may accept them if it declares the
 * protocol in `config.upgrade`. They pass through the same hooks as other requests, so Host, Origin, identity, role and ownership are
 * checked, and a refusal is answered with a problem document and the end of the connection. Other routes ignore the Upgrade header, as
 * servers may, and answer such a request like any other.
 */
export type Upgrades = {
  /** Whether `handle` gets the request, instead of the server's request handler. */
  isUpgrade: (request: IncomingMessage) => boolean;
  /** `head`: what the client has sent after the headers. */
  handle: (request: IncomingMessage, head: Buffer) => void;
};

declare module "fastify" {
  interface FastifyContextConfig {
    /** The protocol to which the route can change a connection, in lower case, as in the Upgrade header. */
    upgrade?: string;
  }
}

const heads = new WeakMap<IncomingMessage, Buffer>();

export function makeUpgrades(app: App, routes: RouteTable): Upgrades {
  return {
    isUpgrade: (request) => {
      const { method = "", httpVersion, url = "", headers, socket } = request;
      const protocols = (headers.upgrade ?? "").toLowerCase().split(/\s*,\s*/);
      // HTTP/1.0 has no upgrades (RFC 9110, 7.8). A connection changes its protocol after all earlier answers, and with no body on its way.
      return routes.hasUpgrade(method, url, protocols) && httpVersion === "1.1" && !hasBody(request) && !hasAnswersDue(socket);
    },
    handle: (request, head) => {
      const { socket } = request;
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once("finish", () => {
        response.detachSocket(socket);
        endAfterAnswer(socket);
      });
      socket.on("error", () => undefined); // "close" follows
      heads.set(request, head);
      app.routing(request, response);
    },
  };
}

/**
 * Takes the connection of an upgrade request, for the handler of its route. The handler then sends the status 101 and everything after it.
 * Null: the request is an ordinary one; answer it as such. The reply still emits "close" when the connection is closed.
 */
export function takeConnection(request: FastifyRequest, reply: FastifyReply): { socket: Duplex; head: Buffer } | null {
  const head = heads.get(request.raw);
  if (head === undefined) return null;
  reply.hijack();
  return { socket: request.raw.socket, head };
}
