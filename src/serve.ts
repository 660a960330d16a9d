import { flushCompileCache } from "node:module";
import { fileLimit, filesWithin, readersWithin } from "./api/connections.ts";
import { listen, type Listener } from "./api/listener.ts";
import { Readers } from "./api/readers.ts";
import { makeApi } from "./api/server.ts";
import { pageBounds, Shares } from "./api/shares.ts";
import { removalBounds, turnBounds, Turns } from "./api/turns.ts";
import { type Actor, AuditLog } from "./audit/audit-log.ts";
import type { Config } from "./config.ts";
import type { DiagnosisDocument } from "./doctor/diagnosis.ts";
import { ensureFirstToken } from "./identity/first-token.ts";
import { Identifier } from "./identity/identify.ts";
import { keepParts } from "./kept-parts.ts";
import { makeLog } from "./log.ts";
import { Metrics } from "./metrics/metrics.ts";
import { openRunner } from "./runner/open.ts";
import type { LocalRunner } from "./runner/runner.ts";
import { asStateTrouble } from "./runner/state-dir.ts";
import type { Log } from "./runner/log.ts";
import { KernelSockets } from "./sockets/kernel-sockets.ts";

/** The service: the state directory and all jobs in it, then HTTP. */

const itself: Actor = { By: "service", Role: null, From: "service" };

export type Program = {
  config: Config;
  version: string;
  supervisorPath: string;
  /** Of the built web page. */
  pageDirectory: string;
  /** Ends the process, when a signal asked for it and all is closed. */
  exit: () => void;
};

/** What can wait is done so long after the start: beside it, the first answers would be late. */
const afterStartMs = 1000;

/** Starts it; resolves when it listens, and throws with a sentence for people where it cannot. */
export async function serve(program: Program): Promise<void> {
  const { config, supervisorPath, exit } = program;
  process.umask(0o077); // all that the service makes is its user's alone; jobs have a umask of their own
  const log = await makeLog(config.logLevel);
  const metrics = new Metrics();
  const runner = await openRunner({ ...config, supervisorPath, observer: metrics, log });
  try {
    const audit = new AuditLog({ ...config.audit, stateDir: config.stateDir }, (error) =>
      log("error", "the audit log could not be written", { err: error }),
    );
    const tokenPath = firstToken(runner, config.stateDir);
    const listener = await openApi(program, { runner, audit, metrics, log });
    process.on("exit", () => audit.flush());
    audit.write(itself, { Event: "start" });
    keepParts();
    const later = setTimeout(() => afterStart({ runner, metrics, log }), afterStartMs);
    handleSignals({ runner, audit, listener, later, exit, hasFilesToReload: config.tls.certificate !== null });
    await new Promise((resolve) => setImmediate(resolve)); // what the log says of the start, it says first
    const token = tokenPath === null ? "" : `\na first token, for those who are not trusted without, is in ${tokenPath}`;
    console.log(`jobrunner ${program.version} listens on ${listener.urls.join(" and ")}\nits state is in ${config.stateDir}${token}`);
  } catch (error) {
    runner.close();
    throw error;
  }
}

function afterStart({ runner, metrics, log }: Omit<Parts, "audit">): void {
  runner.clearUp();
  metrics
    .load()
    .catch((error: unknown) =>
      log("error", "what keeps the metrics could not be loaded; it is tried again when they are asked for", { err: error }),
    )
    .finally(flushCompileCache); // also of a service that will be killed
}

function firstToken({ store }: LocalRunner, stateDir: string): string | null {
  try {
    return ensureFirstToken(store.tokens, stateDir);
  } catch (error) {
    throw asStateTrouble(error, stateDir);
  }
}

type Parts = { runner: LocalRunner; audit: AuditLog; metrics: Metrics; log: Log };

async function openApi(program: Program, { runner, audit, metrics, log }: Parts): Promise<Listener> {
  const { config, version, supervisorPath, pageDirectory } = program;
  const { hostname, access, tls, limits } = config;
  const sockets = new KernelSockets(supervisorPath);
  const identifier = new Identifier(runner.store, {
    localTrust: access.localTrust,
    clientRoles: tls.clientRoles,
    hasClientCertificates: tls.clientCa !== null,
    sockets,
  });
  const maxReaders = Math.min(limits.maxReaders, readersWithin(fileLimit()));
  const readers = new Readers({
    ...limits,
    maxReaders,
    isStillAuthorized: (identity) => identifier.isStillAuthorized(identity),
    onDropped: () => metrics.dropped("not_authorized"),
  });
  metrics.observe({
    version,
    maxRunning: config.maxRunning,
    countStates: () => runner.countStates(),
    readers: () => readers.count,
    remains: () => runner.health().remains.length,
  });
  const descriptors = new Shares(filesWithin(fileLimit()));
  const dependencies = {
    runner,
    watchers: runner.watchers,
    identifier,
    audit,
    readers,
    descriptors,
    turns: new Turns(turnBounds),
    removals: new Turns(removalBounds),
    pages: new Shares(pageBounds),
    sockets,
    metrics,
    log,
  };
  const context = { ...dependencies, limits, settings: config, diagnose: () => diagnose(program), supervisorPath, pageDirectory, version };
  const { handle } = await makeApi(context, { hostname, allowedHosts: access.allowedHosts });
  const addresses = config.port === null ? [] : hostname === "" ? ["127.0.0.1", "::1"] : [hostname];
  const files =
    tls.certificate === null || tls.key === null ? null : { certificate: tls.certificate, key: tls.key, clientCa: tls.clientCa };
  return await listen(handle, { addresses, port: config.port ?? 0, socketPath: config.socketPath, tls: files, limits, log });
}

/** The doctor, loaded when it is asked for. The configuration has no mistakes, or the service would not have started. */
async function diagnose({ config, version, supervisorPath }: Program): Promise<DiagnosisDocument> {
  const [{ doctor }, { documentOf }] = await Promise.all([import("./doctor/doctor.ts"), import("./doctor/diagnosis.ts")]);
  return documentOf(await doctor({ version, settings: config, mistakes: [], supervisor: { path: supervisorPath } }));
}

type Running = {
  runner: LocalRunner;
  audit: AuditLog;
  listener: Listener;
  later: NodeJS.Timeout;
  exit: () => void;
  hasFilesToReload: boolean;
};

/** SIGHUP is what a terminal sends when it is closed: it ends the service, too, unless there are certificates to be read again. */
function handleSignals({ runner, audit, listener, later, exit, hasFilesToReload }: Running): void {
  let isStopping = false;
  const close = async (): Promise<void> => {
    clearTimeout(later);
    await listener.close();
    runner.close();
    audit.write(itself, { Event: "stop" });
  };
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    void close().then(exit); // what a reader or a patrol left behind must not keep us
  };
  process
    .on("SIGTERM", stop)
    .on("SIGINT", stop)
    .on("SIGHUP", () => (hasFilesToReload ? listener.reload() : stop()));
}
