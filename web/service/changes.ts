import type { Job } from "../../src/client/index.ts";

/** A change of a job, or a note that changes may have been missed and everything shown must be requested again. */
export type Listener = { onJob: (job: Job) => void; onGap: () => void };

export type Changes = {
  /** Returns the function that unsubscribes. */
  subscribe: (listener: Listener) => () => void;
};
