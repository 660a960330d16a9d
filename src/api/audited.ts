import type { FastifyRequest } from "fastify";
import type { Change } from "../audit/audit-log.ts";
import { NotAllRemoved } from "../files/workspace-files.ts";
import { actorOf } from "./access.ts";
import type { Context } from "./context.ts";
import { Problem, type ProblemCode } from "./problems.ts";

/** These are found before anything is changed. */
const unchanged = new Set<ProblemCode>([
  "unknown-job",
  "unknown-file",
  "outside-workspace",
  "file-refused",
  "file-of-another-kind",
  "invalid-request",
  "not-finished",
  "too-many-at-once",
]);

/** Does what changes something, and writes a line of it into the audit log: also where it failed midway, with why and how far it came. */
export async function audited<Result>(
  { audit }: Context,
  request: FastifyRequest,
  { event, work }: { event: Change; work: () => Promise<Result> },
): Promise<Result> {
  try {
    const result = await work();
    audit.write(actorOf(request), event);
    return result;
  } catch (error) {
    const code = error instanceof Problem ? error.code : "internal";
    if (!unchanged.has(code)) audit.write(actorOf(request), { ...event, Failed: code, ...howFar(error) });
    throw error;
  }
}

function howFar(error: unknown): { RemovedCount?: number } {
  return error instanceof Problem && error.cause instanceof NotAllRemoved ? { RemovedCount: error.cause.removedCount } : {};
}
