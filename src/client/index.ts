/** The typed client of jobrunner's HTTP API, for Node and browsers. */
export { Client } from "./client.ts";
export type { ByName } from "./find.ts";
export type {
  Box,
  CallOptions,
  ClientOptions,
  Diagnosis,
  EventsPosition,
  Health,
  JobEvent,
  JobPage,
  JobQuery,
  JobSpec,
  OutputStyle,
  RemovedJob,
  SearchResult,
  Signal,
  SubmitAndAttachOptions,
  SubmitOptions,
  WholeJob,
} from "./types.ts";
export type { AttachOptions, Job, Piece } from "./attach.ts";
export { AmbiguousName, AmbiguousPrefix, ApiError, NoSuchJob, NotFinishedInTime, type Problem, Silence, Unreachable } from "./errors.ts";
export { type OnRetry, Backoff, type BackoffOptions, type Retry } from "./backoff.ts";
export { activeStates, isFinished, jobStates, stateNamed } from "./states.ts";
export type { Answered } from "./answered.ts";
export type { Fetch, FetchInit } from "./transport.ts";
export type { Entry, FilePath, Opened, WorkspaceFiles } from "./workspace-files.ts";

import type { components } from "./openapi.ts";

export type Step = components["schemas"]["Step"];
export type JobState = components["schemas"]["JobState"];
export type Reason = components["schemas"]["Reason"];
