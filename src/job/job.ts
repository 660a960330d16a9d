import { type Static, type TSchema, Type } from "typebox";
import type { RecordedSpec } from "./secrets.ts";

/** What the API shows of a job: the schemas are its description, and give the types. A schema with a title has a name of its own in the OpenAPI document. */

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

/** How a job or step ended badly, or why. One word for each different fact. */
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

/** What a job can end with; null: nothing is to be said. A container's memory may have been used up although it succeeded. */
export const reasonsOf = {
  Succeeded: [null, "OutOfMemory"],
  Failed: ["ExitCode", "Signal", "CouldNotStart", "OutOfMemory", "ImagePull", "EngineError"],
  Killed: ["Requested"],
  TimedOut: ["Timeout", "IdleTimeout"],
  Lost: ["SupervisorLost", "Reboot"],
} as const satisfies Record<FinalState, readonly (Reason | null)[]>;

const State = Type.Enum([...jobStates], {
  title: "JobState",
  description: "Queued, Starting, Running and Stopping are on the way to one of the others",
});
const Time = Type.String({ format: "date-time", description: "RFC 3339, UTC" });
const Count = Type.Integer({ minimum: 0 });

/** How something ended; all null while it has not, and where it is not known. */
const ending = {
  Reason: orNull(Reason),
  ExitCode: orNull(Type.Integer(), { description: "as the kernel or the engine said; null where there is none or it is not known" }),
  Signal: orNull(Type.String(), { description: "its name, such as SIGKILL, where a signal ended it" }),
  Message: orNull(Type.String(), { description: "the same for people" }),
};

/** A step as the API shows it; what does not apply (yet) is null. */
export const StepView = Type.Object(
  {
    Number: Type.Integer({ minimum: 1 }),
    Name: orNull(Type.String()),
    State: Type.Enum([...stepStates], { title: "StepState" }),
    ...ending,
    StartedAt: orNull(Time),
    EndedAt: orNull(Time),
    CPUSeconds: orNull(Type.Number({ minimum: 0 }), {
      description: "of its first process and of the children that it waited for; null of a container",
    }),
    PeakMemoryBytes: orNull(Count, { description: "as CPUSeconds" }),
    OutputBytes: orNull(Count),
  },
  { title: "Step", description: "What does not apply (yet) is null" },
);
export type StepView = Static<typeof StepView>;

/** Null of all jobs but those that wait so. */
const WaitsFor = Type.Object(
  {
    PID: Type.Integer({ minimum: 1 }),
    Program: Type.String({ description: "as it calls itself" }),
    User: Type.String({ description: "as whom it acts: a name, or the number of a user without an account" }),
    Cause: Type.Enum(["NotPermitted", "DoesNotEnd"], {
      description:
        "NotPermitted: the service's user may not signal it. DoesNotEnd: it was sent SIGKILL and lives on, such as one that is asleep in the kernel",
    }),
  },
  { title: "WaitedProcess", description: "A process of the job that SIGKILL has not ended; of several, one" },
);
export type WaitsFor = Static<typeof WaitsFor>;

export const jobFields = {
  ID: Type.String({ description: "a UUID, version 7" }),
  Name: orNull(Type.String()),
  Labels: Type.Record(Type.String(), Type.String()),
  State,
  ...ending,
  WaitsFor: orNull(WaitsFor, { description: "for whose end a kill, a timeout or the job's end waits; Message says the same" }),
  SubmittedBy: orNull(Type.String(), {
    description: "token:NAME, certificate:NAME, local:USER or socket:USER; null: by a service that did not record it",
  }),
  SubmittedAt: Time,
  StartedAt: orNull(Time),
  EndedAt: orNull(Time),
  OutputBytes: orNull(Count, { description: "that were kept" }),
  OutputLostBytes: orNull(Count, { description: "that could not be kept; null: not known" }),
  Steps: Type.Array(StepView),
};

/** What the descriptions show: a step that failed, and one that therefore did not run. */
export const exampleJob = {
  ID: "019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b",
  Name: "nightly",
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

/** A view as it was recorded, by this service or an older one, which had not all of its fields. */
export function readView(json: string): JobView {
  const view: JobView = JSON.parse(json);
  return Object.hasOwn(view, "WaitsFor") ? view : { ...view, WaitsFor: null };
}

export type WholeJobView = JobView & { Spec: RecordedSpec };
