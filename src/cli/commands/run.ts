import type { Command } from "commander";
import type { Job } from "../../client/index.ts";
import { asJob, type Dependencies, type Work, work } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { JobGoesOn } from "../job-goes-on.ts";
import { conclude, leftStatus } from "../outcome.ts";
import { isReaderGone, isTerminalGone, print, report, untilLeft } from "../session.ts";
import { reportWaiting } from "../report-waiting.ts";
import type { JobOptions } from "../typed-job.ts";
import { bytes, gather, number, seconds, wholeNumber } from "../values.ts";

type RunOptions = ConnectionOptions & JobOptions & { detach?: boolean; idempotencyKey?: string };

export function addRun(program: Command, dependencies: Dependencies): void {
  program
    .command("run")
    .description("submits a job, shows its output live, and exits as it does")
    .argument("[command...]", "a program and its arguments, run without a shell; with -- before it, where it has options")
    .passThroughOptions()
    .option("-c, --command <line>", "in place of a program: a command line, run by bash, in a container by its sh")
    .option("-f, --file <file>", "a job as JSON or YAML; - for standard input; other options add to it or stand in place")
    .option("-d, --detach", "prints the job's ID and does not wait for it")
    .option("-e, --env <name[=value]>", "a variable; without a value, as it is here", gather)
    .option(
      "--env-file <file>",
      "variables, a NAME=value in each line, to the letter; a bare NAME, as it is here; # begins a comment line",
      gather,
    )
    .option(
      "--secret <name[=file]>",
      "a variable that nobody sees, masked in the output; its value is that of the variable here, or of a file",
      gather,
    )
    .option("--stdin <file>", "text that the command reads; - for standard input")
    .option("-w, --workdir <dir>", "where it starts: absolute, or in the job's own workspace")
    .option("-u, --user <user>", "as whom it runs; in a container, who it is there")
    .option("--shell <program>", "what runs the command line, in place of bash or sh")
    .option("--name <name>", "what lists show it as")
    .option("-l, --label <key=value>", "what lists find it by", gather)
    .option("--timeout <duration>", "stops the job after so long: 90, 30s, 10m, 2h", seconds)
    .option("--idle-timeout <duration>", "stops it after so long without output", seconds)
    .option("--stop-signal <signal>", "how a stop begins; SIGTERM")
    .option("--stop-timeout <duration>", "when a stop becomes SIGKILL; 10s", seconds)
    .option("--drain-timeout <duration>", "how long, at the job's end, filters that a step left behind may finish writing; 2s", seconds)
    .option("--idempotency-key <key>", "the same key with the same job gives the same job again")
    .optionsGroup("In a container:")
    .option("--image <image>", "runs the command in a container of it; without a command, what the image runs")
    .option("--entrypoint <program>", "in place of the image's")
    .option("-v, --volume <source:target[:ro]>", "mounts a path of the service's box, or of the workspace", gather)
    .option("--network <network>", "none, bridge, host or the name of one")
    .option("--pull <when>", "when the image is pulled: missing, always or never; missing")
    .option("--memory <bytes>", "how much it may use: 512m, 2g", bytes)
    .option("--cpus <number>", "how many it may use", number)
    .option("--pids-limit <number>", "how many processes it may have", wholeNumber)
    .addHelpText("after", examples)
    .action(async (words: string[], options: RunOptions) => {
      await work(dependencies, options, { ...asJob, run: async (work) => await run(work, { words, options }) });
    });
}

const examples = `
The exit status is the job's; 128 and the number of the signal that ended it; 125 where jobrunner itself failed, or the job's is not known.
Ctrl-C asks the job to stop, a second one kills it, a third one leaves it as it is.

  jobrunner run -- make -j2
  jobrunner run -c 'make && ./bench' -e LEVEL=3 --timeout 1h
  jobrunner run --image debian:12 -- cat /etc/os-release
  jobrunner run --file nightly.yaml --detach`;

async function run(work: Work, { words, options }: { words: string[]; options: RunOptions }): Promise<number> {
  const { jobOf } = await import("../typed-job.ts");
  const { detach = false, idempotencyKey = (await import("node:crypto")).randomUUID() } = options; // no other command needs that
  const spec = await jobOf(work.session, { words, options });
  const submit = (signal: AbortSignal): Promise<string> => work.client.submit(spec, { idempotencyKey, signal });
  if (detach) return await submitAlone(work, { submit, idempotencyKey });
  const job = await submitAndFollow(work, { submit, idempotencyKey });
  if (job === null) return leftStatus;
  const status = conclude(work.session, job);
  if (job.Reason === "CouldNotStart") hint(work, words);
  return status;
}

type Submitting = { submit: (signal: AbortSignal) => Promise<string>; idempotencyKey: string };

async function submitAlone({ session }: Work, { submit, idempotencyKey }: Submitting): Promise<number> {
  const id = await untilLeft(session, { run: submit });
  if (id === null) {
    report(session, leftBeforeId(idempotencyKey));
    return leftStatus;
  }
  await print(session, id);
  return 0;
}

function leftBeforeId(idempotencyKey: string): string {
  return `left before the job had an ID; there may be one all the same: with --idempotency-key ${idempotencyKey} the same command gives that one, and no second`;
}

/** The job when it is finished; null: it was left. Of the user's wishes the first stops the job, the second kills it, the third leaves it. */
async function submitAndFollow({ session, client }: Work, { submit, idempotencyKey }: Submitting): Promise<Job | null> {
  const [{ follow }, { explain }] = await Promise.all([import("../follow.ts"), import("../explain.ts")]);
  let id: string | null = null;
  let wishes = 0;
  let ending = Promise.resolve();
  const end = (signal: AbortSignal): void => {
    if (id === null) return report(session, "it is ended as soon as it has an ID; Ctrl-C for a third time leaves it");
    report(session, wishes === 1 ? `stopping ${id}; Ctrl-C again kills it` : `killing ${id}; Ctrl-C again leaves it alone`);
    const kill = client.kill(id, { isForced: wishes > 1, signal });
    // The second one ends when the first does, which tells for both.
    ending = (wishes > 1 ? kill : reportWaiting({ session, client }, id, kill)).catch((error: unknown) => {
      if (!signal.aborted) report(session, `it could not be asked to end: ${explain(error)}`);
    });
  };
  const wish = (count: number, signal: AbortSignal): boolean => {
    if (count > wishes && count <= 2) {
      wishes = count;
      end(signal);
    }
    return count > 2;
  };
  const submitAndWatch = async (signal: AbortSignal): Promise<Job> => {
    try {
      id = await submit(signal);
      if (wishes > 0) end(signal);
      return await follow(session, client, { id, signal });
    } catch (error) {
      if (signal.aborted) report(session, id === null ? leftBeforeId(idempotencyKey) : `left; 'jobrunner attach ${id}' comes back to it`);
      else if (isTerminalGone(error)) wish(1, signal); // SIGHUP says the same, before this or after
      else if (isReaderGone(error) && wishes === 0) report(session, `nobody reads the output any more; the job ${id} goes on`);
      await ending;
      throw id === null || signal.aborted || isReaderGone(error) ? error : new JobGoesOn(id, error);
    }
  };
  return await untilLeft(session, { run: submitAndWatch, leaves: wish });
}

function hint({ session }: Work, [word = "", ...others]: string[]): void {
  if (others.length === 0 && /\s/.test(word))
    report(session, `${JSON.stringify(word)} was taken for the name of a program: with -c before it, it is a command line`);
}
