import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from "fastify";
import type { Static, TSchema } from "typebox";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Identifier } from "../identity/identify.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { OutputWatchers } from "../output/watcher.ts";
import type { JobRunner } from "../runner/job-runner.ts";
import type { Log } from "../runner/log.ts";
import type { KernelSockets } from "../sockets/kernel-sockets.ts";
import type { Diagnosis } from "./box.ts";
import type { Readers } from "./readers.ts";
import type { Shares } from "./shares.ts";
import type { Turns } from "./turns.ts";

type Limits = {
  maxBodyBytes: number;
  maxFileBytes: number;
  maxHeaderBytes: number;
  maxConnections: number;
  maxReaders: number;
  maxReadersPerJob: number;
  maxReadersPerIdentity: number;
  readerTimeoutSeconds: number;
  requestTimeoutSeconds: number;
  maxRequestsPerSecond: number; // of one identity
  maxFailuresPerMinute: number; // of one address
};

/** What is shown of the configuration besides limits. */
type Settings = { stateDir: string; minFreeBytes: number; maxRunning: number };

/** What routes work with. */
export type Context = {
  runner: JobRunner;
  watchers: OutputWatchers;
  identifier: Identifier;
  audit: AuditLog;
  readers: Readers;
  /** Of folders and files of workspaces that may be open besides those of readers. */
  descriptors: Shares;
  /** For work over what a job or submitter can make large: a search, a folder. */
  turns: Turns;
  /** For removing folders, each of which may take as long as it has files. */
  removals: Turns;
  /** Of pages of folders in memory, until their clients have them. */
  pages: Shares;
  metrics: Metrics;
  sockets: KernelSockets;
  limits: Limits;
  settings: Settings;
  /** What the doctor finds, who looks at this box as the service is configured. */
  diagnose: () => Promise<Diagnosis>;
  supervisorPath: string;
  pageDirectory: string; // of the built web page
  version: string;
  log: Log;
};

/** What a route's schemas allow is the type of what its handler gets. */
interface FromSchemas extends FastifyTypeProvider {
  validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, FromSchemas>;

export type Routes = (app: App, context: Context) => void;
