import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Changes } from "../../src/api/changes.ts";
import type { Context, Routes } from "../../src/api/context.ts";
import { listen } from "../../src/api/listener.ts";
import { Readers } from "../../src/api/readers.ts";
import { type Api, makeApi } from "../../src/api/server.ts";
import type { TlsFiles } from "../../src/api/tls.ts";
import { AuditLog } from "../../src/audit/audit-log.ts";
import { readConfig } from "../../src/config.ts";
import { Identifier } from "../../src/identity/identify.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { Operations } from "../../src/operations/operations.ts";
import { pageBounds, Shares } from "../../src/operations/shares.ts";
import { removalBounds, turnBounds, Turns } from "../../src/operations/turns.ts";
import { Runner } from "../../src/runner/runner.ts";
import { openState, type State } from "../../src/runner/state.ts";
import { KernelSockets } from "../../src/sockets/kernel-sockets.ts";
import { repository } from "./service.ts";

type OpenedApi = { api: Api; context: Context; state: State };

/** The API in this process, over a real runner, with the service's routes or those of the test. */
export async function openApi(t: TestContext, environment: Record<string, string> = {}, routes?: Routes[]): Promise<OpenedApi> {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-api-"));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const read = readConfig({ JOBRUNNER_STATE_DIR: stateDir, JOBRUNNER_CONTAINER_ENGINE: "none", ...environment });
  if (!("config" in read)) throw new Error(`the configuration has mistakes: ${JSON.stringify(read)}`);
  const { config } = read;
  const log = (): void => undefined;
  const supervisorPath = join(repository, "build", "jobrunner-supervisor");
  const metrics = new Metrics();
  const state = await openState({ ...config, onCommit: log });
  t.after(() => state.close());
  const runner = Runner.open({ ...config, supervisorPath, observer: metrics, log }, state);
  t.after(() => runner.close());
  const sockets = new KernelSockets(supervisorPath);
  t.after(() => sockets.close());
  const { localTrust } = config.access;
  const identifier = new Identifier(state.store, { localTrust, clientRoles: new Map(), hasClientCertificates: false, sockets });
  const audit = new AuditLog({ ...config.audit, stateDir }, log);
  const readers = new Readers({ ...config.limits, isStillAuthorized: () => true, onDropped: () => undefined });
  t.after(() => readers.close());
  const turns = new Turns(turnBounds);
  const { watchers } = runner;
  const context: Context = {
    operations: new Operations({ runner, watchers, audit, turns, removals: new Turns(removalBounds), supervisorPath }),
    changes: new Changes(runner),
    identifier,
    audit,
    readers,
    descriptors: new Shares({ max: 100, maxPerIdentity: 100 }),
    turns,
    pages: new Shares(pageBounds),
    sockets,
    metrics,
    log,
    limits: config.limits,
    settings: config,
    diagnose: async () => ({ Version: "0", IsWell: true, Findings: [] }),
    closing: new AbortController().signal,
    pageDirectory: "/nowhere",
    version: "0",
  };
  return { api: await makeApi(context, { hostname: "", allowedHosts: [] }, routes), context, state };
}

type Where = { socketPath?: string; tls?: TlsFiles };

/** Lets the API answer on a free port of loopback, or on a socket. */
export async function serveApi(t: TestContext, { api, context }: OpenedApi, { socketPath, tls }: Where = {}): Promise<{ port: number }> {
  const { maxConnections, maxHeaderBytes, headersTimeoutSeconds, requestTimeoutSeconds } = context.limits;
  const limits = { maxConnections, maxHeaderBytes, headersTimeoutSeconds, requestTimeoutSeconds, idleTimeoutSeconds: 60 };
  const addresses = socketPath === undefined ? ["127.0.0.1"] : [];
  const listener = await listen(api, { addresses, port: 0, socketPath: socketPath ?? null, tls: tls ?? null, limits, log: context.log });
  t.after(() => listener.close());
  return { port: Number(/:(\d+)$/.exec(listener.urls[0] ?? "")?.[1] ?? 0) };
}
