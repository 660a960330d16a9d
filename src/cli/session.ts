import type { Readable, Writable } from "node:stream";
import { visible } from "./table.ts";
import { codeOf } from "../lib/error-code.ts";

/** What a command works with: its streams, its environment, and notifications that the user wants to stop it. */
export type Session = {
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  stderr: Writable;
  environment: NodeJS.Dict<string>;
  /** Calls the listener on SIGINT, SIGTERM and SIGHUP, which then do not end the program. Returns the function that unsubscribes. */
  onInterrupt: (listener: () => void) => () => void;
  /** Calls the listener when nobody reads standard output any more, if that can be watched. Gives the function that unsubscribes. */
  onReaderGone: (listener: () => void) => Promise<() => void>;
};

/** Resolves when the stream has taken the data; rejects if the stream is broken. */
export function write(stream: Writable, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Whether an error of a stream means that nobody reads it any more. */
export function isReaderGone(error: unknown): boolean {
  return isTerminalGone(error) || codeOf(error) === "EPIPE";
}

/** Whether the terminal was closed (termios(3)). SIGHUP comes then, too. */
export function isTerminalGone(error: unknown): boolean {
  return codeOf(error) === "EIO";
}

export async function print({ stdout }: Session, text: string): Promise<void> {
  await write(stdout, `${text}\n`);
}

/** The width of a terminal. What goes elsewhere is written whole. */
export function screenWidth({ isTTY, columns }: Session["stdout"]): { width?: number } {
  return isTTY === true && columns !== undefined && columns > 0 ? { width: columns } : {};
}

/** Escapes control characters, because the text comes from other users. The JSON stays equal: it may escape any character. */
export async function printJson(session: Session, value: unknown, { isLine = false } = {}): Promise<void> {
  await print(
    session,
    JSON.stringify(value, null, isLine ? 0 : 2)
      .split("\n")
      .map(visible)
      .join("\n"),
  );
}

/** Writes a sentence for people to standard error. If that fails, nobody could read it, and the failure is ignored. */
export function report({ stderr }: Session, sentence: string): void {
  stderr.write(`jobrunner: ${sentence}\n`);
}

/** The error that a write would give. */
class ReaderGone extends Error {
  readonly code = "EPIPE";
}

/** Runs something that rarely writes, and aborts it as soon as nobody reads its output, without waiting for a write to fail. */
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
  /** Called with the number of interrupts; returns whether to abort. Without it, the first interrupt aborts. */
  leaves?: (count: number, signal: AbortSignal) => boolean;
};

/** Runs something that the user can interrupt; null: it was interrupted. */
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
    leaving.abort(); // ends everything else that uses the signal
  }
}
