import type { Signal } from "../client/index.ts";
import { sentSignals } from "../job/signals.ts";
import { UsageError } from "./usage-error.ts";

/** A signal as people type it: SIGUSR1, USR1, or usr1, as kill(1) has it. */
export function signalOf(text: string): Signal {
  const name = text.toUpperCase();
  const found = sentSignals.find((signal) => signal === name || signal === `SIG${name}`);
  if (found === undefined) throw new UsageError(`--signal ${text}: give one of ${sentSignals.join(", ")}`);
  return found;
}
