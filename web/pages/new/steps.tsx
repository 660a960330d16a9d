import { emptyStep, type StepFields } from "./fields.ts";
import { StepCard } from "./step-card.tsx";

/** The steps of a sequence, in their order. */
export function Steps({ steps, onSteps }: { steps: StepFields[]; onSteps: (steps: StepFields[]) => void }) {
  const move = (index: number, by: -1 | 1): void => {
    const own = steps[index];
    if (own !== undefined) onSteps(steps.toSpliced(index, 1).toSpliced(index + by, 0, own));
  };
  return (
    <>
      {steps.map((step, index) => (
        <StepCard
          key={index}
          index={index}
          count={steps.length}
          step={step}
          onStep={(changed) => onSteps(steps.with(index, changed))}
          onMove={(by) => move(index, by)}
          onCopy={() => onSteps(steps.toSpliced(index + 1, 0, step))}
          onRemove={() => onSteps(steps.toSpliced(index, 1))}
        />
      ))}
      <div>
        <button type="button" onClick={() => onSteps([...steps, emptyStep])}>
          Add step
        </button>
      </div>
    </>
  );
}
