import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endAfterAnswer, endWith } from "./closing.ts";
import type { Problem } from "./problems.ts";

/**
 * Answers to what came over a connection and is no request, or none that becomes whole. Each is the connection's last, and comes after the
 * answers to the requests before it, as HTTP/1.1 has it (RFC 9112, 9.3.2): in the middle of one it would be taken for its body.
 */

type Turn = {
  /** Answers that are not out yet, the last request's among them. */
  dueCount: number;
  /** The last request; null when it has come whole and was answered: an idle connection keeps nothing. */
  last: { request: IncomingMessage; response: ServerResponse } | null;
  /** What is sent in place of any further answer; null: nothing has gone wrong. */
  end: Problem | null;
};

const turns = new WeakMap<Duplex, Turn>();

/** To be told of each request. */
export function noteRequest(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  const turn = turns.get(socket) ?? { dueCount: 0, last: null, end: null };
  turns.set(socket, turn);
  turn.dueCount += 1;
  turn.last = { request, response };
  response.once("close", () => {
    turn.dueCount -= 1;
    if (turn.last?.response === response && request.complete) turn.last = null;
    if (turn.end !== null) endInTurn(socket, turn, turn.end);
  });
}

/** Answers with the problem when it is its turn, and closes. */
export function endConnection(socket: Duplex, problem: Problem): void {
  const turn = turns.get(socket);
  if (socket.writableEnded || (turn !== undefined && turn.end !== null)) return; // its last answer is on its way
  if (turn === undefined) return endWith(socket, problem);
  turn.end = problem;
  endInTurn(socket, turn, problem);
}

function endInTurn(socket: Duplex, { dueCount, last }: Turn, problem: Problem): void {
  if (socket.writableEnded || !socket.writable) return;
  if (last === null || last.request.complete) {
    if (dueCount === 0) endWith(socket, problem);
  } else if (!last.response.headersSent) {
    if (dueCount === 1) endWith(socket, problem); // in place of the answer to the request that does not become whole
  } else if (dueCount === 0) {
    endAfterAnswer(socket); // that had its answer before
  }
}
