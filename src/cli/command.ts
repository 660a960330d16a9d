import type { Client } from "../client/index.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { ownStatus, readerGoneStatus } from "./outcome.ts";
import { isReaderGone, type Session, report } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/** What the commands have in common that speak with a service. */

export type Dependencies = {
  session: Session;
  /** Takes the exit status of the command that was run. */
  finish: (status: number) => void;
};

export type Work = { session: Session; client: Client };

/** Runs what a command does with a service, and makes of errors sentences, and the status `failure`. */
export async function work(
  { session, finish }: Dependencies,
  options: ConnectionOptions,
  { run, failure = 1 }: { run: (work: Work) => Promise<number>; failure?: number },
): Promise<void> {
  const { connect } = await import("./connection.ts"); // what needs no service, and the service itself, do without
  try {
    finish(await run({ session, client: await connect(session, options) }));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (isReaderGone(error)) return finish(readerGoneStatus);
    const { explain } = await import("./explain.ts");
    report(session, explain(error));
    finish(failure);
  }
}

/** Of commands whose exit status is a job's. */
export const asJob = { failure: ownStatus };

/** So many jobs are dealt with at once: what takes each its time takes all of them hardly more, and does not use up all connections. */
const atOnce = 64;

/** `isRetried`: of commands that last; they go on when the service does not answer. */
type Each<Result> = { prefixes: string[]; isRetried?: boolean; act: (id: string) => Promise<Result> };

/**
 * Does something for each of the jobs that begin so; what comes of it, in their order. What fails is told, gives null, and keeps nothing
 * from the others.
 */
export async function forEach<Result>(
  { session, client }: Work,
  { prefixes, isRetried = false, act }: Each<Result>,
): Promise<(Result | null)[]> {
  const { explain } = await import("./explain.ts");
  const results = prefixes.map((): Result | null => null);
  const waiting = prefixes.entries();
  const take = async (): Promise<void> => {
    for (const [index, prefix] of waiting) {
      try {
        results[index] = await act(await client.find(prefix, { isRetried }));
      } catch (error) {
        if (isReaderGone(error)) throw error;
        report(session, prefixes.length === 1 ? explain(error) : `${prefix}: ${explain(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  return results;
}

/** The exit status of commands that do something for each: 1 where any failed. */
export function statusOf(results: unknown[]): number {
  return results.includes(null) ? 1 : 0;
}
