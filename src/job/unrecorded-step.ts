import type { JobFacts, StepFacts } from "./facts.ts";
import type { Command } from "./spec.ts";

type StepRules = Pick<Command, "IgnoreError" | "RunOn">;

/**
 * The number of the step that a supervisor may have started without recording the start, because it was killed in between: the one that was
 * to run next. Null: there is none. The rules are those of find_next in supervisor/steps.c.
 */
export function unrecordedStep(plan: StepRules[], facts: JobFacts): number | null {
  const last = Math.max(0, ...facts.steps.keys());
  if (facts.stops.some(({ cause }) => cause === "kill") || !isOver(facts.steps.get(last))) return null;
  const hasFailed = plan.some(({ IgnoreError }, index) => IgnoreError !== true && failed(facts.steps.get(index + 1)));
  const found = plan.findIndex(({ RunOn = "success" }, index) => {
    if (index < last) return false;
    return RunOn === "always" || (facts.stops.length === 0 && RunOn === (hasFailed ? "failure" : "success"));
  });
  return found < 0 ? null : found + 1;
}

function isOver(step: StepFacts | undefined): boolean {
  return step === undefined || step.ended !== null || step.failed !== null;
}

function failed(step: StepFacts | undefined): boolean {
  if (step === undefined) return false;
  return step.failed !== null || step.expired !== null || (step.ended !== null && step.ended.waitStatus !== 0);
}
