import { type Command, Option } from "commander";
import type { Client } from "../client/index.ts";
import { ownStatus, readerGoneStatus } from "./outcome.ts";
import { isReaderGone, type Session, report } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/** What the commands have in common that speak with a service. */

export type Dependencies = {
  session: Session;
  /** Takes the exit status of the command that was run. */
  finish: (status: number) => void;
};

export type ConnectionOptions = { url?: string; tokenFile?: string; cacert?: string; clientCert?: string; clientKey?: string };

/** Each has a variable, too, and goes before it. None takes a token itself: others see argument vectors. */
const connectionOptions: [flags: string, description: string][] = [
  ["--url <url>", "the service: http://…, https://… or unix:/path/of/socket (JOBRUNNER_URL; http://localhost:8080)"],
  ["--token-file <file>", "a file with a token (or the token itself in JOBRUNNER_TOKEN)"],
  ["--cacert <file>", "the authority of the service's certificate, PEM (JOBRUNNER_CACERT)"],
  ["--client-cert <file>", "a certificate that lets in, PEM (JOBRUNNER_CLIENT_CERT)"],
  ["--client-key <file>", "its private key, PEM (JOBRUNNER_CLIENT_KEY)"],
];

/** Gives all commands that there are so far the options by which the service is found; they may stand before the command as well. */
export function addConnectionOptions(program: Command): void {
  const made = (): Option[] => connectionOptions.map(([flags, description]) => new Option(flags, description).helpGroup("The service:"));
  const speaking = [...program.commands];
  for (const command of speaking) for (const option of made()) command.addOption(option);
  for (const option of made()) program.addOption(option.hideHelp());
  program.hook("preAction", (_program, command) => {
    for (const option of program.options) {
      const [name, value] = [option.attributeName(), program.getOptionValue(option.attributeName())];
      if (value === undefined) continue;
      if (!speaking.includes(command))
        throw new UsageError(`${option.long} is for the commands that speak with a service: jobrunner --help says what there is`);
      if (command.getOptionValue(name) === undefined) command.setOptionValue(name, value);
    }
  });
}

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

/** Does something for each of the jobs that begin so; what comes of it, in their order. What fails is told, gives null, and keeps nothing from the others. */
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
