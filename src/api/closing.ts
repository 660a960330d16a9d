import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { whenRead } from "./arrival.ts";
import { answerOf, type Problem } from "./problems.ts";

/**
 * Answers that are sent before the client has sent everything. The service reads and discards the rest: if it closed the connection with
 * unread bytes, the kernel would send a reset, at which the client's kernel discards the answer (RFC 9112, 9.6).
 */

/** How long the service reads the rest of something that is not a request. */
const lingerMs = 2_000;
/** How long the service reads the rest of an unwanted body. Some clients read the answer only after they have sent the whole body. */
const bodyLingerMs = 30_000;

/** Sends an answer that belongs to no request, and closes the connection. */
export function endWith(socket: Duplex, problem: Problem): void {
  const { status, headers, body } = answerOf(problem);
  const fields = { ...headers, "Content-Length": Buffer.byteLength(body), Connection: "close" };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  endAfterAnswer(socket);
}

/** Closes the connection when the client has received what was written. */
export function endAfterAnswer(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.on("error", () => undefined); // "close" follows
  socket.resume();
  socket.end();
}

/**
 * Reads the rest of a request's body when the answer is sent. Node.js does not read the rest of a body that was read in part. If the
 * connection is not kept alive, Node.js closes it at once, by `destroySoon`.
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
