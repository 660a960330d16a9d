import { constants } from "node:os";
import type { Job } from "../client/index.ts";
import { exitSentence } from "../job/exit-sentence.ts";
import { signalNumber } from "../job/signals.ts";
import { type Session, report } from "./session.ts";
import { visible } from "./table.ts";

/** How a job that is finished ended, as the exit status of a command and as a sentence. */

/** Of jobrunner itself, as docker run has it: not a status of the job's. */
export const ownStatus = 125;
/** Of a program that Ctrl-C ended, as shells say it. */
export const leftStatus = 128 + constants.signals.SIGINT;
/** Of a program whose output nobody reads any more. */
export const readerGoneStatus = 128 + constants.signals.SIGPIPE;

/** Tells what the exit status does not say, and gives that. */
export function conclude(session: Session, job: Job): number {
  const remark = remarkOf(job);
  if (remark !== null) report(session, remark);
  return exitStatusOf(job);
}

/**
 * The job's exit code; 128 and the number of the signal that ended it; 125 where neither is known, or tells of a success that it was not.
 */
export function exitStatusOf({ State, ExitCode, Signal }: Job): number {
  if (State === "Succeeded") return 0;
  if (ExitCode !== null && ExitCode !== 0) return ExitCode;
  const number = Signal === null ? null : signalNumber(Signal);
  return number === null ? ownStatus : 128 + number;
}

/** Null: the exit status says all. */
function remarkOf({ State, Reason, ExitCode, Message, Steps, OutputLostBytes }: Job): string | null {
  const isPlain =
    (State === "Succeeded" && Message === null) ||
    (Reason === "ExitCode" && Steps.length === 1 && Message?.endsWith(exitSentence(ExitCode)) === true);
  const outcome = isPlain ? null : `the job is ${State}${Message === null ? "" : `: ${visible(Message)}`}`;
  const lost = OutputLostBytes === 0 ? null : `${OutputLostBytes ?? "an unknown number of"} bytes of its output could not be kept`;
  const remarks = [outcome, lost].filter((remark) => remark !== null);
  return remarks.length === 0 ? null : remarks.join("; ");
}
