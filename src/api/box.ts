import { type Static, Type } from "typebox";
import { roles } from "../identity/roles.ts";

/** What the API shows of this machine and of the service on it. A value that is not known is null. */

const count = Type.Integer({ minimum: 0 });
const countOrNull = Type.Union([count, Type.Null()]);
const textOrNull = Type.Union([Type.String(), Type.Null()]);
const time = Type.String({ format: "date-time" });

const You = Type.Object(
  {
    Name: Type.String({ description: "SubmittedBy of your jobs" }),
    Role: Type.Enum([...roles]),
    SeesOwnJobsAlone: Type.Boolean({ description: "true: lists and events contain only your jobs" }),
  },
  { description: "The identity of the request" },
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
  { description: "As configured; docs/configuration.md describes each limit" },
);

export type Box = Static<typeof Box>;
export const Box = Type.Object(
  {
    Version: Type.String(),
    NodeVersion: Type.String({ description: "the version of Node.js, without a v" }),
    Kernel: Type.String({ description: "the release of the Linux kernel" }),
    Hostname: Type.String(),
    User: Type.String({ description: "the user of the service, and of jobs without a User" }),
    StartedAt: Type.String({ format: "date-time", description: "when the service started; jobs may be older" }),
    Now: time,
    You,
    Running: Type.Integer({ minimum: 0, description: "admitted and unfinished jobs of all users" }),
    Queued: Type.Integer({ minimum: 0, description: "queued jobs of all users: they wait, because at most MaxRunning jobs run" }),
    Load: Type.Object({
      Averages: Type.Array(Type.Number({ minimum: 0 }), {
        minItems: 3,
        maxItems: 3,
        description: "the load averages of 1, 5 and 15 minutes (proc_loadavg(5))",
      }),
      CPUs: Type.Integer({ minimum: 1, description: "the CPUs that the service may use" }),
    }),
    Memory: Type.Object(
      {
        TotalBytes: count,
        AvailableBytes: Type.Integer({ minimum: 0, description: "available without swapping: MemAvailable of proc_meminfo(5)" }),
      },
      { description: "The memory of the whole machine" },
    ),
    Disk: Type.Object(
      {
        TotalBytes: countOrNull,
        AvailableBytes: countOrNull,
        MinFreeBytes: Type.Integer({ minimum: 0, description: "new jobs are refused if fewer bytes are available" }),
      },
      { description: "The disk of the state directory; null: the file system does not report it" },
    ),
    Containers: Type.Object(
      { Engine: textOrNull, Version: textOrNull, Problem: textOrNull },
      { description: "the container engine, or why there is none" },
    ),
    Cgroups: Type.Union([Type.String(), Type.Null()], { description: "the folder of the jobs' cgroups; null: none can be created" }),
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
        Check: Type.String({ description: "the name of the check; one check may have several findings", examples: ["disk"] }),
        Level: Type.Enum(["ok", "note", "problem"], {
          description: "note: jobs run, but something can be improved; problem: no job works, or something that is configured does not",
        }),
        Found: Type.String({ description: "the finding, as a sentence for people" }),
        Remedy: Type.Union([Type.String(), Type.Null()], { description: "what to do; null: nothing" }),
      }),
    ),
  },
  { title: "Diagnosis", description: "What `jobrunner doctor --json` prints" },
);
