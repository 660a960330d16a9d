import type { FinalState, Reason } from "./job.ts";

/** What the engine says of a container that is there. */
export type ContainerState =
  | { kind: "exited"; exitCode: number; isOutOfMemory: boolean } // out of memory: a process in it was killed for that, not always the first
  | { kind: "running" }
  | { kind: "never-started" };

/** What the engine says of a step's container when the engine's client has ended. One that was running without it was ended since. */
export type ContainerFacts = (
  | ContainerState
  | { kind: "none"; isImageThere: boolean } // never made, or removed by somebody; the image: there, or pulled anew where that was asked for
  | { kind: "unknown" } // the engine did not answer
) & {
  clientSaid: string | null; // last on its standard error, where it ended badly
  refusal: string | null; // why the command was not executed, of the container's init; null: it was, or nobody says
};

/** How the first process of the step, the engine's client, ended. */
export type ClientEnd = { exitCode: number | null; signal: string | null };

export type ContainerVerdict = { State: FinalState; Reason: Reason | null; ExitCode: number | null; Signal: null; Message: string | null };

/** By docker-run(1) and podman-run(1). The command may end so too; then its container has been running. */
const engineFailed = 125;
/** Docker: the command cannot be executed, which with an init is never said so. Podman: also whatever its runtime cannot do. */
const runtimeFailed = [126, 127];
/** With these an init ends that cannot execute the command. */
const refused = [1, ...runtimeFailed];

/** How a container that nobody stopped ended. Without an answer from the engine, what its client says is all that is known. */
export function containerVerdict(client: ClientEnd, facts: ContainerFacts): ContainerVerdict {
  if (client.exitCode === null) return engineError(`lost its container: the engine's client was ended by ${client.signal}`);
  switch (facts.kind) {
    case "exited":
      return client.exitCode === facts.exitCode ? exited(facts) : lost(facts);
    case "running": // asked a moment too early, or left alone by its client
      return client.exitCode === engineFailed ? lost(facts) : exitedWith(client.exitCode);
    case "never-started":
      return engineError(saying("could not start its container", facts)); // whatever the code: the command is for the init to execute
    case "none":
      return noContainer(client.exitCode, facts);
    case "unknown":
      return [engineFailed, ...runtimeFailed].includes(client.exitCode)
        ? engineError(saying("could not be run by the engine", facts))
        : exitedWith(client.exitCode);
  }
}

/** The exit code of a container that was stopped; null where that is not known. */
export function stoppedExitCode(client: ClientEnd, facts: ContainerFacts | null): number | null {
  if (facts?.kind === "exited") return facts.exitCode;
  if (facts?.kind === "never-started" || facts?.kind === "none" || client.exitCode === engineFailed) return null;
  // Podman's client ends with 0 when it finds its container gone: one that ran when it was removed did not end so.
  if (facts?.kind === "running" && client.exitCode === 0) return null;
  return client.exitCode;
}

/** Whether the container may have written what its client was no longer there to take. */
export function mayHaveLostOutput(client: ClientEnd, facts: ContainerFacts): boolean {
  if (facts.kind === "none" || facts.kind === "never-started") return false;
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
  const Message = `exited with code ${exitCode} after a process in its container was killed because the memory was used up`;
  return { State: exitCode === 0 ? "Succeeded" : "Failed", Reason: "OutOfMemory", ExitCode: exitCode, Signal: null, Message };
}

function exitedWith(exitCode: number): ContainerVerdict {
  if (exitCode === 0) return { State: "Succeeded", Reason: null, ExitCode: 0, Signal: null, Message: null };
  return { State: "Failed", Reason: "ExitCode", ExitCode: exitCode, Signal: null, Message: `exited with code ${exitCode}` };
}

/** The engine stopped, or was started anew, while the container ran: what it says of its exit may be its own doing. */
function lost(facts: ContainerFacts): ContainerVerdict {
  return engineError(saying("lost its container, which the engine left alone; it was removed", facts));
}

function noContainer(exitCode: number, facts: ContainerFacts & { kind: "none" }): ContainerVerdict {
  // Podman's client ends with 0 when it is told to while it pulls: no container, and nothing was run.
  if (exitCode === 0)
    return engineError("had no container, or lost it to somebody who removed it, before the engine could say how it ended");
  if (exitCode !== engineFailed) return exitedWith(exitCode);
  if (facts.isImageThere) return engineError(saying("could not make its container", facts));
  return { State: "Failed", Reason: "ImagePull", ExitCode: null, Signal: null, Message: saying("could not pull its image", facts) };
}

function engineError(Message: string): ContainerVerdict {
  return { State: "Failed", Reason: "EngineError", ExitCode: null, Signal: null, Message };
}

function saying(what: string, { clientSaid }: ContainerFacts): string {
  return clientSaid === null ? what : `${what}: ${clientSaid}`;
}
