import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileLimit, readersWithin } from "./api/connections.ts";
import { listen, type Listener } from "./api/listener.ts";
import { Readers } from "./api/readers.ts";
import { makeApi } from "./api/server.ts";
import { type Actor, AuditLog } from "./audit/audit-log.ts";
import { runCommandLine } from "./cli/program.ts";
import { WrongUse } from "./cli/wrong-use.ts";
import { type Config, helpText, type LogLevel, readConfig } from "./config.ts";
import { ensureFirstToken } from "./identity/first-token.ts";
import { Identifier } from "./identity/identify.ts";
import { Metrics } from "./metrics/metrics.ts";
import { type LocalRunner, openRunner } from "./runner/runner.ts";
import type { Log } from "./runner/types.ts";
import { KernelSockets } from "./sockets/kernel-sockets.ts";

/** Config, then the state directory and all jobs in it, then HTTP. The only place where the process ends itself. */

const root = resolve(import.meta.dirname, "..");
const supervisorPath = join(root, "build", "jobrunner-supervisor");
const itself: Actor = { By: "service", Role: null, From: "service" };

async function main(args: string[]): Promise<void> {
  await runCommandLine(args, {
    version: version(),
    helpText: helpText(process.env),
    serve: async () => await serve(configOrRefusal()),
    place: configOrRefusal,
    print: (text) => console.log(text),
  });
}

function configOrRefusal(): Config {
  const read = readConfig(process.env);
  if ("mistakes" in read) throw new WrongUse(read.mistakes.join("\njobrunner: "));
  return read.config;
}

async function serve(config: Config): Promise<void> {
  if (statSync(supervisorPath, { throwIfNoEntry: false }) === undefined) throw new Error(`the supervisor is not built: run make in ${root}`);
  process.umask(0o077); // all that the service makes is its user's alone; jobs have a umask of their own
  const log = makeLog(config.logLevel);
  const metrics = new Metrics();
  const runner = await openRunner({ ...config, supervisorPath, observer: metrics, log });
  try {
    const audit = new AuditLog({ ...config.audit, stateDir: config.stateDir }, (error) => log("error", "the audit log could not be written", { error: String(error) }));
    const tokenPath = ensureFirstToken(runner.store.tokens, config.stateDir);
    const listener = await openApi(config, { runner, audit, metrics, log });
    audit.write(itself, { Event: "start" });
    obeySignals({ runner, audit, listener, hasFilesToReload: config.tls.certificate !== null });
    const token = tokenPath === null ? "" : `\na first token, for those who are not trusted without, is in ${tokenPath}`;
    console.log(`jobrunner ${version()} listens on ${listener.urls.join(" and ")}\nits state is in ${config.stateDir}${token}`);
  } catch (error) {
    runner.close();
    throw error;
  }
}

type Parts = { runner: LocalRunner; audit: AuditLog; metrics: Metrics; log: Log };

async function openApi(config: Config, { runner, audit, metrics, log }: Parts): Promise<Listener> {
  const { hostname, access, tls, limits } = config;
  const sockets = new KernelSockets(supervisorPath);
  const identifier = new Identifier(runner.store, { localTrust: access.localTrust, clientRoles: tls.clientRoles, hasClientCertificates: tls.clientCa !== null, sockets });
  const readers = new Readers({ ...limits, maxReaders: Math.min(limits.maxReaders, readersWithin(fileLimit())) }, () => metrics.dropped("not_let_in"));
  metrics.observe({ version: version(), maxRunning: config.maxRunning, countStates: () => runner.countStates(), readers: () => readers.count });
  const context = { runner, watchers: runner.watchers, identifier, audit, readers, sockets, metrics, limits, version: version(), log };
  const { handle } = await makeApi(context, { hostname, allowedHosts: access.allowedHosts });
  const addresses = config.port === null ? [] : hostname === "" ? ["127.0.0.1", "::1"] : [hostname];
  const files = tls.certificate === null || tls.key === null ? null : { certificate: tls.certificate, key: tls.key, clientCa: tls.clientCa };
  return await listen(handle, { addresses, port: config.port ?? 0, socketPath: config.socketPath, tls: files, limits, log });
}

type Running = { runner: LocalRunner; audit: AuditLog; listener: Listener; hasFilesToReload: boolean };

/** SIGHUP is what a terminal sends when it is closed: it ends the service, too, unless there are certificates to be read again. */
function obeySignals({ runner, audit, listener, hasFilesToReload }: Running): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    void listener.close().then(() => {
      runner.close();
      audit.write(itself, { Event: "stop" });
      process.exit(0); // what a reader or a patrol left behind must not keep us
    });
  };
  process.on("SIGTERM", stop).on("SIGINT", stop).on("SIGHUP", () => (hasFilesToReload ? listener.reload() : stop()));
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

// A terminal that is gone, or a full disk under a log, is no reason to end: there is nowhere to say it.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.on("uncaughtException", (error) => {
  // Going on in an unknown state could record what is not so; the next start finds every job as it is.
  fail(`ends because of an error that nothing expected: ${error.stack ?? String(error)}`, 1);
});

main(process.argv.slice(2)).catch((error: unknown) => {
  fail(error instanceof Error ? error.message : String(error), error instanceof WrongUse ? 2 : 1);
});
