import { strict as assert } from "node:assert";
import type { JobSpec, WholeJob } from "../../src/client/index.ts";
import { assertProblem } from "./problems.ts";
import type { Service } from "./service.ts";

/** Jobs with something in them that is larger than may be. */

type Refusal = { field: string; message: string };

/** What the service says of such a job. */
export async function refused(service: Service, spec: JobSpec): Promise<Refusal> {
  const answer = await service.call("POST", "/", { body: JSON.stringify(spec) });
  assertProblem(answer, 400);
  const { errors }: { errors?: Refusal[] } = JSON.parse(answer.text);
  assert.ok(errors?.[0] !== undefined, answer.text);
  return errors[0];
}

/**
 * Finds the longest text with which the job is not too large together, and runs that job; with one byte more it is refused by the field, as
 * it is with much more.
 */
export async function runLargest(
  service: Service,
  field: string,
  specOf: (text: string) => JobSpec,
): Promise<{ job: WholeJob; output: string }> {
  const tooLong = "x".repeat(131_000);
  const problem = await refused(service, specOf(tooLong));
  assert.equal(problem.field, field);
  const [, most, taken] = /may take (\d+) bytes together on this box, and these take (\d+) \(including/.exec(problem.message) ?? [];
  const fitting = tooLong.slice(Number(taken) - Number(most));
  assert.ok(fitting !== "", problem.message);
  assert.equal((await refused(service, specOf(`${fitting}x`))).field, field);
  const { job, output } = await service.run(specOf(fitting));
  return { job, output: output.toString() };
}
