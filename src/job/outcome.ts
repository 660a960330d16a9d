import { type ClientEnd, containerVerdict, mayHaveLostOutput, stoppedExitCode } from "./container.ts";
import { exitSentence } from "./exit-sentence.ts";
import { type CutCause, formatTime, type JobFacts, type StepFacts, type StopCause, type WaitedProcess } from "./facts.ts";
import { type FinalState, isFinal, type JobState, type Reason, type StepState, type StepView, type WaitsFor } from "./job.ts";
import { signalName } from "./signals.ts";
import type { Command } from "./spec.ts";
import { explainErrno } from "./shortage.ts";
import { explainStartFailure, startErrorInContainer, startErrorOf } from "./start-failure.ts";
import { unrecordedStep } from "./unrecorded-step.ts";

/** The fields of a step's command that its outcome depends on. The rest of a spec stays on disk. */
export type StepPlan = Pick<Command, "Name" | "IgnoreError" | "RunOn" | "Image">;

/** Why a job without a final record will never get one. */
export type LostReason = "SupervisorLost" | "Reboot";

export type Progress = {
  State: JobState;
  Reason: Reason | null;
  ExitCode: number | null;
  Signal: string | null;
  Message: string | null;
  WaitsFor: WaitsFor | null;
  StartedAt: string | null;
  EndedAt: string | null;
  Steps: StepView[];
};

type FailedStart = NonNullable<StepFacts["failed"]>;
type Ending = Pick<StepView, "Reason" | "ExitCode" | "Signal" | "Message">;
type Verdict = Ending & { State: StepState };

const nothing = { Reason: null, ExitCode: null, Signal: null, Message: null } as const;

/**
 * Computes states, reasons and codes from the recorded facts. They are decided only here. The first reason wins. Exit code and signal are
 * as the kernel reported them, or null.
 */
export function progressOf(plan: StepPlan[], facts: JobFacts, lost: LostReason | null = null): Progress {
  const isDone = facts.end?.kind === "done";
  const isFinished = isDone || lost !== null;
  const maybeStarted = lost !== null && !isDone ? unrecordedStep(plan, facts) : null;
  const views = plan.map((step, index) => viewStep({ step, number: index + 1, facts, isFinished, lost, maybeStarted }));
  const starts = [...facts.steps.values()].flatMap((step) => (step.started === null ? [] : [step.started.timeNs]));
  const endedNs = isDone || lost === "SupervisorLost" ? (facts.end?.timeNs ?? null) : null;
  return {
    ...(lost !== null && !isDone ? lostVerdict(lost) : judge(plan, views, facts)),
    WaitsFor: isFinished || facts.waitsFor === null ? null : shownProcess(facts.waitsFor),
    StartedAt: starts[0] === undefined ? null : formatTime(starts[0]),
    EndedAt: endedNs === null ? null : formatTime(endedNs),
    Steps: views,
  };
}

/** The steps of a job that never started. */
export function unstartedSteps(plan: StepPlan[], state: "Pending" | "Skipped" | "Lost"): StepView[] {
  return plan.map((step, index) => ({ ...emptyStep(step, index + 1), State: state }));
}

function judge(plan: StepPlan[], views: StepView[], facts: JobFacts): Ending & { State: JobState } {
  if (facts.end?.kind !== "done") {
    const state = facts.stops.length > 0 ? "Stopping" : [...facts.steps.values()].length > 0 ? "Running" : "Starting";
    return { State: state, ...nothing, Message: facts.waitsFor === null ? null : waitingSentence(facts.waitsFor) };
  }
  const whole = facts.steps.get(0)?.failed;
  if (whole) return { ...failedToStart(whole), State: "Failed", Message: `the job could not start: ${explainStartFailure(whole, null)}` };
  const stop = facts.stops[0];
  if (stop !== undefined && interrupted(plan, facts, stop.position)) {
    const cut = views.find((_, index) => cutBy(stepOf(facts, index + 1), stop.position));
    const verdict = stopped(stop.cause);
    return { ...verdict, ExitCode: cut?.ExitCode ?? null, Signal: cut?.Signal ?? null };
  }
  const deciding = views.find((view, index) => plan[index]?.IgnoreError !== true && isFailure(view.State));
  if (deciding === undefined) return { State: "Succeeded", ...nothing, ...remarkOf(views), ExitCode: 0 };
  const state = isFailure(deciding.State) ? deciding.State : "Failed";
  const { Reason, ExitCode, Signal } = deciding;
  return { State: state, Reason, ExitCode, Signal, Message: sentenceOf(deciding) };
}

