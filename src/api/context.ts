import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from "fastify";
import type { Static, TSchema } from "typebox";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Identifier } from "../identity/identify.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Operations } from "../operations/operations.ts";
import type { Log } from "../runner/log.ts";
import type { KernelSockets } from "../sockets/kernel-sockets.ts";
import type { Diagnosis } from "./box.ts";
import type { Changes } from "./changes.ts";
import type { Readers } from "./readers.ts";
import type { Shares } from "../operations/shares.ts";
import type { Turns } from "../operations/turns.ts";

type Limits = {
  maxBodyBytes: number;
  maxFileBytes: number;
  maxHeaderBytes: number;
  maxConnections: number;
  maxReaders: number;
  maxReadersPerJob: number;
  maxReadersPerIdentity: number;
  readerTimeoutSeconds: number;
  headersTimeoutSeconds: number;
  requestTimeoutSeconds: number;
  maxRequestsPerSecond: number; // of one identity
  maxFailuresPerMinute: number; // of one address
};

/** The part of the configuration, besides limits, that GET /box shows. */
type Settings = { stateDir: string; minFreeBytes: number; maxRunning: number };

/** What routes work with. */
export type Context = {
  operations: Operations;
  /** Changes of all jobs. A route gives each reader only those that `operations.events` permits. */
  changes: Changes;
  identifier: Identifier;
  audit: AuditLog;
  readers: Readers;
  /** Limits folders and files of workspaces that are open, besides those of readers. */
  descriptors: Shares;
  /** For work that takes some milliseconds and that thousands may ask for at once. */
  turns: Turns;
  /** Limits pages of folders in memory, until their clients have them. */
  pages: Shares;
  metrics: Metrics;
  sockets: KernelSockets;
  limits: Limits;
  settings: Settings;
  /** What the doctor finds on this machine with the configuration of the service. */
  diagnose: () => Promise<Diagnosis>;
  /** Aborts when the service stops, before it closes its connections. */
  closing: AbortSignal;
  pageDirectory: string; // of the built web page
  version: string;
  log: Log;
};

/** A handler gets the types that its route's schemas permit. */
interface FromSchemas extends FastifyTypeProvider {
  validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, FromSchemas>;

export type Routes = (app: App, context: Context) => void;
