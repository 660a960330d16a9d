import type { FinalState, Reason } from "./job.ts";
import { exitSentence } from "./exit-sentence.ts";

/** The state of a container, as the engine reports it. */
export type ContainerState =
  | { kind: "exited"; exitCode: number; isOutOfMemory: boolean } // of any process in the container
  | { kind: "running" }
  | { kind: "never-started" };

/** The engine's report on a step's container after its client has ended. A container that still ran then has been ended since. */
export type ContainerFacts = (
  | ContainerState
  // Never created, or removed before the engine could say anything of it. isImageThere: also pulled, if the step asks for that.
  | { kind: "none"; isImageThere: boolean }
  | { kind: "unknown" } // the engine did not answer
) & {
  hasRun: boolean; // its command wrote output. False proves nothing: many commands write none
  clientSaid: string | null; // its last words on standard error, if it failed
  refusal: string | null; // why the container's init did not execute the command; null: it did, or the reason is unknown
};

/** The end of the step's first process, the engine's client. */
export type ClientEnd = { exitCode: number | null; signal: string | null };

export type ContainerVerdict = { State: FinalState; Reason: Reason | null; ExitCode: number | null; Signal: null; Message: string | null };

/** See docker-run(1) and podman-run(1). The command itself may exit with this code, too; then its container has run. */
const engineFailed = 125;
/** Docker: the command cannot be executed (never reported with an init). Podman: also any other failure of its runtime. */
const runtimeFailed = [126, 127];
/** The exit codes of an init that cannot execute the command. */
const refused = [1, ...runtimeFailed];

/**
 * The state of a container whose output is known. An engine that was killed just after it started a container does not know of the start,
 * but output proves it. Then nothing is known of the end: the state is the same as if the engine had been asked too early.
 */
export function provenState(reported: ContainerState, hasRun: boolean): ContainerState {
  return reported.kind === "never-started" && hasRun ? { kind: "running" } : reported;
}

/** How a container that nobody stopped ended. Without an answer of the engine, only the client's end is known. */
export function containerVerdict(client: ClientEnd, facts: ContainerFacts): ContainerVerdict {
  if (client.exitCode === null) return engineError(`lost its container: the engine's client was ended by ${client.signal}`);
  switch (facts.kind) {
    case "exited":
      return client.exitCode === facts.exitCode ? exited(facts) : lost(facts);
    case "running": // the engine was asked a moment too early, or the client left the container
      return runningEnd(client.exitCode, facts);
    case "never-started":
      return engineError(saying("could not start its container", facts)); // for any code, because the init executes the command
    case "none":
      return noContainer(client.exitCode, facts);
    case "unknown":
      return unknownEnd(client.exitCode, facts);
  }
}

/** The exit code of a stopped container; null: unknown. */
export function stoppedExitCode(client: ClientEnd, facts: ContainerFacts | null): number | null {
  if (facts?.kind === "exited") return facts.exitCode;
  if (facts?.kind === "never-started" || facts?.kind === "none" || client.exitCode === engineFailed) return null;
  // Podman's client exits with 0 when its container is gone. A container that was removed while it ran did not exit with 0.
  if (facts?.kind === "running" && client.exitCode === 0) return null;
  return client.exitCode;
}

/** Whether the container may have written output after its client had ended. */
export function mayHaveLostOutput(client: ClientEnd, facts: ContainerFacts): boolean {
  if (facts.kind === "never-started" || (facts.kind === "none" && !facts.hasRun)) return false;
  const isOwnCode = facts.kind === "exited" && facts.exitCode === client.exitCode;
  return client.exitCode === null || (client.exitCode === engineFailed && !isOwnCode);
}

function exited({ exitCode, isOutOfMemory, refusal }: ContainerFacts & { kind: "exited" }): ContainerVerdict {
  if (refusal !== null && refused.includes(exitCode)) {
    return {
      State: "Failed",
      Reason: "CouldNotStart",
      ExitCode: null,
      Signal: null,
      Message: `could not start in its container: ${refusal}`,
    };
  }
  if (!isOutOfMemory) return exitedWith(exitCode);
  const Message = `${exitSentence(exitCode)} after a process in its container was killed because the memory was used up`;
  return { State: exitCode === 0 ? "Succeeded" : "Failed", Reason: "OutOfMemory", ExitCode: exitCode, Signal: null, Message };
}

function exitedWith(exitCode: number): ContainerVerdict {
  if (exitCode === 0) return { State: "Succeeded", Reason: null, ExitCode: 0, Signal: null, Message: null };
  return { State: "Failed", Reason: "ExitCode", ExitCode: exitCode, Signal: null, Message: exitSentence(exitCode) };
}

/** The engine was stopped or restarted while the container ran, so the exit that it reports may be its own doing. */
function lost(facts: ContainerFacts): ContainerVerdict {
  return engineError(saying("lost its container, which the engine left alone; it was removed", facts));
}

function noContainer(exitCode: number, facts: ContainerFacts & { kind: "none" }): ContainerVerdict {
  // Podman's client exits with 0 when it is signalled while it pulls: then there is no container, and nothing has run.
  if (exitCode === 0) return engineError("had no container, or another program removed it before the engine could say how it ended");
  if (exitCode !== engineFailed) return exitedWith(exitCode);
  if (facts.hasRun) return lost(facts);
  if (facts.isImageThere) return engineError(saying("could not create its container", facts));
  return { State: "Failed", Reason: "ImagePull", ExitCode: null, Signal: null, Message: saying("could not pull its image", facts) };
}

/** Podman reports a container that its runtime could not start as if it ran. Then the client has an error to tell. */
function runningEnd(exitCode: number, facts: ContainerFacts & { kind: "running" }): ContainerVerdict {
  if (exitCode === engineFailed) return lost(facts);
  if (runtimeFailed.includes(exitCode) && !facts.hasRun && facts.clientSaid !== null)
    return engineError(saying("could not be started by the engine", facts));
  return exitedWith(exitCode);
}

/** The engine's own codes may also be the command's, if the command has run. */
function unknownEnd(exitCode: number, facts: ContainerFacts & { kind: "unknown" }): ContainerVerdict {
  if (exitCode === engineFailed) return engineError(saying(facts.hasRun ? "lost its container" : "could not be run by the engine", facts));
  if (runtimeFailed.includes(exitCode) && !facts.hasRun) return engineError(saying("could not be run by the engine", facts));
  return exitedWith(exitCode);
}

function engineError(Message: string): ContainerVerdict {
  return { State: "Failed", Reason: "EngineError", ExitCode: null, Signal: null, Message };
}

function saying(what: string, { clientSaid }: ContainerFacts): string {
  return clientSaid === null ? what : `${what}: ${clientSaid}`;
}