function shownProcess({ pid, program, user, errno }: WaitedProcess): WaitsFor {
  return { PID: pid, Program: program, User: user, Cause: errno === 0 ? "DoesNotEnd" : "NotPermitted" };
}

function waitingSentence({ pid, program, user, errno, state }: WaitedProcess): string {
  const why = errno === 0 ? `which has not ended since it was sent SIGKILL (state ${state})` : "to which jobrunner may not send SIGKILL";
  return `waits for process ${pid} (${program}) of ${user}, ${why}: the job goes on when that process ends`;
}

/** A remark on a success: a container ran out of memory, but its first process went on; or output may be missing. */
function remarkOf(views: StepView[]): Pick<Ending, "Reason" | "Message"> {
  const remarkable = views.filter(({ State, Message }) => State === "Succeeded" && Message !== null);
  const view = remarkable.find(({ Reason }) => Reason !== null) ?? remarkable[0];
  return view === undefined ? { Reason: null, Message: null } : { Reason: view.Reason, Message: sentenceOf(view) };
}

function sentenceOf(view: StepView): string {
  return `step ${view.Number}${titled(view.Name)} ${view.Message ?? ""}`.trim();
}

/**
 * Whether an unknown amount of output was lost: a stream could not be read to its end, or a container may have written after its engine's
 * client had ended.
 */
export function isOutputUnknown(facts: JobFacts): boolean {
  if ([...facts.steps.values()].some(({ unread }) => unread.length > 0)) return true;
  return [...facts.containers].some(([number, container]) => {
    const ended = facts.steps.get(number)?.ended;
    return ended !== null && ended !== undefined && mayHaveLostOutput(decodeWaitStatus(ended.waitStatus), container);
  });
}

type StepAt = {
  step: StepPlan;
  number: number;
  facts: JobFacts;
  isFinished: boolean;
  lost: LostReason | null;
  maybeStarted: number | null; // the step whose start may not have been recorded
};

function viewStep(at: StepAt): StepView {
  const facts = stepOf(at.facts, at.number);
  const empty = emptyStep(at.step, at.number);
  if (facts === null && at.lost !== null && at.number === at.maybeStarted) return { ...empty, ...unrecordedVerdict(at.lost) };
  if (facts === null) return { ...empty, State: at.isFinished ? "Skipped" : "Pending" };
  const startedAt = facts.started === null ? null : formatTime(facts.started.timeNs);
  if (facts.failed !== null) {
    const failedAt = formatTime(facts.failed.timeNs);
    const StartError = startErrorOf(facts.failed);
    return { ...empty, ...failedToStart(facts.failed), StartError, StartedAt: failedAt, EndedAt: failedAt, OutputBytes: 0 };
  }
  if (facts.ended === null) {
    const verdict = at.lost === null ? { State: "Running" as const, ...nothing } : lostVerdict(at.lost);
    return { ...empty, ...withLosses(verdict, facts), StartedAt: startedAt };
  }
  const { userMicroseconds, systemMicroseconds, peakRssKiB, outputBytes, timeNs } = facts.ended;
  const verdict = endVerdict(at.step, facts, at);
  return {
    ...empty,
    ...withLosses(verdict, facts),
    StartError: verdict.Reason === "CouldNotStart" ? startErrorInContainer(endOf(facts).exitCode, refusalOf(at)) : null,
    StartedAt: startedAt,
    EndedAt: formatTime(timeNs),
    ...(at.step.Image === undefined
      ? { CPUSeconds: (userMicroseconds + systemMicroseconds) / 1e6, PeakMemoryBytes: peakRssKiB * 1024 }
      : {}),
    OutputBytes: outputBytes,
  };
}

function endOf({ ended }: StepFacts): ClientEnd {
  return decodeWaitStatus(ended?.waitStatus ?? 0);
}

function refusalOf({ facts, number }: StepAt): string | null {
  return facts.containers.get(number)?.refusal ?? null;
}

