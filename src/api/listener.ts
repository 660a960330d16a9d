import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Problem, problemContentType } from "./problems.ts";

/** HTTP on one or several addresses with one port. */

export type Listener = { urls: string[]; close(): Promise<void> };

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A client has so long to send its headers, and its whole request; what we send may take as long as a job does. */
const headersTimeoutMs = 20_000;
const requestTimeoutMs = 60_000;
const keepAliveTimeoutMs = 75_000; // longer than the 60 s after which common proxies close theirs

/**
 * Listens on every address that this box has. Port 0: a free one, the same on all. Throws a sentence for people where it cannot.
 */
export async function listen(handler: Handler, { addresses, port }: { addresses: string[]; port: number }): Promise<Listener> {
  const servers: Server[] = [];
  let chosen = port;
  for (const [index, address] of addresses.entries()) {
    const server = makeServer(handler);
    try {
      chosen = await listenOne(server, address, chosen);
      servers.push(server);
    } catch (error) {
      if (index > 0 && isMissingAddress(error)) continue; // no IPv6 on this box
      await Promise.all(servers.map(close));
      if (port === 0 && index > 0 && codeOf(error) === "EADDRINUSE") return await listen(handler, { addresses, port }); // another one is free
      throw new Error(explain(error, address, chosen), { cause: error });
    }
  }
  const urls = servers.map((server) => urlOf(server.address()));
  return { urls, close: async () => void (await Promise.all(servers.map(close))) };
}

function makeServer(handler: Handler): Server {
  const server = createServer({
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: 5_000,
    requireHostHeader: false, // ours says what to do
    noDelay: true,
    keepAlive: true,
  });
  server.on("request", handler);
  server.on("checkContinue", (request, response) => {
    response.writeContinue();
    handler(request, response);
  });
  server.on("clientError", answerClientError);
  return server;
}

function listenOne(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096, ipv6Only: host.includes(":") }, () => {
      server.off("error", reject);
      resolve(addressInfo(server.address()).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** What is not HTTP at all gets a problem document too, where it can still be sent. */
function answerClientError(error: Error, socket: Duplex): void {
  const code = "code" in error ? error.code : null;
  if (code === "ECONNRESET" || !socket.writable || hasAnswered(socket)) return void socket.destroy();
  const problem = clientProblem(code);
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: ${problemContentType}\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** In the middle of an answer another one would be taken for its body. */
function hasAnswered(socket: Duplex): boolean {
  return "bytesWritten" in socket && Number(socket.bytesWritten) > 0;
}

function clientProblem(code: unknown): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem("headers-too-large", "path and headers together must have no more than 16 KiB");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout", `the request must arrive whole within ${requestTimeoutMs / 1000} seconds`);
    default:
      return new Problem("bad-request", "this is not HTTP/1.1 (RFC 9112)");
  }
}

function isMissingAddress(error: unknown): boolean {
  return codeOf(error) === "EADDRNOTAVAIL" || codeOf(error) === "EAFNOSUPPORT";
}

function explain(error: unknown, address: string, port: number): string {
  const where = urlOf({ address, port, family: address.includes(":") ? "IPv6" : "IPv4" });
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return `${where} is in use by another program: stop it, or set JOBRUNNER_PORT to another port`;
    case "EACCES":
      return `${where} may not be used by this user: set JOBRUNNER_PORT to a port from 1024 on`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${address} is not an address of this box: set JOBRUNNER_HOSTNAME to one that is, or leave it empty`;
    default:
      return `cannot listen on ${where}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function urlOf(address: ReturnType<Server["address"]>): string {
  const { address: host, port } = addressInfo(address);
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function addressInfo(address: ReturnType<Server["address"]>): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("the server listens on no TCP address");
  return address;
}

