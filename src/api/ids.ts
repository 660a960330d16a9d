import type { JobRunner } from "../runner/job-runner.ts";
import { Problem } from "./problems.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether it may be the ID of a job. Nothing else is ever made part of a path. */
export function isJobId(id: string): boolean {
  return uuid.test(id);
}

/** The ID of a job that exists; throws the Problem otherwise. */
export function knownId(runner: JobRunner, params: unknown): string {
  const id = idOf(params);
  if (!isJobId(id) || runner.find(id) === null) throw unknownJob();
  return id;
}

export function idOf(params: unknown): string {
  return typeof params === "object" && params !== null && "id" in params && typeof params.id === "string" ? params.id : "";
}

export function unknownJob(): Problem {
  return new Problem("unknown-job", "no job has this ID: GET /jobs lists them");
}
