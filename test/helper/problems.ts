import { strict as assert } from "node:assert";
import type { Answer } from "./http.ts";

/** Checks a problem document (RFC 9457) with a useful text. `isPage`: the request prefers HTML, so that it may be a page. */
export function assertProblem(answer: Answer, status: number, { isPage = false } = {}): void {
  assert.equal(answer.status, status, answer.text);
  if (isPage && answer.headers["content-type"] === "text/html; charset=utf-8")
    return assert.match(answer.text, /^<!doctype html>[^]*<h1>./);
  assert.match(answer.headers["content-type"] ?? "", /^application\/problem\+json/, answer.text);
  const problem: { status: number; title: string; detail: string; code: string } = JSON.parse(answer.text);
  assert.equal(problem.status, status);
  assert.ok(problem.title !== "" && problem.detail !== "" && problem.code !== "", answer.text);
}
