import { ApiError } from "../../src/client/index.ts";

/** An error in words for somebody who sees buttons. The service's own sentences name requests and variables. */
export function problemWords(error: unknown): string {
  if (error instanceof ApiError) {
    const words = wordsByCode[error.code];
    if (words !== undefined) return words;
  }
  return error instanceof Error ? error.message : String(error);
}

const wordsByCode: Record<string, string> = {
  "unknown-job": "This job is not there any more.",
  "not-finished": "The job is not finished. Kill it first.",
  "disk-full": "The disk of the service is almost full. Delete old jobs, or make room on it.",
};
