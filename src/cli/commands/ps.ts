import { type Command, InvalidArgumentError } from "commander";
import type { Job, JobQuery, JobState } from "../../client/index.ts";
import { type Dependencies, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { activeStates, jobStates, stateNamed } from "../../client/states.ts";
import { linesOf } from "../job-format.ts";
import { print, printJson, report, screenWidth } from "../session.ts";
import { gather, pair, wholeNumber } from "../values.ts";
import { UsageError } from "../usage-error.ts";

type PsOptions = {
  all?: boolean;
  state?: JobState[];
  label?: string[];
  name?: string;
  text?: string;
  limit: number;
  quiet?: boolean;
  watch?: boolean;
  json?: boolean;
};

export function addPs(program: Command, dependencies: Dependencies): void {
  program
    .command("ps")
    .description("List unfinished jobs, newest first")
    .option("-a, --all", "List finished jobs too")
    .option("-s, --state <state>", "Find jobs in this state, such as failed; repeatable, or separated by commas", states)
    .option("-l, --label <key[=value]>", "Find jobs by label; repeatable: all must match", gather)
    .option("--name <name>", "Find jobs by name")
    .option("--text <text>", "Find jobs with this text in their name, ID or labels, ignoring case")
    .option("-n, --limit <number>", "List at most this many", wholeNumber, 50)
    .option("-q, --quiet", "Print only IDs")
    .option("-w, --watch", "Watch live until Ctrl-C; without a terminal, print a line for each change")
    .option("--json", "Print JSON")
    .action(async (options: ConnectionOptions & PsOptions) => {
      if (options.limit === 0) throw new UsageError("--limit must be 1 or more");
      await runCommand(dependencies, options, {
        run: async (context) => await (options.watch === true ? watch(context, options) : list(context, options)),
      });
    });
}

function states(text: string, before: JobState[] = []): JobState[] {
  return [...before, ...text.split(",").map(state)];
}

function state(word: string): JobState {
  const found = stateNamed(word.trim());
  if (found === null) throw new InvalidArgumentError(`give one or more of ${jobStates.join(", ")}`);
  return found;
}

async function list({ session, client }: CommandContext, { quiet = false, json = false, ...options }: PsOptions): Promise<number> {
  const { jobs, hasMore } = await first(client.jobs({ ...queryOf(options), limit: Math.min(options.limit + 1, 1000) }), options.limit);
  if (json) await printJson(session, jobs);
  else if (quiet) for (const { ID } of jobs) await print(session, ID);
  else await print(session, linesOf(jobs, { stream: session.stdout, ...screenWidth(session.stdout) }).join("\n"));
  if (hasMore && !quiet && !json) report(session, `only the newest ${jobs.length} are listed; --limit lists more`);
  return 0;
}

async function first(jobs: AsyncIterable<Job>, limit: number): Promise<{ jobs: Job[]; hasMore: boolean }> {
  const found: Job[] = [];
  for await (const job of jobs) {
    if (found.length === limit) return { jobs: found, hasMore: true };
    found.push(job);
  }
  return { jobs: found, hasMore: false };
}

async function watch(context: CommandContext, options: PsOptions): Promise<number> {
  const { json: isJson = false, limit } = options;
  if (context.session.stdout.isTTY === true && !isJson) {
    const { watchList } = await import("../watch.ts");
    return await watchList(context, { ...queryOf(options), limit: Math.min(limit, 1000) });
  }
  const { printEvents } = await import("./events.ts");
  return await printEvents(context, { isJson, fits: (job) => fits(job, options) });
}

function queryOf({ all, state, label, name, text }: Omit<PsOptions, "json" | "quiet">): JobQuery {
  const wanted = state ?? (all === true ? [] : [...activeStates]);
  return {
    ...(wanted.length === 0 ? {} : { state: wanted }),
    ...(label === undefined ? {} : { label }),
    ...(name === undefined ? {} : { name }),
    ...(text === undefined ? {} : { text }),
  };
}

/**
 * The filter of the service, applied to jobs of events. In a list of unfinished jobs, the end of a job is a change, too.
 */
function fits({ ID, State, Name, Labels }: Job, { state, label = [], name, text = "" }: PsOptions): boolean {
  const texts = [ID, Name ?? "", ...Object.entries(Labels).map(([key, value]) => `${key}=${value}`)];
  const hasLabel = (text: string): boolean => {
    const [key, value] = pair(text) ?? [text];
    return value === undefined ? Object.hasOwn(Labels, key) : Labels[key] === value;
  };
  return (
    (state === undefined || state.includes(State)) &&
    (name === undefined || Name === name) &&
    texts.some((one) => one.toLowerCase().includes(text.toLowerCase())) &&
    label.every(hasLabel)
  );
}
