import { type Static, type TSchema, Type } from "typebox";
import type { RecordedSpec } from "./secrets.ts";
import { startErrors } from "./start-failure.ts";

/**
 * The job as the API shows it. The schemas describe it and give the types. A schema with a title has its own name in the OpenAPI document.
 */

export type FinalState = (typeof finalStates)[number];
export type JobState = (typeof jobStates)[number];
export type StepState = (typeof stepStates)[number];

export const finalStates = ["Succeeded", "Failed", "Killed", "TimedOut", "Lost"] as const;
export const activeStates = ["Queued", "Starting", "Running", "Stopping"] as const;
export const jobStates = [...activeStates, ...finalStates] as const;
const stepStates = ["Pending", "Running", "Skipped", ...finalStates] as const;

export function isFinal(state: JobState): state is FinalState {
  return finalStates.some((final) => final === state);
}

function orNull<Schema extends TSchema>(schema: Schema, options: { description?: string } = {}) {
  return Type.Union([schema, Type.Null()], options);
}

/** Why a job or step ended as it did. Each word stands for one fact. */
export const Reason = Type.Enum(
  [
    "ExitCode",
    "Signal",
    "CouldNotStart",
    "Timeout",
    "IdleTimeout",
    "OutOfMemory",
    "ImagePull",
    "EngineError",
    "SupervisorLost",
    "Reboot",
    "Requested",
  ],
  { title: "Reason", description: "Why it ended as it did" },
);
export type Reason = Static<typeof Reason>;

/** The reasons that each final state can have; null: no reason. A job can succeed although a container of it ran out of memory. */
export const reasonsOf = {
  Succeeded: [null, "OutOfMemory"],
  Failed: ["ExitCode", "Signal", "CouldNotStart", "OutOfMemory", "ImagePull", "EngineError"],
  Killed: ["Requested"],
  TimedOut: ["Timeout", "IdleTimeout"],
  Lost: ["SupervisorLost", "Reboot"],
} as const satisfies Record<FinalState, readonly (Reason | null)[]>;

const State = Type.Enum([...jobStates], {
  title: "JobState",
  description: "Queued, Starting, Running and Stopping: the job is active; the others are final",
});
const Time = Type.String({ format: "date-time", description: "RFC 3339, UTC" });
const Count = Type.Integer({ minimum: 0 });

/** How a job or step ended; null: it has not ended, or the value is unknown. */
const ending = {
  Reason: orNull(Reason),
  ExitCode: orNull(Type.Integer(), { description: "as the kernel or the engine reported it; null: none, or unknown" }),
  Signal: orNull(Type.String(), { description: "the name of the signal that ended it, such as SIGKILL" }),
  Message: orNull(Type.String(), { description: "the same for people" }),
};

/** A step as the API shows it. Fields that do not apply (yet) are null. */
export const StepView = Type.Object(
  {
    Number: Type.Integer({ minimum: 1 }),
    Name: orNull(Type.String()),
    State: Type.Enum([...stepStates], { title: "StepState" }),
    ...ending,
    StartError: orNull(Type.Enum([...startErrors]), {
      description: "if its command could not be executed: NotFound or NotExecutable, for which shells exit with 127 and 126",
    }),
    StartedAt: orNull(Time),
    EndedAt: orNull(Time),
    CPUSeconds: orNull(Type.Number({ minimum: 0 }), {
      description: "of its first process and of the children that it waited for; null for a container",
    }),
    PeakMemoryBytes: orNull(Count, { description: "as CPUSeconds" }),
    OutputBytes: orNull(Count),
  },
  { title: "Step", description: "What does not apply (yet) is null" },
);
export type StepView = Static<typeof StepView>;

/** Null unless the job waits for such a process. */
const WaitsFor = Type.Object(
  {
    PID: Type.Integer({ minimum: 1 }),
    Program: Type.String({ description: "its own name for itself" }),
    User: Type.String({ description: "its effective user: a name, or the number of a user without an account" }),
    Cause: Type.Enum(["NotPermitted", "DoesNotEnd"], {
      description:
        "NotPermitted: the service's user may not signal it. DoesNotEnd: it has not ended since SIGKILL was sent, such as a process " +
        "that sleeps " +
        "in the kernel",
    }),
  },
  { title: "WaitedProcess", description: "A process of the job that SIGKILL has not ended, or one of several" },
);
export type WaitsFor = Static<typeof WaitsFor>;

export const jobFields = {
  ID: Type.String({ description: "a UUID, version 7" }),
  Name: orNull(Type.String()),
  Command: orNull(Type.String(), {
    description: "what it runs, on one line, shortened: the first step's command, and how many steps follow; null: unknown",
  }),
  Labels: Type.Record(Type.String(), Type.String()),
  State,
  ...ending,
  WaitsFor: orNull(WaitsFor, { description: "the process that a kill, a timeout or the job's end waits for; Message says the same" }),
  SubmittedBy: orNull(Type.String(), {
    description: "token:NAME, certificate:NAME, local:USER or socket:USER; null: an older service did not record it",
  }),
  SubmittedAt: Time,
  StartedAt: orNull(Time),
  EndedAt: orNull(Time),
  OutputBytes: orNull(Count, { description: "bytes of output that were kept" }),
  OutputLostBytes: orNull(Count, { description: "bytes of output that could not be kept; null: unknown" }),
  Steps: Type.Array(StepView),
};

/** The example in the descriptions: a step that failed, and a step that was skipped for that. */
export const exampleJob = {
  ID: "019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b",
  Name: "nightly",
  Command: "make -j2 (+1 step)",
  Labels: { team: "db" },
  State: "Failed",
  Reason: "ExitCode",
  ExitCode: 2,
  Signal: null,
  Message: "step 1 (build) exited with code 2",
  WaitsFor: null,
  SubmittedBy: "token:ci",
  SubmittedAt: "2026-11-24T02:00:00.125Z",
  StartedAt: "2026-11-24T02:00:00.129113Z",
  EndedAt: "2026-11-24T02:00:41.528390Z",
  OutputBytes: 81_234,
  OutputLostBytes: 0,
  Steps: [
    {
      Number: 1,
      Name: "build",
      State: "Failed",
      Reason: "ExitCode",
      ExitCode: 2,
      Signal: null,
      Message: "exited with code 2",
      StartError: null,
      StartedAt: "2026-11-24T02:00:00.129113Z",
      EndedAt: "2026-11-24T02:00:41.527911Z",
      CPUSeconds: 38.41,
      PeakMemoryBytes: 94_371_840,
      OutputBytes: 81_234,
    },
    {
      Number: 2,
      Name: "test",
      State: "Skipped",
      Reason: null,
      ExitCode: null,
      Signal: null,
      Message: null,
      StartError: null,
      StartedAt: null,
      EndedAt: null,
      CPUSeconds: null,
      PeakMemoryBytes: null,
      OutputBytes: null,
    },
  ],
};

/** A job as the API shows it in lists and events. */
export const JobView = Type.Object(jobFields, {
  title: "Job",
  description: "Exit code, signal and reason are those of the step that decided the outcome",
  examples: [exampleJob],
});
export type JobView = Static<typeof JobView>;

export type WholeJobView = JobView & { Spec: RecordedSpec };
