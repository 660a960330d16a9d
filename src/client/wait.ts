import type { Backoff } from "./backoff.ts";
import { ApiError, NotFinishedInTime } from "./errors.ts";
import { isFinished } from "./states.ts";
import type { WholeJob } from "./types.ts";

/** A proxy may cut long requests. A request is not made shorter than this, however early it was cut. */
const shortestWaitMs = 500;

export type Waiting = {
  /** One request, which the service answers when the job is finished or after `timeoutMs`. */
  ask: (timeoutMs: number) => Promise<WholeJob>;
  backoff: Backoff;
  /** No request waits for longer. */
  longestMs: number;
};

/** The finished job, after as many requests as needed. Throws NotFinishedInTime. */
export async function finishedJob({ ask, backoff, longestMs }: Waiting, timeoutSeconds: number): Promise<WholeJob> {
  const endMs = performance.now() + timeoutSeconds * 1000;
  // The first request is answered at once, and shows whether the job and the service exist.
  for (let limitMs = 0; ;) {
    const askedAtMs = performance.now();
    try {
      return await ask(Math.ceil(Math.max(0, Math.min(limitMs, endMs - askedAtMs))));
    } catch (error) {
      if (error instanceof ApiError && error.code === "not-finished-in-time") {
        backoff.calm();
        limitMs = limitMs === 0 ? longestMs : Math.min(longestMs, limitMs * 1.2);
      } else {
        // A proxy may have cut the request. It may let a shorter one through.
        limitMs = Math.min(limitMs, Math.max(shortestWaitMs, (performance.now() - askedAtMs) / 2));
        await backoff.after(error, endMs);
      }
      if (performance.now() >= endMs) throw new NotFinishedInTime(`the job is not finished after ${timeoutSeconds} s`, { cause: error });
    }
  }
}

export type Submitting = {
  /** One submission, which the service answers when the job is finished, or after `timeoutMs` with the job as it is. */
  submit: (timeoutMs: number) => Promise<WholeJob>;
  wait: (id: string, timeoutSeconds: number) => Promise<WholeJob>;
  get: (id: string) => Promise<WholeJob>;
  backoff: Backoff;
  /** No submission waits for longer. */
  longestMs: number;
};

/** The submitted job when it is finished, or as it is after `timeoutSeconds`. */
export async function jobAfterSubmission({ submit, wait, get, backoff, longestMs }: Submitting, timeoutSeconds: number): Promise<WholeJob> {
  const endMs = performance.now() + timeoutSeconds * 1000;
  const leftMs = (): number => Math.max(0, endMs - performance.now());
  let limitMs = longestMs;
  const job = await backoff.through(async () => {
    const timeoutMs = Math.ceil(Math.min(leftMs(), limitMs));
    limitMs = 0; // a proxy may have cut the first request: `wait` finds out how long it lets a request wait
    return await submit(timeoutMs);
  });
  if (isFinished(job.State) || leftMs() === 0) return job;
  try {
    return await wait(job.ID, leftMs() / 1000);
  } catch (error) {
    if (error instanceof NotFinishedInTime) return await get(job.ID);
    throw error;
  }
}