function endVerdict(plan: StepPlan, step: StepFacts, { facts, number }: { facts: JobFacts; number: number }): Verdict {
  const end = endOf(step);
  const { exitCode, signal } = end;
  const container = facts.containers.get(number) ?? null;
  const codes =
    plan.Image === undefined ? { ExitCode: exitCode, Signal: signal } : { ExitCode: stoppedExitCode(end, container), Signal: null };
  const stop = facts.stops.find(({ position }) => cutBy(step, position));
  if (step.expired !== null && (stop === undefined || step.expired.position < stop.position)) {
    return { State: "TimedOut", Reason: "Timeout", ...codes, Message: "ran longer than its TimeoutSeconds and was stopped" };
  }
  if (stop !== undefined) return { ...stopped(stop.cause), ...codes };
  if (plan.Image !== undefined)
    return containerVerdict(end, container ?? { kind: "unknown", hasRun: false, clientSaid: null, refusal: null });
  if (signal !== null) return { State: "Failed", Reason: "Signal", ...codes, Message: `was ended by ${signal}` };
  if (exitCode === 0) return { State: "Succeeded", Reason: null, ...codes, Message: null };
  return { State: "Failed", Reason: "ExitCode", ...codes, Message: exitSentence(exitCode) };
}

/** Adds to the message why output of the step is missing. */
function withLosses(verdict: Verdict, { unread, cut }: StepFacts): Verdict {
  const losses = unread.map(
    ({ stream, errno }) => `lost the rest of its ${streamNames[stream]}, which could not be read: ${explainErrno(errno)}`,
  );
  if (cut !== null) losses.unshift(cutSentence(cut));
  const parts = verdict.Message === null ? losses : [verdict.Message, ...losses];
  return losses.length === 0 ? verdict : { ...verdict, Message: parts.join(", and ") };
}

const streamNames = { stdout: "standard output", stderr: "standard error" };

function cutSentence(cause: CutCause): string {
  const when = {
    drain: "after DrainTimeoutSeconds",
    timeout: "when the job's TimeoutSeconds had passed",
    terminate: "when the job was killed",
    kill: "when the job was killed",
  }[cause];
  return `left processes behind that were still at work ${when} and were ended: the last of its output may be missing`;
}

function stopped(cause: StopCause): Ending & { State: FinalState } {
  switch (cause) {
    case "terminate":
    case "kill":
      return { State: "Killed", ...nothing, Reason: "Requested", Message: "killed on request" };
    case "timeout":
      return { State: "TimedOut", ...nothing, Reason: "Timeout", Message: "the job ran longer than its TimeoutSeconds and was stopped" };
    case "idle":
      return { State: "TimedOut", ...nothing, Reason: "IdleTimeout", Message: "no output for IdleTimeoutSeconds, stopped" };
  }
}

function unrecordedVerdict(lost: LostReason): Verdict {
  const why = lost === "Reboot" ? "the box was restarted" : "the job's supervisor was killed";
  return { State: "Lost", ...nothing, Reason: lost, Message: `has no recorded start, because ${why}; whether it ran is unknown` };
}

function lostVerdict(lost: LostReason): Ending & { State: FinalState } {
  const why = lost === "Reboot" ? "the box was restarted" : "its supervisor was killed";
  return { State: "Lost", ...nothing, Reason: lost, Message: `${why} before the end was recorded; how it ended is unknown` };
}

function failedToStart(failed: FailedStart): Ending & { State: FinalState } {
  return {
    State: "Failed",
    ...nothing,
    Reason: "CouldNotStart",
    Message: `could not start: ${explainStartFailure(failed, failed.attempt)}`,
  };
}

/** See waitpid(2): the low seven bits are the signal, or 0 for an exit; the second byte is the exit code. */
export function decodeWaitStatus(status: number): ClientEnd {
  const number = status & 0x7f;
  if (number === 0) return { exitCode: (status >> 8) & 0xff, signal: null };
  return { exitCode: null, signal: signalName(number) };
}

function interrupted(plan: StepPlan[], facts: JobFacts, position: number): boolean {
  return plan.some((_, index) => {
    const step = stepOf(facts, index + 1);
    return step === null || cutBy(step, position) || (step.started !== null && step.started.position > position);
  });
}

function cutBy(step: StepFacts | null, position: number): boolean {
  if (step === null || step.started === null || step.started.position > position) return false;
  return step.ended === null || step.ended.position > position;
}

function stepOf(facts: JobFacts, number: number): StepFacts | null {
  return facts.steps.get(number) ?? null;
}

function emptyStep(step: StepPlan, number: number): StepView {
  const unknown = { StartError: null, StartedAt: null, EndedAt: null, CPUSeconds: null, PeakMemoryBytes: null, OutputBytes: null };
  return { Number: number, Name: step.Name ?? null, State: "Pending", ...nothing, ...unknown };
}

function isFailure(state: StepState): state is FinalState {
  return state !== "Succeeded" && state !== "Skipped" && state !== "Pending" && state !== "Running" && isFinal(state);
}

function titled(name: string | null): string {
  return name === null ? "" : ` (${name})`;
}
