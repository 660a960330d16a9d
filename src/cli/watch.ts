import { setTimeout } from "node:timers/promises";
import type { Client, Job, JobQuery } from "../client/index.ts";
import { isPassing } from "../client/backoff.ts";
import type { CommandContext } from "./command.ts";
import { linesOf } from "./job-format.ts";
import { type Session, untilLeft, write } from "./session.ts";

/** The list of `ps`, redrawn when a job changes, and every second because of the times in it. */

/** Changes within this time are drawn together. */
const tickMs = 100;
const ticksPerSecond = 10;

/**
 * Control sequences (ECMA-48; DECAWM of the VT100). Lines are overwritten and the rest is cleared. Clearing the screen first would flicker.
 */
const clearScreen = "\u001b[2J";
const home = "\u001b[H";
const clearBelow = "\u001b[J";
const clearLine = "\u001b[K";
const cutLines = "\u001b[?7l";
const wrapLines = "\u001b[?7h";

export async function watchList({ session, client }: CommandContext, query: JobQuery & { limit: number }): Promise<number> {
  const { stdout } = session;
  await write(stdout, clearScreen + cutLines);
  try {
    await untilLeft(session, { run: async (signal) => await redraw(stdout, client, { query, signal }) });
  } finally {
    await write(stdout, wrapLines);
  }
  return 0;
}

async function redraw(
  screen: Session["stdout"],
  client: Client,
  { query, signal }: { query: JobQuery & { limit: number }; signal: AbortSignal },
): Promise<never> {
  let jobs = await newest(client, { query, signal });
  let hasChanged = false;
  let isBehind = false;
  let failure: unknown = null;
  const listen = async (): Promise<void> => {
    const events = client.events({ signal });
    while ((await events.next()).done !== true) hasChanged = true;
  };
  listen().catch((error: unknown) => (failure = error));
  for (let tick = 0; failure === null; tick += 1) {
    const isSecond = tick % ticksPerSecond === 0;
    const isDue = hasChanged || isSecond;
    if (hasChanged || (isBehind && isSecond)) {
      hasChanged = false;
      const fresh = await newestOrNone(client, { query, signal });
      isBehind = fresh === null;
      jobs = fresh ?? jobs;
    }
    if (isDue) await draw(screen, jobs);
    await setTimeout(tickMs);
  }
  throw failure;
}

async function newest(client: Client, { query, signal }: { query: JobQuery & { limit: number }; signal: AbortSignal }): Promise<Job[]> {
  const jobs: Job[] = [];
  for await (const job of client.jobs(query, { signal })) if (jobs.push(job) === query.limit) break;
  return jobs;
}

/** Null while the service is away, unreachable or too busy. */
async function newestOrNone(
  client: Client,
  { query, signal }: { query: JobQuery & { limit: number }; signal: AbortSignal },
): Promise<Job[] | null> {
  try {
    return await newest(client, { query, signal });
  } catch (error) {
    if (isPassing(error, { hasAnswered: true })) return null;
    throw error;
  }
}

async function draw(screen: Session["stdout"], jobs: Job[]): Promise<void> {
  const lines = linesOf(jobs, { stream: screen, width: screen.columns ?? 80 }).slice(0, Math.max(2, (screen.rows ?? 24) - 1));
  await write(screen, home + lines.map((line) => `${line}${clearLine}\n`).join("") + clearBelow);
}
