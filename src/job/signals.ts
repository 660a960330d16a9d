import { constants } from "node:os";

/** Signals by the names that kill -l lists. */

const ordinary = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGKILL"] as const;

/** signal(7): real-time signals are 32 to 64. The C library uses the first two itself, so the names begin at 34. */
const firstRealTime = 34;
const realTime = [
  "SIGRTMIN",
  "SIGRTMIN+1",
  "SIGRTMIN+2",
  "SIGRTMIN+3",
  "SIGRTMIN+4",
  "SIGRTMIN+5",
  "SIGRTMIN+6",
  "SIGRTMIN+7",
  "SIGRTMIN+8",
  "SIGRTMIN+9",
  "SIGRTMIN+10",
  "SIGRTMIN+11",
  "SIGRTMIN+12",
  "SIGRTMIN+13",
  "SIGRTMIN+14",
  "SIGRTMIN+15",
  "SIGRTMAX-14",
  "SIGRTMAX-13",
  "SIGRTMAX-12",
  "SIGRTMAX-11",
  "SIGRTMAX-10",
  "SIGRTMAX-9",
  "SIGRTMAX-8",
  "SIGRTMAX-7",
  "SIGRTMAX-6",
  "SIGRTMAX-5",
  "SIGRTMAX-4",
  "SIGRTMAX-3",
  "SIGRTMAX-2",
  "SIGRTMAX-1",
  "SIGRTMAX",
] as const;

/** Signals that a stop may begin with. */
export const stopSignals = [...ordinary, ...realTime] as const;
export type StopSignal = (typeof stopSignals)[number];

/**
 * Signals that may be sent to a running step: also those that pause it and let it go on, and some that programs take for a message. The
 * others are sent by the kernel, or by a terminal.
 */
export const sentSignals = [...stopSignals, "SIGSTOP", "SIGTSTP", "SIGCONT", "SIGABRT", "SIGALRM", "SIGWINCH"] as const;
export type SentSignal = (typeof sentSignals)[number];

/** The C library's own signals have no names but "SIG32" and "SIG33". */
export function signalName(number: number): string {
  const usual = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return usual ?? realTime[number - firstRealTime] ?? `SIG${number}`;
}

/** The inverse of `signalName`; null: no signal has this name. */
export function signalNumber(name: SentSignal): number;
export function signalNumber(name: string): number | null;
export function signalNumber(name: string): number | null {
  return numbers.get(name) ?? null;
}

const numbers = new Map<string, number>([
  ...Object.entries(constants.signals),
  ...realTime.map((name, index): [string, number] => [name, firstRealTime + index]),
  ...[32, 33].map((number): [string, number] => [`SIG${number}`, number]),
]);
