import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { unixConnections } from "../identity/peers.ts";
import type { Log } from "../runner/log.ts";
import { requestTimeout } from "./arrival.ts";
import { readRest } from "./closing.ts";
import { Connections } from "./connections.ts";
import { endConnection, noteRequest } from "./last-answer.ts";
import { Problem } from "./problems.ts";
import { Certificates, type TlsFiles } from "./tls.ts";
import { listenOnPath } from "./unix-socket.ts";
import type { Upgrades } from "./upgrades.ts";
import { codeOf } from "../lib/error-code.ts";
import { configuredSize } from "../lib/configured-size.ts";

/** HTTP or HTTPS on one or several addresses with the same port, and HTTP on a unix socket. */

export type ListenOptions = {
  addresses: string[]; // empty: no TCP
  port: number; // 0: a free port, the same on all addresses
  socketPath: string | null; // of a unix socket, which always speaks plain HTTP
  tls: TlsFiles | null; // null: plain HTTP
  limits: Limits;
  log: Log;
};

/** Timeouts are for what clients send: an answer may take as long as a job runs. */
type Limits = {
  maxHeaderBytes: number;
  headersTimeoutSeconds: number;
  requestTimeoutSeconds: number;
  idleTimeoutSeconds: number;
  maxConnections: number; // on all addresses and the socket together
};

export type Listener = {
  urls: string[]; // the socket's is unix:/path
  /** Reads the TLS files again, for new connections. If they have a mistake, it is logged and the old ones stay in use. */
  reload(): void;
  /** Closes all connections at once. */
  close(): Promise<void>;
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** `handle` answers requests; `upgrades` takes over connections that change their protocol. */
export type Handlers = { handle: Handler; upgrades: Upgrades };

const longestCheckIntervalMs = 5_000;
const checksPerTimeout = 4;

/** Listens on every address that this machine has, and on the socket. Throws a sentence for people if that is impossible. */
export async function listen(handlers: Handlers, options: ListenOptions): Promise<Listener> {
  const { addresses, port, socketPath, tls, limits, log } = options;
  const certificates = tls === null ? null : new Certificates(tls, log);
  const connections = new Connections(limits.maxConnections, log);
  const servers: Server[] = [];
  const open = (certificates: Certificates | null): Server => {
    const server = makeServer(handlers, limits, certificates);
    connections.guard(server, { speaksTls: certificates !== null });
    servers.push(server);
    return server;
  };
  const close = async (): Promise<void> => {
    certificates?.close();
    const closed = servers.map((server) => closeServer(server));
    connections.close();
    await Promise.all(closed);
  };
  try {
    const urls = await listenOnAddresses(() => open(certificates), { addresses, port, scheme: tls === null ? "http" : "https" });
    if (socketPath !== null) {
      const server = open(null);
      server.on("connection", (socket) => unixConnections.add(socket));
      await listenOnPath(server, socketPath);
      urls.push(`unix:${socketPath}`);
    }
    connections.logLimit();
    return { urls, reload: () => certificates?.reload(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Addresses = { addresses: string[]; port: number; scheme: "http" | "https" };

/** The URLs of those addresses that this machine has. */
async function listenOnAddresses(open: () => Server, where: Addresses): Promise<string[]> {
  const listening: Server[] = [];
  let { port } = where;
  for (const [index, address] of where.addresses.entries()) {
    const server = open();
    try {
      port = await listenOne(server, address, port);
      listening.push(server);
    } catch (error) {
      if (index > 0 && isMissingAddress(error)) continue; // this machine has no IPv6
      if (where.port === 0 && index > 0 && codeOf(error) === "EADDRINUSE") {
        await Promise.all(listening.map(closeServer));
        return await listenOnAddresses(open, where); // another port
      }
      throw new Error(explain(error, urlOf(where.scheme, address, port), address), { cause: error });
    }
  }
  return listening.map((server) => {
    const { address, port } = addressOf(server);
    return urlOf(where.scheme, address, port);
  });
}

function makeServer({ handle, upgrades }: Handlers, limits: Limits, certificates: Certificates | null): Server {
  const headersTimeout = Math.min(limits.headersTimeoutSeconds, limits.requestTimeoutSeconds) * 1000;
  const options: ServerOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout,
    requestTimeout: 0, // a body's deadline depends on its size and its route: body-policy.ts
    keepAliveTimeout: limits.idleTimeoutSeconds * 1000,
    connectionsCheckingInterval: Math.min(longestCheckIntervalMs, headersTimeout / checksPerTimeout),
    requireHostHeader: false, // the guard's refusal says what to do
    noDelay: true,
    keepAlive: true,
    shouldUpgradeCallback: upgrades.isUpgrade,
  };
  const server = certificates === null ? createServer(options) : certificates.makeServer(options, headersTimeout);
  const onRequest: Handler = (request, response) => {
    noteRequest(request, response);
    readRest(request, response);
    handle(request, response);
  };
  server.on("request", onRequest);
  server.on("upgrade", (request: IncomingMessage, _socket: Duplex, head: Buffer) => upgrades.handle(request, head));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    onRequest(request, response);
  });
  server.on("checkExpectation", onRequest); // other expectations than "100-continue" may be ignored (RFC 9110, 10.1.1)
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    socket.on("error", () => undefined); // "close" follows
    endConnection(socket, noProxy);
  });
  server.on("clientError", (error, socket) => answerClientError(error, socket, limits));
  return server;
}

