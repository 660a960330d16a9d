import type { Command } from "commander";
import type { Job } from "../../client/index.ts";
import { withStatusOfJob, type Dependencies, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { JobGoesOn } from "../job-goes-on.ts";
import { conclude, leftStatus } from "../outcome.ts";
import { isReaderGone, isTerminalGone, print, report, untilLeft } from "../session.ts";
import { reportWaiting } from "../report-waiting.ts";
import { addJobOptions, type TypedOption } from "../job-options.ts";

type RunOptions = ConnectionOptions & { file?: string; detach?: boolean; idempotencyKey?: string };
type Typed = { words: string[]; options: RunOptions; jobOptions: TypedOption[] };

export function addRun(program: Command, dependencies: Dependencies): void {
  const command = program
    .command("run")
    .description("Submit a job, show its output live, and exit with its exit status")
    .argument("[command...]", "A program and its arguments, run without a shell; put -- before it if it has options")
    .passThroughOptions()
    .option("-d, --detach", "Print the job's ID and do not wait for the job")
    .option("-f, --file <file>", "Read the job from a JSON or YAML file (- for standard input); other options add to it or override it")
    .option("--idempotency-key <key>", "Get the same job again for the same key and job");
  const jobOptions = addJobOptions(command);
  command.addHelpText("after", examples).action(async (words: string[], options: RunOptions) => {
    await runCommand(dependencies, options, {
      ...withStatusOfJob,
      run: async (context) => await run(context, { words, options, jobOptions }),
    });
  });
}

const examples = `
The exit status is the job's; 128 and the number of the signal that ended it; 127 or 126 where its command was not found or not executable;
125 where jobrunner itself failed, or the job's is not known.
Ctrl-C asks the job to stop, a second one kills it, a third one leaves it as it is.

  jobrunner run -- make -j2
  jobrunner run -c 'make && ./bench' -e LEVEL=3 --timeout 1h
  jobrunner run --image debian:12 -- cat /etc/os-release
  jobrunner run --name nightly --step --name build -c 'make -j2' --step --name test --timeout 10m -- ./run-tests
  jobrunner run --file nightly.yaml --detach`;

async function run(context: CommandContext, { words, options, jobOptions }: Typed): Promise<number> {
  const { jobOf } = await import("../typed-job.ts");
  const { detach = false, idempotencyKey = (await import("node:crypto")).randomUUID() } = options; // no other command needs that
  const spec = await jobOf(context.session, { words, file: options.file, options: jobOptions });
  const submit = (signal: AbortSignal): Promise<string> => context.client.submit(spec, { idempotencyKey, signal });
  if (detach) return await submitAlone(context, { submit, idempotencyKey });
  const job = await submitAndFollow(context, { submit, idempotencyKey });
  if (job === null) return leftStatus;
  const status = conclude(context.session, job);
  if (job.Reason === "CouldNotStart") hint(context, words);
  return status;
}

type Submitting = { submit: (signal: AbortSignal) => Promise<string>; idempotencyKey: string };

async function submitAlone({ session }: CommandContext, { submit, idempotencyKey }: Submitting): Promise<number> {
  const id = await untilLeft(session, { run: submit });
  if (id === null) {
    report(session, leftBeforeId(idempotencyKey));
    return leftStatus;
  }
  await print(session, id);
  return 0;
}

function leftBeforeId(idempotencyKey: string): string {
  return (
    `left before the job had an ID; there may be one all the same: with --idempotency-key ${idempotencyKey} the same command gives ` +
    `that one, and no second`
  );
}

/**
 * The job when it is finished; null: it was left. The user's first interrupt (Ctrl-C) stops the job, the second kills it, the third leaves
 * it.
 */
async function submitAndFollow({ session, client }: CommandContext, { submit, idempotencyKey }: Submitting): Promise<Job | null> {
  const [{ follow }, { explain }] = await Promise.all([import("../follow.ts"), import("../explain.ts")]);
  let id: string | null = null;
  let interrupts = 0;
  let ending = Promise.resolve();
  const end = (signal: AbortSignal): void => {
    if (id === null) return report(session, "the job will be ended as soon as it has an ID; Ctrl-C for a third time leaves it running");
    report(session, interrupts === 1 ? `stopping ${id}; Ctrl-C again kills it` : `killing ${id}; Ctrl-C again leaves it running`);
    const kill = client.kill(id, { isForced: interrupts > 1, signal });
    // The second one ends when the first does, which tells for both.
    ending = (interrupts > 1 ? kill : reportWaiting({ session, client }, id, kill)).catch((error: unknown) => {
      if (!signal.aborted) report(session, `could not stop the job: ${explain(error)}`);
    });
  };
  const interrupt = (count: number, signal: AbortSignal): boolean => {
    if (count > interrupts && count <= 2) {
      interrupts = count;
      end(signal);
    }
    return count > 2;
  };
  const submitAndWatch = async (signal: AbortSignal): Promise<Job> => {
    try {
      id = await submit(signal);
      if (interrupts > 0) end(signal);
      return await follow(session, client, { id, signal });
    } catch (error) {
      if (signal.aborted) report(session, id === null ? leftBeforeId(idempotencyKey) : `left; 'jobrunner attach ${id}' shows it again`);
      else if (isTerminalGone(error)) interrupt(1, signal); // SIGHUP says the same, before this or after
      else if (isReaderGone(error) && interrupts === 0) report(session, `the reader of the output is gone; the job ${id} continues`);
      await ending;
      throw id === null || signal.aborted || isReaderGone(error) ? error : new JobGoesOn(id, error);
    }
  };
  return await untilLeft(session, { run: submitAndWatch, leaves: interrupt });
}

function hint({ session }: CommandContext, [word = "", ...others]: string[]): void {
  if (others.length === 0 && /\s/.test(word))
    report(session, `${JSON.stringify(word)} was taken for the name of a program: with -c before it, it is a command line`);
}
