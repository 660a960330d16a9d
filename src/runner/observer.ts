import type { JobView } from "../job/job.ts";

/** Hears of the events that are counted. */
export type Observer = {
  submitted: () => void;
  /** A job was given to a supervisor, so many milliseconds after it was accepted; null: the clock was set back meanwhile. */
  admitted: (waitedMs: number | null) => void;
  finished: (job: JobView) => void;
};
