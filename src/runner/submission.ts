import type { FieldProblem, JobSpec } from "../job/spec.ts";

export type Submission = {
  spec: JobSpec;
  submitter: Submitter;
  /** From the Idempotency-Key header. The fingerprint is that of the body. */
  idempotency: { key: string; fingerprint: string } | null;
};

/** Who submits a job. `owner` is the key of an identity that sees only its own jobs; null: an identity that sees all jobs. */
type Submitter = { name: string; owner: string | null };

export type SubmitResult =
  | { kind: "accepted"; id: string }
  | { kind: "conflict" } // the key was used with another body
  | { kind: "disk-full" }
  | { kind: "user-refused"; problem: string } // no job may run as that user
  | { kind: "too-large"; problem: FieldProblem } // the kernel would not accept a step's arguments and variables
  | { kind: "not-mergeable"; problem: FieldProblem } // this box's engine cannot keep the order of a container's output
  | { kind: "no-engine"; problem: string } // this box has no container engine
  | { kind: "silent-engine"; problem: string }; // the container engine does not run, or cannot be reached
