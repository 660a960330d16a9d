import type { Step } from "../../src/client/index.ts";
import { stateWord } from "../service/format.ts";
import { stateClass } from "./state.tsx";

const mostParts = 40;

/** A job's steps as a small bar. If there are very many, neighbours share a part, which shows the worst or newest state among them. */
export function StepsBar({ steps }: { steps: Step[] }) {
  return (
    <span class="steps-bar" role="img" aria-label={wordsOf(steps)} title={wordsOf(steps)}>
      {partsOf(steps).map((state, index) => (
        <i key={index} class={stateClass(state)} />
      ))}
    </span>
  );
}

function wordsOf(steps: Step[]): string {
  const counts = new Map<Step["State"], number>();
  for (const { State } of steps) counts.set(State, (counts.get(State) ?? 0) + 1);
  return (
    `${steps.length === 1 ? "1 step" : `${steps.length} steps`}: ` +
    [...counts].map(([state, count]) => `${count} ${stateWord(state)}`).join(", ")
  );
}

const weights: Step["State"][] = ["Skipped", "Pending", "Succeeded", "Killed", "Lost", "TimedOut", "Failed", "Running"];

function partsOf(steps: Step[]): Step["State"][] {
  if (steps.length <= mostParts) return steps.map(({ State }) => State);
  return Array.from({ length: mostParts }, (_, part) => {
    const own = steps.slice(Math.floor((part * steps.length) / mostParts), Math.floor(((part + 1) * steps.length) / mostParts));
    return own.reduce<Step["State"]>((worst, { State }) => (weights.indexOf(State) > weights.indexOf(worst) ? State : worst), "Skipped");
  });
}
