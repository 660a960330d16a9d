import { type Static, Type } from "typebox";
import { roles } from "../identity/roles.ts";

/** What the API shows of the box and of the service on it; what cannot be known is null. */

const count = Type.Integer({ minimum: 0 });
const countOrNull = Type.Union([count, Type.Null()]);
const textOrNull = Type.Union([Type.String(), Type.Null()]);
const time = Type.String({ format: "date-time" });

const You = Type.Object(
  {
    Name: Type.String({ description: "as SubmittedBy of your jobs" }),
    Role: Type.Enum([...roles]),
    SeesOwnJobsAlone: Type.Boolean({ description: "true: lists and events have your jobs alone" }),
  },
  { description: "Who asks, as the service knows you" },
);

const Limits = Type.Object(
  {
    MaxRunning: count,
    MaxBodyBytes: count,
    MaxFileBytes: count,
    MaxHeaderBytes: count,
    MaxConnections: count,
    MaxReaders: count,
    MaxReadersPerJob: count,
    MaxReadersPerIdentity: count,
    ReaderTimeoutSeconds: count,
    RequestTimeoutSeconds: count,
    MaxRequestsPerSecond: count,
    MaxFailuresPerMinute: count,
  },
  { description: "As configured: docs/configuration.md says what each is" },
);

export type Box = Static<typeof Box>;
export const Box = Type.Object(
  {
    Version: Type.String(),
    NodeVersion: Type.String({ description: "of Node.js, without a v" }),
    Kernel: Type.String({ description: "Linux' release" }),
    Hostname: Type.String(),
    User: Type.String({ description: "as whom the service runs, and jobs that name no User" }),
    StartedAt: Type.String({ format: "date-time", description: "the service; jobs may be older" }),
    Now: time,
    You,
    Running: Type.Integer({ minimum: 0, description: "jobs of everybody that are admitted and not finished" }),
    Queued: Type.Integer({ minimum: 0, description: "jobs of everybody that wait for one of MaxRunning places" }),
    Load: Type.Object({
      Averages: Type.Array(Type.Number({ minimum: 0 }), {
        minItems: 3,
        maxItems: 3,
        description: "over 1, 5 and 15 minutes: proc_loadavg(5)",
      }),
      CPUs: Type.Integer({ minimum: 1, description: "that the service may use" }),
    }),
    Memory: Type.Object(
      { TotalBytes: count, AvailableBytes: Type.Integer({ minimum: 0, description: "without swapping: MemAvailable of proc_meminfo(5)" }) },
      { description: "Of the whole box" },
    ),
    Disk: Type.Object(
      {
        TotalBytes: countOrNull,
        AvailableBytes: countOrNull,
        MinFreeBytes: Type.Integer({ minimum: 0, description: "with less available, new jobs are refused" }),
      },
      { description: "On which the state directory is; null: the file system does not say" },
    ),
    Containers: Type.Object(
      { Engine: textOrNull, Version: textOrNull, Problem: textOrNull },
      { description: "which engine there is, or why none" },
    ),
    Cgroups: Type.Union([Type.String(), Type.Null()], { description: "where each job has one; null: none can be made" }),
    Database: Type.String({ description: "ok, or what is wrong" }),
    Launcher: Type.String({ description: "ok, or what is wrong" }),
    Limits,
  },
  { title: "Box" },
);

export type Diagnosis = Static<typeof Diagnosis>;
export const Diagnosis = Type.Object(
  {
    Version: Type.String(),
    IsWell: Type.Boolean({ description: "no finding is a problem" }),
    Findings: Type.Array(
      Type.Object({
        Check: Type.String({ description: "what was looked at; one check may find several things", examples: ["disk"] }),
        Level: Type.Enum(["ok", "note", "problem"], {
          description:
            "note: jobs run, but something is not as it could be; problem: something that was asked for, or every job, does not work",
        }),
        Found: Type.String({ description: "for people" }),
        Remedy: Type.Union([Type.String(), Type.Null()], { description: "what to do; null: nothing" }),
      }),
    ),
  },
  { title: "Diagnosis", description: "What `jobrunner doctor --json` prints" },
);
