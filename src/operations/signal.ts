import type { JobState } from "../job/job.ts";
import { isFinal } from "../job/job.ts";
import type { SentSignal } from "../job/signals.ts";
import type { Signalled } from "../runner/executor.ts";
import { Refusal } from "./refusal.ts";

/** Why a signal was not sent, and what to do. `state` null: the job was removed meanwhile. */
export function signalRefusal(result: Exclude<Signalled, "sent">, signal: SentSignal, state: JobState | null): Refusal {
  switch (result) {
    case "no-step":
      return notRunning(state);
    case "old-supervisor":
      return new Refusal(
        "signal-not-possible",
        "the job was started by an earlier version of jobrunner, whose supervisor takes no signals: DELETE /ID stops it; jobs that start " +
          "now take signals",
      );
    case "busy":
      return new Refusal("signal-not-possible", "the job's supervisor has not read earlier requests: try again", {
        retryAfterSeconds: 1,
      });
    case "not-passed-on":
      return new Refusal(
        "signal-not-possible",
        `this container runs with its engine's own init, and the engine's client does not pass ${signal} on: send another signal, or ` +
          "stop the job by DELETE /ID",
      );
  }
}

function notRunning(state: JobState | null): Refusal {
  if (state === null || isFinal(state)) return new Refusal("not-running", `the job is finished${state === null ? "" : ` (${state})`}`);
  if (state === "Queued")
    return new Refusal("not-running", "the job is Queued: send the signal when it runs, or take the job back by DELETE /ID");
  const detail = `the job is ${state}, and none of its steps is running at this moment: try again`;
  return new Refusal("not-running", detail, { retryAfterSeconds: 1 });
}
