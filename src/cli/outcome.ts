import { constants } from "node:os";
import type { Job } from "../client/index.ts";
import { exitSentence } from "../job/exit-sentence.ts";
import { signalNumber } from "../job/signals.ts";
import { type Session, report } from "./session.ts";
import { visible } from "./table.ts";

/** The outcome of a finished job, as the exit status of a command and as a sentence. */

/** A failure of jobrunner itself, not of the job. Docker run uses the same. */
export const ownStatus = 125;
/** What shells report for a program that Ctrl-C ended. */
export const leftStatus = 128 + constants.signals.SIGINT;
/** What shells report for a program that ended because nobody read its output. */
export const readerGoneStatus = 128 + constants.signals.SIGPIPE;

/** Gives the exit status, and reports what it does not say. */
export function conclude(session: Session, job: Job): number {
  const remark = remarkOf(job);
  if (remark !== null) report(session, remark);
  return exitStatusOf(job);
}

/**
 * The job's exit code, or 128 plus the number of the signal that ended it; for a command that could not be executed 127 or 126, as in
 * shells. 125 if none of them is known, or if the job failed with exit code 0.
 */
export function exitStatusOf({ State, Reason, ExitCode, Signal, Steps }: Job): number {
  if (State === "Succeeded") return 0;
  if (Reason === "CouldNotStart") return startStatusOf(Steps);
  if (ExitCode !== null && ExitCode !== 0) return ExitCode;
  const number = Signal === null ? null : signalNumber(Signal);
  return number === null ? ownStatus : 128 + number;
}

function startStatusOf(steps: Job["Steps"]): number {
  const error = steps.find((step) => step.Reason === "CouldNotStart")?.StartError ?? null; // an older service does not say
  return error === null ? ownStatus : startStatuses[error];
}

const startStatuses = { NotFound: 127, NotExecutable: 126 };

/** Null: the exit status says everything. */
function remarkOf({ State, Reason, ExitCode, Message, Steps, OutputLostBytes }: Job): string | null {
  const isPlain =
    (State === "Succeeded" && Message === null) ||
    (Reason === "ExitCode" && Steps.length === 1 && Message?.endsWith(exitSentence(ExitCode)) === true);
  const outcome = isPlain ? null : `the job is ${State}${Message === null ? "" : `: ${visible(Message)}`}`;
  const lost = OutputLostBytes === 0 ? null : `${OutputLostBytes ?? "an unknown number of"} bytes of its output could not be kept`;
  const remarks = [outcome, lost].filter((remark) => remark !== null);
  return remarks.length === 0 ? null : remarks.join("; ");
}
