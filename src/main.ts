import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "./cli/usage-error.ts";
import { type Config, helpText, readConfig } from "./config.ts";
import { sourceStack } from "./stacks.ts";

/** The entry point. Only this file reads the environment and ends the process. */

const root = resolve(import.meta.dirname, "..");

async function main(args: string[]): Promise<void> {
  if (args.length === 0) return await startService(); // without loading the command line
  const { runCommandLine } = await import("./cli/program.ts");
  await runCommandLine(args, {
    version: version(),
    helpText: () => helpText(process.env),
    serve: startService,
    stateDirectory: validConfig,
    configuration: () => {
      const read = readConfig(process.env);
      return { settings: read.config, mistakes: "mistakes" in read ? read.mistakes : [] };
    },
    supervisorPath,
    print: (text) => console.log(text),
    session: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env, onInterrupt, onReaderGone },
    // Node ends the process when all output has been written.
    finish: (status) => (process.exitCode = status),
  });
}

function onInterrupt(listener: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

async function onReaderGone(listener: () => void): Promise<() => void> {
  const [{ watchReader }, { presentProgram }] = await Promise.all([import("./cli/reader.ts"), import("./supervisor-program.ts")]);
  const program = presentProgram({ root, architecture: process.arch });
  return program === undefined ? () => undefined : watchReader(program, listener);
}

async function startService(): Promise<void> {
  const config = validConfig();
  const { serve } = await import("./serve.ts"); // other commands do not load the service
  await serve({
    config,
    version: version(),
    supervisorPath: await supervisorPath(config),
    pageDirectory: join(root, "build", "web"),
    exit: () => process.exit(0),
  });
}

async function supervisorPath({ stateDir }: Pick<Config, "stateDir">): Promise<string> {
  const { supervisorProgram } = await import("./supervisor-program.ts");
  const report = (sentence: string): void => console.error(`jobrunner: ${sentence}`);
  return supervisorProgram({ root, version: version(), architecture: process.arch, stateDir, report });
}

function validConfig(): Config {
  const read = readConfig(process.env);
  if ("mistakes" in read) throw new UsageError(read.mistakes.join("\njobrunner: "));
  return read.config;
}

function version(): string {
  const { version: text }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return text;
}

function fail(sentence: string, status: number): never {
  console.error(`jobrunner: ${sentence}`);
  process.exit(status);
}

// The service goes on when its terminal is gone or the disk of its log is full. There is nowhere to report it.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.on("uncaughtException", (error) => {
  // A service in an unknown state could record something wrong. The next start recovers every job.
  fail(`ends because of an unexpected error: ${sourceStack(error.stack ?? String(error))}`, 1);
});

main(process.argv.slice(2)).catch((error: unknown) => {
  fail(error instanceof Error ? error.message : String(error), error instanceof UsageError ? 2 : 1);
});
