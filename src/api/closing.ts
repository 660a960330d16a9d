import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { whenRead } from "./arrival.ts";
import { type Problem, problemContentType } from "./problems.ts";

/**
 * Answers that are complete before the client has sent all. What it still sends is read and thrown away: closing with bytes unread makes a
 * reset of it, at which the client's kernel throws the answer away (RFC 9112, 9.6).
 */

/** For the rest of something that is no request. */
const lingerMs = 2_000;
/** For the rest of a body that nobody wants, from a client that looks at the answer only when it has sent all. */
const bodyLingerMs = 30_000;

/** Answers outside of a request and closes. */
export function endWith(socket: Duplex, problem: Problem): void {
  const body = JSON.stringify(problem);
  const headers = {
    ...problem.headers,
    "Content-Type": problemContentType,
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join("")}\r\n${body}`);
  endAfterAnswer(socket);
}

/** Closes when the client has taken what was written. */
export function endAfterAnswer(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.on("error", () => undefined); // it is gone then, and "close" follows
  socket.resume();
  socket.end();
}

/**
 * Reads what is left of a request's body when its answer is out. Node itself leaves a body that was read in part, and where the connection
 * is to close it does so at once, by `destroySoon`.
 */
export function readRest(request: IncomingMessage, response: ServerResponse): void {
  response.prependOnceListener("finish", () => {
    const { socket } = request;
    request.resume();
    if (request.complete || socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), bodyLingerMs);
    socket.destroySoon = () => socket.end();
    whenRead(request, () => {
      clearTimeout(timer);
      Reflect.deleteProperty(socket, "destroySoon");
      if (socket.writableEnded) socket.destroySoon();
    });
  });
}
