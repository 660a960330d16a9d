import type { Job } from "./attach.ts";
import type { OnRetry } from "./backoff.ts";
import type { components, operations } from "./openapi.ts";
import type { Fetch } from "./transport.ts";

/** What the calls of the client take and give. */

export type JobSpec = components["schemas"]["JobSpec"];
export type WholeJob = components["schemas"]["WholeJob"];
export type Health = components["schemas"]["Health"];
export type Box = components["schemas"]["Box"];
export type Diagnosis = components["schemas"]["Diagnosis"];
export type OutputStyle = components["schemas"]["OutputStyle"];
export type SearchResult = components["schemas"]["SearchResult"];
export type Signal = components["schemas"]["SignalRequest"]["Signal"];
export type RemovedJob = components["schemas"]["RemovedJob"];
export type JobPage = components["schemas"]["JobPage"];
export type JobQuery = NonNullable<operations["listJobs"]["parameters"]["query"]>;

/**
 * `open`: at the start, and after each reconnection. `missing`: changes may have been missed; the latest state of the jobs that may have
 * changed follows. If `isWhole` is false, some of the jobs that finished meanwhile are not among them.
 */
export type JobEvent = { kind: "open" } | { kind: "job"; job: Job } | { kind: "missing"; isWhole: boolean };

/** The ID of the last event that was taken; null: none yet. */
export type EventsPosition = { id: string | null };

export type ClientOptions = {
  /** The URL of the service. Its path, if any, is a prefix of all paths of the API. */
  url?: string;
  token?: string;
  /** Replaces the platform's `fetch`, for example to use a unix socket or a client certificate. It is called with the URL as a string. */
  fetch?: Fetch;
  /** Called before each delay of a retry. */
  onRetry?: OnRetry;
  /** A connection that is silent for this long counts as broken (default: 50). The service sends a heartbeat every 15 s. */
  silenceSeconds?: number;
  /** How long retried calls go on while the service does not answer, before they throw the error. Default: for ever. */
  retrySeconds?: number;
};

export type CallOptions = { signal?: AbortSignal };
/** `idempotencyKey`: 1 to 255 visible ASCII characters; a random one by default. */
export type SubmitOptions = CallOptions & { idempotencyKey?: string };
export type SubmitAndAttachOptions = SubmitOptions & { isKilledOnDisconnect?: boolean; onSubmitted?: (id: string) => void };
/** `isRetried`: the call is retried while the service does not answer, as long calls always are. */
export type AskOptions = CallOptions & { isRetried?: boolean };
