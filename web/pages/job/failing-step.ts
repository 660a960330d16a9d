import type { Step, WholeJob } from "../../../src/client/index.ts";

const failures: readonly Step["State"][] = ["Failed", "TimedOut", "Killed", "Lost"];

/** The step that decided that the job did not succeed; null: there is none, or it never ran. */
export function failingStep({ State, Steps, Spec }: WholeJob): Step | null {
  if (!failures.some((failure) => failure === State)) return null;
  const isDeciding = (step: Step): boolean => failures.includes(step.State) && Spec.Commands?.[step.Number - 1]?.IgnoreError !== true;
  const step = Steps.find(isDeciding) ?? null;
  return step?.StartedAt === null ? null : step;
}
