import type { Job } from "../../src/client/index.ts";

/** What is told: a change of a job, or that changes may have been missed, so that what is shown must be asked for again. */
export type Listener = { onJob: (job: Job) => void; onGap: () => void };

export type Changes = {
  /** Gives what unsubscribes. */
  subscribe: (listener: Listener) => () => void;
};
