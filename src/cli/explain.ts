import { AmbiguousPrefix, ApiError, NoSuchJob, Unreachable } from "../client/errors.ts";
import { JobGoesOn } from "./job-goes-on.ts";

/** An error as what a person should read, and do. */
export function explain(error: unknown): string {
  if (error instanceof JobGoesOn) return `${explain(error.cause)}\n${whatOf(error)}`;
  if (error instanceof Unreachable) return `${error.message}\n${hintOf(codeOf(error))}`;
  if (error instanceof AmbiguousPrefix) return [`${error.message}: give more of it`, ...error.ids.map((id) => `  ${id}`)].join("\n");
  if (error instanceof NoSuchJob) return `${error.message}: 'jobrunner ps -a' lists those that there are`;
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401) return `${error.message}\nThe variable JOBRUNNER_TOKEN gives it to this command, or --token-file.`;
  if ([502, 503, 504].includes(error.status) && error.code === "not-jobrunner") return `${error.message}\nA proxy is there that does not reach the service: is it running?`;
  if (error.errors.length > 0) return [`${error.title.toLowerCase()}:`, ...error.errors.map(({ field, message }) => `  ${field} ${message}`)].join("\n");
  return error.message;
}

function whatOf({ id, cause }: JobGoesOn): string {
  if (cause instanceof ApiError && cause.code === "unknown-job") return `The job ${id} is not there any more.`;
  return `The job ${id} goes on: 'jobrunner attach ${id}' comes back to it, 'jobrunner kill ${id}' ends it.`;
}

function hintOf(code: string): string {
  if (untrusted.has(code)) return "The authority of its certificate is to be named: --cacert, or the variable JOBRUNNER_CACERT.";
  return "Start one with 'jobrunner', or say where it is: --url, or the variable JOBRUNNER_URL.";
}

/** What OpenSSL says of certificates whose authority is not among the known ones (X509_STORE_CTX_get_error(3), as Node.js names it). */
const untrusted = new Set(["SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"]);

/** Of the innermost cause. */
function codeOf(error: Error): string {
  if (error.cause instanceof Error) return codeOf(error.cause);
  return "code" in error ? String(error.code) : "";
}
