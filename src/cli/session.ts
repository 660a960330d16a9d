import type { Readable, Writable } from "node:stream";
import { visible } from "./table.ts";
import { codeOf } from "../lib/error-code.ts";

/** What a command works with: its streams, its environment, and how it is told that the user wants to stop it. */
export type Session = {
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  stderr: Writable;
  environment: NodeJS.Dict<string>;
  /** Calls back for each SIGINT, SIGTERM and SIGHUP, in place of ending the program. Returns the function that ends it. */
  onInterrupt: (listener: () => void) => () => void;
  /** Calls back when nobody reads standard output any more, as far as that can be watched. Gives the function that ends it. */
  onReaderGone: (listener: () => void) => Promise<() => void>;
};

/** Resolves when the stream has taken it; rejects where it is broken. */
export function write(stream: Writable, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Whether an error of a stream says that nobody reads it any more. */
export function isReaderGone(error: unknown): boolean {
  return isTerminalGone(error) || codeOf(error) === "EPIPE";
}

/** It was closed (termios(3)); then SIGHUP comes, too. */
export function isTerminalGone(error: unknown): boolean {
  return codeOf(error) === "EIO";
}

export async function print({ stdout }: Session, text: string): Promise<void> {
  await write(stdout, `${text}\n`);
}

/** Others' words are in it; in JSON an escaped character is the same character. */
export async function printJson(session: Session, value: unknown, { isLine = false } = {}): Promise<void> {
  await print(
    session,
    JSON.stringify(value, null, isLine ? 0 : 2)
      .split("\n")
      .map(visible)
      .join("\n"),
  );
}

/** A sentence for people, beside what a command gives. Where it cannot be written there is nobody to read it. */
export function report({ stderr }: Session, sentence: string): void {
  stderr.write(`jobrunner: ${sentence}\n`);
}

/** As a write fails of which there was none. */
class ReaderGone extends Error {
  readonly code = "EPIPE";
}

/** Runs something that writes only now and then: ends it as soon as nobody reads what it writes, as a write would. */
export async function whileRead<Result>(
  { onReaderGone }: Session,
  { signal, run }: { signal?: AbortSignal; run: (signal: AbortSignal) => Promise<Result> },
): Promise<Result> {
  const reading = new AbortController();
  const leave = (): void => reading.abort(signal?.reason);
  signal?.addEventListener("abort", leave, { once: true });
  const watching = onReaderGone(() => reading.abort(new ReaderGone("nobody reads the output any more")));
  try {
    signal?.throwIfAborted();
    return await run(reading.signal);
  } finally {
    signal?.removeEventListener("abort", leave);
    (await watching)();
  }
}

type Leavable<Result> = {
  run: (signal: AbortSignal) => Promise<Result>;
  /** Hears how often the user has wanted to stop, and says whether it is left now; without it, the first time. */
  leaves?: (count: number, signal: AbortSignal) => boolean;
};

/** Runs something that the user may want to stop; null: it was left. */
export async function untilLeft<Result>({ onInterrupt }: Session, { run, leaves = () => true }: Leavable<Result>): Promise<Result | null> {
  const leaving = new AbortController();
  let count = 0;
  const end = onInterrupt(() => {
    count += 1;
    if (leaves(count, leaving.signal)) leaving.abort();
  });
  try {
    return await run(leaving.signal);
  } catch (error) {
    if (leaving.signal.aborted) return null;
    throw error;
  } finally {
    end();
    leaving.abort(); // ends what else goes on with its signal
  }
}
