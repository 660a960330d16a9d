import { strict as assert } from "node:assert";
import type { JobSpec, WholeJob } from "../../src/client/index.ts";
import { assertProblem } from "./problems.ts";
import type { Service } from "./service.ts";

/** Jobs in which something is larger than allowed. */

type Refusal = { field: string; message: string };

/** The service's answer to such a job. */
export async function refused(service: Service, spec: JobSpec): Promise<Refusal> {
  const answer = await service.call("POST", "/", { body: JSON.stringify(spec) });
  assertProblem(answer, 400);
  const { errors }: { errors?: Refusal[] } = JSON.parse(answer.text);
  assert.ok(errors?.[0] !== undefined, answer.text);
  return errors[0];
}

/**
 * Finds the longest text with which the whole job is not too large, and runs that job. With one byte more, and with many more, the job is
 * refused and the error names the field.
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
