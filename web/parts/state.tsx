import type { Job, Step } from "../../src/client/index.ts";
import { stateWord } from "../service/format.ts";

type State = Job["State"] | Step["State"];

/** A state as a word with a symbol. */
export function StateMark({ state, isShort = false }: { state: State; isShort?: boolean }) {
  return (
    <span class={`state ${stateClass(state)}`}>
      <svg
        class={state === "Running" || state === "Starting" || state === "Stopping" ? "spin" : ""}
        width="14"
        height="14"
        viewBox="0 0 16 16"
        aria-hidden="true"
      >
        <path d={marks[state]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
      </svg>
      <span class={isShort ? "unseen" : ""}>{stateWord(state)}</span>
    </span>
  );
}

export function stateClass(state: State): string {
  return `is-${state.toLowerCase()}`;
}

const circle = "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13";
const arc = "M8 1.5a6.5 6.5 0 0 1 6.5 6.5M8 14.5A6.5 6.5 0 0 1 1.5 8";

const marks: Record<State, string> = {
  Queued: `${circle}M8 4.5V8l2.2 1.6`,
  Pending: circle,
  Skipped: `${circle}M5 8h6`,
  Starting: arc,
  Running: arc,
  Stopping: arc,
  Succeeded: "M2.5 8.5l3.7 3.7L13.5 4.5",
  Failed: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  Killed: `${circle}M5.5 5.5h5v5h-5z`,
  TimedOut: `${circle}M8 4.5V8h3.5`,
  Lost: "M5.4 6a2.7 2.7 0 1 1 3.9 2.4c-.9.5-1.3 1-1.3 1.9M8 13.4v.1",
};
