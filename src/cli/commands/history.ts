import type { Command } from "commander";
import type { Client, Job } from "../../client/index.ts";
import { type CommandContext, type Dependencies, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { shortDuration } from "../../lib/duration.ts";
import { type History, historyOf } from "../../lib/history.ts";
import { agoOf, colours, exitText, shorten, stateText, tookText } from "../job-format.ts";
import { print, printJson, report, screenWidth } from "../session.ts";
import { table, visible } from "../table.ts";
import { UsageError } from "../usage-error.ts";
import { wholeNumber } from "../values.ts";

type HistoryOptions = { limit: number; json?: boolean };

export function addHistory(program: Command, dependencies: Dependencies): void {
  program
    .command("history")
    .description("Show the last runs of the jobs with a name: how they ended, and how long they took, with a bar for each")
    .argument("<name>", "The name, or the ID of a job with that name")
    .option("-n, --limit <number>", "Show at most this many runs", wholeNumber, 30)
    .option("--json", "Print JSON")
    .action(async (word: string, options: ConnectionOptions & HistoryOptions) => {
      if (options.limit === 0) throw new UsageError("--limit must be 1 or more");
      await runCommand(dependencies, options, { run: async (context) => await history(context, word, options) });
    });
}

async function history({ session, client }: CommandContext, word: string, { limit, json = false }: HistoryOptions): Promise<number> {
  const { name, jobs: newest } = await runsOf(client, word, limit + 1);
  const jobs = newest.slice(0, limit);
  const nowMs = Date.now();
  const found = historyOf(jobs, nowMs);
  if (json) {
    const { finishedCount: Finished, failedCount: Failed, medianMs, worstMs } = found;
    await printJson(session, {
      Name: name,
      Finished,
      Failed,
      MedianSeconds: secondsOf(medianMs),
      WorstSeconds: secondsOf(worstMs),
      Jobs: jobs,
    });
  } else {
    const { stdout: stream } = session;
    await print(session, [summaryOf(name, found), "", ...rowsOf(found, { nowMs, stream })].join("\n"));
    if (newest.length > limit) report(session, `only the newest ${limit} runs are shown; --limit shows more`);
  }
  return 0;
}

/** The newest runs. A word that is no name may be the ID of a job, whose name counts. */
async function runsOf(client: Client, word: string, limit: number): Promise<{ name: string; jobs: Job[] }> {
  const named = await newest(client, word, limit);
  if (named.length > 0) return { name: word, jobs: named };
  const { Name, ID } = await client.job(await client.find(word, { byName: "newest" }));
  if (Name === null) throw new UsageError(`the job ${ID} has no name, and so no history: give jobs that run again a --name`);
  return { name: Name, jobs: await newest(client, Name, limit) };
}

async function newest(client: Client, name: string, limit: number): Promise<Job[]> {
  const jobs: Job[] = [];
  for await (const job of client.jobs({ name, limit: Math.min(limit, 1000) })) if (jobs.push(job) === limit) break;
  return jobs;
}

function summaryOf(name: string, { finishedCount, failedCount, medianMs, worstMs, runs }: History<Job>): string {
  const unfinished = runs.length - finishedCount;
  return [
    `${visible(name)}: failed ${failedCount} of ${finishedCount}`,
    ...(medianMs === null || worstMs === null ? [] : [`median ${shortDuration(medianMs)}`, `worst ${shortDuration(worstMs)}`]),
    ...(unfinished === 0 ? [] : [`${unfinished} not finished`]),
  ].join(", ");
}

const barColumns = 24;

/** Newest first, as in other lists. */
function rowsOf({ runs }: History<Job>, { nowMs, stream }: { nowMs: number; stream: CommandContext["session"]["stdout"] }): string[] {
  const short = shorten(runs.map(({ job }) => job.ID));
  const rows = runs.toReversed().map(({ job, took, part }) => {
    const colour = colours[job.State];
    const bar = took.kind === "known" ? "█".repeat(Math.max(1, Math.round(part * barColumns))) : "";
    return [
      short(job.ID),
      { text: stateText(job), colour },
      exitText(job),
      agoOf(job.SubmittedAt, nowMs),
      tookText(took),
      { text: bar, colour },
    ];
  });
  return table(["ID", { title: "STATE", minWidth: 10 }, "EXIT", "SUBMITTED", "TOOK", { title: "", minWidth: 6 }], rows, {
    stream,
    ...screenWidth(stream),
  });
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
