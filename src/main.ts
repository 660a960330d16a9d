import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { listen } from "./api/listener.ts";
import { makeApi } from "./api/server.ts";
import { type Config, helpText, type LogLevel, readConfig } from "./config.ts";
import { openRunner } from "./runner/runner.ts";
import type { Log } from "./runner/types.ts";

/** Config, then the state directory and all jobs in it, then HTTP. The only place where the process ends itself. */

const root = resolve(import.meta.dirname, "..");
const supervisorPath = join(root, "build", "jobrunner-supervisor");
const wrongUse = 2;

async function main(args: string[]): Promise<void> {
  if (args.length > 1) fail(`one argument at most, --help or --version, not ${args.length}`, wrongUse);
  const [argument] = args;
  if (argument === "--help" || argument === "-h") return console.log(helpText(process.env));
  if (argument === "--version") return console.log(`jobrunner ${version()}`);
  if (argument !== undefined) fail(`${JSON.stringify(argument)} is not known: jobrunner --help says what is`, wrongUse);
  const read = readConfig(process.env);
  if ("mistakes" in read) fail(read.mistakes.join("\njobrunner: "), wrongUse);
  else await serve(read.config);
}

async function serve(config: Config): Promise<void> {
  if (statSync(supervisorPath, { throwIfNoEntry: false }) === undefined) throw new Error(`the supervisor is not built: run make in ${root}`);
  const log = makeLog(config.logLevel);
  const runner = await openRunner({ ...config, supervisorPath, log });
  const handle = await makeApi(
    { runner, watchers: runner.watchers, readerTimeoutSeconds: config.readerTimeoutSeconds, version: version(), log },
    config.hostname,
  );
  const addresses = config.hostname === "" ? ["127.0.0.1", "::1"] : [config.hostname];
  const listener = await listen(handle, { addresses, port: config.port }).catch((error: unknown) => {
    runner.close();
    throw error;
  });
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    void listener.close().then(() => {
      runner.close();
      process.exit(0); // what a reader or a patrol left behind must not keep us
    });
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  console.log(`jobrunner ${version()} listens on ${listener.urls.join(" and ")}\nits state is in ${config.stateDir}`);
}

/** Lines of JSON on standard error. Never bodies, variables or output of jobs. */
function makeLog(lowest: LogLevel): Log {
  const levels: LogLevel[] = ["error", "warn", "info"];
  const shown = levels.slice(0, levels.indexOf(lowest) + 1);
  return (level, message, fields) => {
    if (shown.includes(level)) console.error(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
  };
}

function version(): string {
  const { version: text }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return text;
}

function fail(sentence: string, status: number): never {
  console.error(`jobrunner: ${sentence}`);
  process.exit(status);
}

process.on("uncaughtException", (error) => {
  // Going on in an unknown state could record what is not so; the next start finds every job as it is.
  fail(`ends because of an error that nothing expected: ${error.stack ?? String(error)}`, 1);
});

main(process.argv.slice(2)).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error), 1));
