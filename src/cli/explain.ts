import { AmbiguousName, AmbiguousPrefix, ApiError, NoSuchJob, Unreachable } from "../client/errors.ts";
import { hintOf, hintOfOther } from "./connection-hints.ts";
import { JobGoesOn } from "./job-goes-on.ts";

/** An error as a sentence for people, with what to do about it. */
export function explain(error: unknown): string {
  if (error instanceof JobGoesOn) return `${explain(error.cause)}\n${whatOf(error)}`;
  if (error instanceof Unreachable) return `${error.message}\n${hintOf(error)}`;
  if (error instanceof AmbiguousName) return [`${error.message}: give an ID`, ...error.ids.map((id) => `  ${id}`)].join("\n");
  if (error instanceof AmbiguousPrefix) return [`${error.message}: give more of it`, ...error.ids.map((id) => `  ${id}`)].join("\n");
  if (error instanceof NoSuchJob) return `${error.message}: 'jobrunner ps -a' lists those that there are`;
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401) return `${error.message}\nThe variable JOBRUNNER_TOKEN gives it to this command, or --token-file.`;
  if (error.code === "not-jobrunner") return [error.message, hintOfOther(error)].filter((line) => line !== null).join("\n");
  if (error.errors.length > 0)
    return [`${error.title.toLowerCase()}:`, ...error.errors.map(({ field, message }) => `  ${field} ${message}`)].join("\n");
  return error.message;
}

function whatOf({ id, cause }: JobGoesOn): string {
  if (cause instanceof ApiError && cause.code === "unknown-job") return `The job ${id} is not there any more.`;
  return `The job ${id} continues: 'jobrunner attach ${id}' shows it again, 'jobrunner kill ${id}' ends it.`;
}
