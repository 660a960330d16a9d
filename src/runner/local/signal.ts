import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JobFacts } from "../../job/facts.ts";
import { type SentSignal, signalNumber } from "../../job/signals.ts";
import type { ActiveJob } from "../active-job.ts";
import { streamsName } from "../containers/own-init.ts";
import type { Signalled } from "../executor.ts";
import { sendControl } from "./control.ts";

/** An engine's client keeps these for itself, or they cannot be caught, so that they would stop the client and not the container. */
const clientsOwn: ReadonlySet<SentSignal> = new Set<SentSignal>(["SIGQUIT", "SIGABRT", "SIGSTOP", "SIGTSTP", "SIGCONT"]);

/** Sends a signal to the running step by the job's supervisor. What the job has reported is read before. */
export function sendSignal(job: ActiveJob, signal: SentSignal): Signalled {
  const { facts } = job;
  const step = facts === null || facts.end !== null ? null : runningStep(facts);
  if (facts === null || step === null) return "no-step";
  if (!facts.takesSignals) return "old-supervisor";
  if (clientsOwn.has(signal) && isByClient(job, step)) return "not-passed-on";
  switch (sendControl(job.directory, `signal ${signalNumber(signal)}`)) {
    case "alive":
      return "sent";
    case "full":
      return "busy";
    case "dead":
    case "unclaimed":
      return "no-step";
  }
}

function runningStep({ steps }: JobFacts): number | null {
  for (const [number, { started, ended, failed }] of steps) if (started !== null && ended === null && failed === null) return number;
  return null;
}

/** A container without its own streams (supervisor/streams.h). Their folder stays until the end of the step. */
function isByClient(job: ActiveJob, step: number): boolean {
  return job.containerSteps.includes(step) && !existsSync(join(job.directory, streamsName(step)));
}
