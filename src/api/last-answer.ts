import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endAfterAnswer, endWith } from "./closing.ts";
import type { Problem } from "./problems.ts";

/**
 * Answers to something that is not a request, or to a request that does not arrive completely. Such an answer is the connection's last one.
 * It follows the answers to all earlier requests (RFC 9112, 9.3.2): a client would read it as a part of the body of an unfinished answer.
 */

type Turn = {
  /** How many answers are not completely sent, including that of the last request. */
  dueCount: number;
  /** The last request; null if it has arrived completely and is answered, so that an idle connection keeps nothing. */
  last: { request: IncomingMessage; response: ServerResponse } | null;
  /** What is sent instead of any further answer; null: nothing has gone wrong. */
  end: Problem | null;
};

const turns = new WeakMap<Duplex, Turn>();

/** Call for each request. */
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

/** Whether earlier requests of the connection wait for their answers. */
export function hasAnswersDue(socket: Duplex): boolean {
  return (turns.get(socket)?.dueCount ?? 0) > 0;
}

/** Answers with the problem after all earlier answers, and closes the connection. */
export function endConnection(socket: Duplex, problem: Problem): void {
  const turn = turns.get(socket);
  if (socket.writableEnded || (turn !== undefined && turn.end !== null)) return; // the last answer is already decided
  if (turn === undefined) return endWith(socket, problem);
  turn.end = problem;
  endInTurn(socket, turn, problem);
}

function endInTurn(socket: Duplex, { dueCount, last }: Turn, problem: Problem): void {
  if (socket.writableEnded || !socket.writable) return;
  if (last === null || last.request.complete) {
    if (dueCount === 0) endWith(socket, problem);
  } else if (!last.response.headersSent) {
    if (dueCount === 1) endWith(socket, problem); // instead of the answer to the request that does not arrive completely
  } else if (dueCount === 0) {
    endAfterAnswer(socket); // the incomplete request has already been answered
  }
}
