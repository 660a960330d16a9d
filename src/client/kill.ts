import type { Backoff } from "./backoff.ts";
import { ApiError, Silence, Unreachable } from "./errors.ts";
import type { WholeJob } from "./types.ts";

export type Killing = {
  /** One request, which the service answers when none of the job's processes is left. */
  ask: () => Promise<unknown>;
  get: () => Promise<WholeJob>;
  /** Waits for the end of the job. */
  wait: () => Promise<unknown>;
  backoff: Backoff;
};

/** Resolves when none of the job's processes is left, after as many requests as needed. */
export async function killedJob({ ask, get, wait, backoff }: Killing, isForced: boolean): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      const isLong = error instanceof Unreachable && error.cause instanceof Silence; // a grace period may be longer
      if (!isLong) await backoff.after(error);
    }
    // A second request would end the steps that clean up. So if the first one has arrived, only wait for the end.
    if ((await isEnding(get)) && !isForced) return void (await wait());
  }
}

/** Whether the kill has arrived, or the job ended without it. */
async function isEnding(get: () => Promise<WholeJob>): Promise<boolean> {
  try {
    const { State } = await get();
    return State !== "Queued" && State !== "Starting" && State !== "Running";
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false; // the kill itself reports it
    throw error;
  }
}
