import type { Client } from "../client/index.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { type Finding, idOf, type JobReference, wordOf } from "./job-reference.ts";
import { ownStatus, readerGoneStatus } from "./outcome.ts";
import { isReaderGone, type Session, report } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/** The parts that all commands with a service share. */

export type Dependencies = {
  session: Session;
  /** Called with the exit status of the command. */
  finish: (status: number) => void;
};

export type CommandContext = { session: Session; client: Client };

/** Connects, runs the command, and sets its exit status. An error is reported as a sentence, and gives the status `failure`. */
export async function runCommand(
  { session, finish }: Dependencies,
  options: ConnectionOptions,
  { run, failure = 1 }: { run: (context: CommandContext) => Promise<number>; failure?: number },
): Promise<void> {
  const { connect } = await import("./connection.ts"); // commands without a service, and the service itself, do not load it
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

/** For commands whose exit status is that of a job. */
export const withStatusOfJob = { failure: ownStatus };

/** The number of jobs that are handled at once. Waiting for many costs little more than for one, but connections are limited. */
const atOnce = 64;

/** `isRetried`: for long commands, which go on while the service does not answer. */
type Each<Result> = Finding & { jobs: JobReference[]; act: (id: string) => Promise<Result> };

/**
 * Calls `act` for each job, and gives the results in the same order. A failure is reported and gives null; the other jobs
 * are still handled.
 */
export async function forEach<Result>(
  { session, client }: CommandContext,
  { jobs, act, ...finding }: Each<Result>,
): Promise<(Result | null)[]> {
  const { explain } = await import("./explain.ts");
  const results = jobs.map((): Result | null => null);
  const waiting = jobs.entries();
  const take = async (): Promise<void> => {
    for (const [index, job] of waiting) {
      try {
        results[index] = await act(await idOf(client, job, finding));
      } catch (error) {
        if (isReaderGone(error)) throw error;
        report(session, jobs.length === 1 ? explain(error) : `${wordOf(job)}: ${explain(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  return results;
}

/** The exit status after `forEach`: 1 if it failed for any job. */
export function statusOf(results: unknown[]): number {
  return results.includes(null) ? 1 : 0;
}
