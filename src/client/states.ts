import type { components } from "./openapi.ts";

type JobState = components["schemas"]["JobState"];

/** Every state of the API with whether a job in it is finished. A state that is missing here does not compile. */
const finality: Record<JobState, boolean> = {
  Queued: false,
  Starting: false,
  Running: false,
  Stopping: false,
  Succeeded: true,
  Failed: true,
  Killed: true,
  TimedOut: true,
  Lost: true,
};

/** In the order in which a job can pass through them. */
export const jobStates: readonly JobState[] = Object.keys(finality).filter(isState);
export const activeStates: readonly JobState[] = jobStates.filter((state) => !finality[state]);

export function isFinished(state: JobState): boolean {
  return finality[state];
}

/** The state of this name, in upper or lower case; null: there is none. */
export function stateNamed(word: string): JobState | null {
  return jobStates.find((state) => state.toLowerCase() === word.toLowerCase()) ?? null;
}

function isState(text: string): text is JobState {
  return Object.hasOwn(finality, text);
}