function listenOne(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096, ipv6Only: host.includes(":") }, () => {
      server.off("error", reject);
      resolve(addressOf(server).port);
    });
  });
}

/** Resolves when the server's last connection is closed. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** Something that is not HTTP is answered with a problem document too, if that can still be sent. */
function answerClientError(error: Error, socket: Duplex, limits: Limits): void {
  if (socket.writableEnded) return; // it is already answered
  const problem = clientProblem(codeOf(error), limits);
  if (problem === null || !socket.writable) socket.destroy();
  else endConnection(socket, problem);
}

/** The answer to CONNECT, by which clients ask proxies for a tunnel. Node.js would close the connection without an answer. */
const noProxy = new Problem("method-not-allowed", "CONNECT is for proxies, and this service is not one: send the request itself", {
  headers: { Allow: "GET, HEAD, POST, PUT, DELETE" },
});

/** Null if no answer can be sent: the connection broke, or the TLS handshake failed. */
function clientProblem(code: string, limits: Limits): Problem | null {
  if (code === "HPE_HEADER_OVERFLOW") {
    return new Problem(
      "headers-too-large",
      `path and headers together must have no more than ${configuredSize(limits.maxHeaderBytes)} (JOBRUNNER_MAX_HEADER_BYTES)`,
    );
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return requestTimeout(limits);
  return code.startsWith("HPE_") ? new Problem("bad-request", "this is not HTTP/1.1 (RFC 9112)") : null;
}

function isMissingAddress(error: unknown): boolean {
  return codeOf(error) === "EADDRNOTAVAIL" || codeOf(error) === "EAFNOSUPPORT";
}

function explain(error: unknown, url: string, address: string): string {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return `${url} is in use by another program: stop it, or set JOBRUNNER_PORT to another port`;
    case "EACCES":
      return `this user may not listen on ${url}: set JOBRUNNER_PORT to 1024 or higher`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${address} is not an address of this box: set JOBRUNNER_HOSTNAME to one that is, or leave it empty`;
    default:
      return (
        `cannot listen on ${url}: ${error instanceof Error ? error.message : String(error)}: set JOBRUNNER_HOSTNAME and ` +
        `JOBRUNNER_PORT to an address and a port of this box`
      );
  }
}

function urlOf(scheme: Addresses["scheme"], host: string, port: number): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no TCP address");
  return address;
}
