import { createHash } from "node:crypto";
import type { JobSpec } from "../job/spec.ts";
import type { SubmitResult } from "../runner/submission.ts";
import { invalid, Refusal, type RefusalCode } from "./refusal.ts";

/** Why a job was not accepted, as a refusal. */
export function refusalOf(result: Exclude<SubmitResult, { kind: "accepted" }>, spec: JobSpec): Refusal {
  switch (result.kind) {
    case "user-refused":
      return new Refusal("user-refused", `User ${result.problem}`, { errors: [{ field: "User", message: result.problem }] });
    case "too-large":
    case "not-mergeable":
      return invalid([result.problem]);
    case "conflict":
      return new Refusal("key-used-before", "this Idempotency-Key came with another body before: use a new key for a new job");
    case "no-engine":
      return withoutEngine("no-container-engine", spec, result.problem);
    case "silent-engine":
      return withoutEngine("silent-container-engine", spec, `the engine does not answer: ${result.problem}`);
    case "disk-full":
      return new Refusal(
        "disk-full",
        "the state directory's disk has less room than JOBRUNNER_MIN_FREE_BYTES: remove old jobs with DELETE /jobs/ID, or make room",
      );
  }
}

/** Names the first command that needs an engine. */
function withoutEngine(code: RefusalCode, { Commands = [] }: JobSpec, problem: string): Refusal {
  const field = `Commands[${Commands.findIndex(({ Image }) => Image !== undefined)}].Image`;
  const message = `needs a container engine: ${problem}`;
  return new Refusal(code, `${field} ${message}`, { errors: [{ field, message }] });
}

/** Equal for equal jobs, whatever the order of fields and the white space of their JSON. */
export function fingerprint(spec: JobSpec): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(spec)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => [key, sorted(part)]);
}
