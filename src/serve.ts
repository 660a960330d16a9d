import { flushCompileCache } from "node:module";
import { fileLimit, filesWithin, readersWithin } from "./api/connections.ts";
import { listen, type Listener } from "./api/listener.ts";
import { Readers } from "./api/readers.ts";
import { makeApi } from "./api/server.ts";
import { Changes } from "./api/changes.ts";
import { Operations } from "./operations/operations.ts";
import { pageBounds, Shares } from "./operations/shares.ts";
import { removalBounds, turnBounds, Turns } from "./operations/turns.ts";
import { type Actor, AuditLog } from "./audit/audit-log.ts";
import type { Config } from "./config.ts";
import type { DiagnosisDocument } from "./doctor/diagnosis.ts";
import { ensureFirstToken } from "./identity/first-token.ts";
import { Identifier } from "./identity/identify.ts";
import { keepParts } from "./kept-parts.ts";
import { makeLog } from "./log.ts";
import { Metrics } from "./metrics/metrics.ts";
import type { Log } from "./runner/log.ts";
import { Runner } from "./runner/runner.ts";
import { asStateTrouble } from "./runner/state-dir.ts";
import { openState, type State } from "./runner/state.ts";
import { KernelSockets } from "./sockets/kernel-sockets.ts";

/** The service's composition: the state, the runner and its jobs, then HTTP. */

const itself: Actor = { By: "service", Role: null, From: "service" };

export type Program = {
  config: Config;
  version: string;
  supervisorPath: string;
  /** The folder of the built web page. */
  pageDirectory: string;
  /** Ends the process, after a signal, when everything is closed. */
  exit: () => void;
};

/** Work that can wait begins this long after the start. Earlier, it would delay the first answers. */
const afterStartMs = 1000;

/** Starts the service. Resolves when it listens; rejects with a sentence for people if it cannot. */
export async function serve(program: Program): Promise<void> {
  const { config, supervisorPath } = program;
  process.umask(0o077); // files of the service are for its user alone; jobs get another umask
  const log = await makeLog(config.logLevel);
  const metrics = new Metrics();
  const state = await openState({ ...config, onCommit: (ms) => metrics.committed(ms) });
  try {
    const runner = Runner.open({ ...config, supervisorPath, observer: metrics, log }, state);
    try {
      await start(program, { state, runner, metrics, log });
    } catch (error) {
      runner.close();
      throw error;
    }
  } catch (error) {
    state.close();
    throw error;
  }
}

type Parts = { state: State; runner: Runner; metrics: Metrics; log: Log };

async function start(program: Program, parts: Parts): Promise<void> {
  const { config, version, exit } = program;
  const { state, runner, log } = parts;
  const audit = new AuditLog({ ...config.audit, stateDir: config.stateDir }, (error) =>
    log("error", "the audit log could not be written", { err: error }),
  );
  const tokenPath = firstToken(state);
  const closing = new AbortController();
  const listener = await openApi(program, { ...parts, audit, closing: closing.signal });
  process.on("exit", () => audit.flush());
  audit.write(itself, { Event: "start" });
  keepParts();
  const later = setTimeout(() => afterStart(parts), afterStartMs);
  const close = async (): Promise<void> => {
    clearTimeout(later);
    closing.abort();
    await listener.close();
    runner.close();
    state.close();
    audit.write(itself, { Event: "stop" });
  };
  handleSignals({ close, exit, reload: config.tls.certificate === null ? null : () => listener.reload() });
  await new Promise((resolve) => setImmediate(resolve)); // the log's lines about the start come first
  const token = tokenPath === null ? "" : `\na first token, for clients that need one, is in ${tokenPath}`;
  console.log(`jobrunner ${version} listens on ${listener.urls.join(" and ")}\nits state is in ${config.stateDir}${token}`);
}

function firstToken({ store, stateDir }: State): string | null {
  try {
    return ensureFirstToken(store.tokens, stateDir);
  } catch (error) {
    throw asStateTrouble(error, stateDir);
  }
}

function afterStart({ runner, metrics, log }: Parts): void {
  runner.removeLeftovers();
  metrics
    .load()
    .catch((error: unknown) => log("error", "the metrics library could not be loaded; tried again at the next request", { err: error }))
    .finally(flushCompileCache); // also for a service that will be killed
}

type ApiParts = Parts & { audit: AuditLog; closing: AbortSignal };

async function openApi(program: Program, { state, runner, audit, closing, metrics, log }: ApiParts): Promise<Listener> {
  const { config, version, supervisorPath, pageDirectory } = program;
  const { hostname, access, tls, limits } = config;
  const sockets = new KernelSockets(supervisorPath);
  const identifier = new Identifier(state.store, {
    localTrust: access.localTrust,
    clientRoles: tls.clientRoles,
    hasClientCertificates: tls.clientCa !== null,
    sockets,
  });
  const readers = new Readers({
    ...limits,
    maxReaders: Math.min(limits.maxReaders, readersWithin(fileLimit())),
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
  const turns = new Turns(turnBounds);
  const { watchers } = runner;
  const operations = new Operations({ runner, watchers, audit, turns, removals: new Turns(removalBounds), supervisorPath });
  const dependencies = {
    operations,
    changes: new Changes(runner),
    identifier,
    audit,
    readers,
    descriptors: new Shares(filesWithin(fileLimit())),
    turns,
    pages: new Shares(pageBounds),
    sockets,
    metrics,
    closing,
    log,
  };
  const context = { ...dependencies, limits, settings: config, diagnose: () => diagnose(program), pageDirectory, version };
  const api = await makeApi(context, { hostname, allowedHosts: access.allowedHosts });
  const addresses = config.port === null ? [] : hostname === "" ? ["127.0.0.1", "::1"] : [hostname];
  const { certificate, key, clientCa } = tls;
  const files = certificate === null || key === null ? null : { certificate, key, clientCa };
  return await listen(api, { addresses, port: config.port ?? 0, socketPath: config.socketPath, tls: files, limits, log });
}

/** Runs the doctor, which is loaded on first use. The configuration has no mistakes, or the service would not have started. */
async function diagnose({ config, version, supervisorPath }: Program): Promise<DiagnosisDocument> {
  const [{ doctor }, { documentOf }] = await Promise.all([import("./doctor/doctor.ts"), import("./doctor/diagnosis.ts")]);
  return documentOf(await doctor({ version, settings: config, mistakes: [], supervisor: { path: supervisorPath } }));
}

type SignalHandlers = { close: () => Promise<void>; exit: () => void; reload: (() => void) | null };

/** A terminal sends SIGHUP when it is closed. So SIGHUP ends the service, unless there are certificates to reload. */
function handleSignals({ close, exit, reload }: SignalHandlers): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    void close().then(exit); // handles that readers or patrols left open must not delay the exit
  };
  process
    .on("SIGTERM", stop)
    .on("SIGINT", stop)
    .on("SIGHUP", reload ?? stop);
}
