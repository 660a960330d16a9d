import { type Command, Option } from "commander";
import type { AttachOptions } from "../../client/index.ts";
import { type Dependencies, type CommandContext, runCommand } from "../command.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { anyJob, idOf, type JobReference, lastFlag, referencesOf } from "../job-reference.ts";
import type { Output } from "../follow.ts";
import { untilLeft, whileRead } from "../session.ts";
import { wholeNumber } from "../values.ts";

type LogsOptions = { follow?: boolean; tail?: number; timestamps?: boolean; stdout?: boolean; stderr?: boolean; step?: number };

export function addLogs(program: Command, dependencies: Dependencies): void {
  program
    .command("logs")
    .description("Print the output that a job has written so far")
    .argument("[id]", anyJob)
    .option(lastFlag, "Print the output of the newest job")
    .option("-f, --follow", "Follow the output until the job ends")
    .option("-n, --tail <lines>", "Print only the last lines", wholeNumber)
    .option("-t, --timestamps", "Print before each line the time at which its first byte was read")
    .addOption(new Option("--stdout", "Print only standard output").conflicts("stderr"))
    .addOption(new Option("--stderr", "Print only standard error").conflicts("stdout"))
    .option("--step <number>", "Print only the output of this step", wholeNumber)
    .action(async (word: string | undefined, { last, ...options }: ConnectionOptions & LogsOptions & { last?: boolean }) => {
      const [job] = referencesOf(word, last);
      await runCommand(dependencies, options, { run: async (context) => await logs(context, { job, options }) });
    });
}

async function logs({ session, client }: CommandContext, { job, options }: { job: JobReference; options: LogsOptions }): Promise<number> {
  const { pour } = await import("../follow.ts");
  const id = await idOf(client, job, { byName: "newest", isRetried: options.follow === true });
  const decorate = options.timestamps === true ? timestamps() : undefined;
  const run = async (signal: AbortSignal): Promise<unknown> =>
    await pour(session, { pieces: client.attach(id, { ...attachOptions(options), signal }), decorate });
  // Existing output comes at once, so a write fails soon if nobody reads it.
  const follow = async (signal: AbortSignal): Promise<unknown> => await whileRead(session, { signal, run });
  await untilLeft(session, { run: options.follow === true ? follow : run });
  return 0;
}

function attachOptions({ follow: isFollowing = false, tail, stdout, stderr, step }: LogsOptions): AttachOptions {
  return {
    isFollowing,
    ...(tail === undefined ? {} : { tailLines: tail }),
    ...(step === undefined ? {} : { step }),
    ...(stdout === true ? { stream: "stdout" } : stderr === true ? { stream: "stderr" } : {}),
  };
}

/** Lines are separate for each stream. */
function timestamps(): (piece: Output) => Uint8Array {
  const inLine = new Set<Output["stream"]>();
  return ({ stream, time, bytes }) => {
    const prefix = Buffer.from(`${time ?? "-"} `);
    const parts: Uint8Array[] = [];
    for (let from = 0; from < bytes.length;) {
      if (!inLine.has(stream)) parts.push(prefix);
      const newline = bytes.indexOf(0x0a, from);
      if (newline < 0) inLine.add(stream);
      else inLine.delete(stream);
      const to = newline < 0 ? bytes.length : newline + 1;
      parts.push(bytes.subarray(from, to));
      from = to;
    }
    return Buffer.concat(parts);
  };
}
