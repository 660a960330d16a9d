import type { FastifyInstance } from "fastify";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Identifier } from "../identity/identify.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { OutputWatchers } from "../output/watcher.ts";
import type { JobRunner, Log } from "../runner/types.ts";
import type { KernelSockets } from "../sockets/kernel-sockets.ts";
import type { Readers } from "./readers.ts";

export type Limits = {
  maxBodyBytes: number;
  maxReaders: number;
  maxReadersPerJob: number;
  readerTimeoutSeconds: number;
  maxRequestsPerSecond: number; // of one identity
  maxFailuresPerMinute: number; // of one address
};

/** What routes work with. */
export type Context = {
  runner: JobRunner;
  watchers: OutputWatchers;
  identifier: Identifier;
  audit: AuditLog;
  readers: Readers;
  metrics: Metrics;
  sockets: KernelSockets;
  limits: Limits;
  version: string;
  log: Log;
};

export type Routes = (app: FastifyInstance, context: Context) => void;
