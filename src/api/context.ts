import type { FastifyInstance } from "fastify";
import type { OutputWatchers } from "../output/watcher.ts";
import type { JobRunner, Log } from "../runner/types.ts";

/** What routes work with. */
export type Context = {
  runner: JobRunner;
  watchers: OutputWatchers;
  readerTimeoutSeconds: number;
  version: string;
  log: Log;
};

export type Routes = (app: FastifyInstance, context: Context) => void;
