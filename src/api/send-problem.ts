import type { FastifyReply } from "fastify";
import { problemPage, wantsPage } from "./problem-page.ts";
import { answerOf, type Problem } from "./problems.ts";

/** Answers with a problem: with a document for programs (RFC 9457), or with a page for a browser that navigates. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  const { status, headers, body } = answerOf(problem);
  if (!wantsPage(reply.request)) return void reply.code(status).headers(headers).send(body);
  void reply
    .code(status)
    .headers({ ...headers, "Content-Type": "text/html; charset=utf-8" })
    .send(problemPage(problem, reply.request.url));
}
