type Cause = { State: string; Reason: string | null };

/** Words for reasons that neither the state nor the exit code says. */
const words: Record<string, string> = {
  CouldNotStart: "not started",
  IdleTimeout: "idle",
  OutOfMemory: "memory",
  ImagePull: "image",
  EngineError: "engine",
  SupervisorLost: "supervisor",
  Reboot: "reboot",
};

/** The state with its cause in a word or two: `TimedOut (idle)`. */
export function stateWithCause({ State, Reason }: Cause): string {
  const word = Reason === null ? undefined : words[Reason];
  return word === undefined ? State : `${State} (${word})`;
}
