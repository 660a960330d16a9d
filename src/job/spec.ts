import { Type, type Static } from "typebox";
import { containerFields, findContainerProblem, Image } from "./container-spec.ts";
import { findSecretsProblem, Secrets } from "./secrets.ts";
import { pattern } from "./sentences.ts";
import { stopSignals } from "./signals.ts";
import { findLongString } from "./size.ts";

/** The schemas of a submitted job: they validate, give the types, and (with the routes) the API's description. */

const maxSteps = 1000;
const maxTextLength = 131_071; // in characters; what the kernel takes is counted in bytes: size.ts
const maxSeconds = 10 * 365 * 86_400;

/** The C side counts in milliseconds of 64 bits; ten years is "for ever" to a job. */
function seconds(description: string) {
  return Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: maxSeconds, description }));
}

/** No NUL: neither an argument, a variable nor a path can hold one (execve(2), path_resolution(7)). */
const noNul = "^[^\\u0000]*$";

function path(description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: 4095, pattern: noNul, description }));
}

function commandLine(description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: maxTextLength, pattern: noNul, description }));
}

function name(description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: noControl, description }));
}

const noControl = "^[^\\u0000-\\u001f\\u007f]*$";
const Text = Type.String({ maxLength: maxTextLength, pattern: noNul });

function environment(description: string) {
  return Type.Optional(
    Type.Record(Type.String({ pattern: "^[^=\\u0000]{1,1024}$" }), Text, {
      maxProperties: 10_000,
      additionalProperties: false,
      description,
    }),
  );
}

/** By name, or by number with a group of the user's. */
const userName = pattern(
  "^([A-Za-z_][A-Za-z0-9_.-]*|\\d{1,10}(:\\d{1,10})?)$",
  "must be a user of this box: a name, a number, or number:group",
);

export const Command = Type.Object(
  {
    Name: name("for people"),
    CommandLine: commandLine("run by bash, or by Shell; either this or Args"),
    Args: Type.Optional(
      Type.Array(Text, {
        minItems: 1,
        maxItems: 10_000,
        description: "argument vector, run without a shell; in a container it goes to the image's entrypoint",
      }),
    ),
    Shell: path("the program that runs the CommandLine, with -c; /bin/sh in a container, else bash"),
    Image,
    ...containerFields,
    Environment: environment("variables over the job's"),
    WorkingDir: path("relative to the job's WorkingDir, or absolute"),
    TimeoutSeconds: seconds("the step is stopped after so long"),
    IgnoreError: Type.Optional(Type.Boolean({ description: "the sequence and the job go on as if the step had succeeded" })),
    RunOn: Type.Optional(
      Type.Enum(["success", "failure", "always"], { description: "run if all before succeeded (default), if one failed, or always" }),
    ),
  },
  { additionalProperties: false, title: "Command", description: "A step: on the host, or in a container where it has an Image" },
);

export const JobSpec = Type.Object(
  {
    CommandLine: commandLine("a job of one command line for bash; either this or Commands"),
    Commands: Type.Optional(
      Type.Array(Command, { minItems: 1, maxItems: maxSteps, description: "the steps, one after the other until the first failure" }),
    ),
    Environment: environment("variables of every step, on top of a small clean base"),
    Name: name("for people; lists can be filtered by it"),
    Labels: Type.Optional(
      Type.Record(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$" }), Type.String({ maxLength: 200, pattern: noControl }), {
        maxProperties: 64,
        additionalProperties: false,
        description: "lists can be filtered by them",
      }),
    ),
    WorkingDir: path("where steps start: relative to the job's own workspace (default), or absolute"),
    TimeoutSeconds: seconds("the job is stopped after so long"),
    IdleTimeoutSeconds: seconds("the job is stopped after so long without output"),
    StopSignal: Type.Optional(Type.Enum([...stopSignals], { description: "how a stop begins; SIGTERM" })),
    StopTimeoutSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400, description: "when a stop becomes SIGKILL; 10" })),
    DrainTimeoutSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 86_400,
        description: "how long, at the job's end, filters and others that a step left behind may finish writing its output; 2",
      }),
    ),
    Stdin: Type.Optional(Type.String({ maxLength: 1_048_576, description: "what the first step reads; empty otherwise" })),
    User: Type.Optional(
      Type.String({ maxLength: 255, ...userName, description: "as whom the steps run, where the service is root and allows it" }),
    ),
    Secrets,
  },
  {
    additionalProperties: false,
    title: "JobSpec",
    description: "A job to be run: either CommandLine or Commands",
    examples: [
      { CommandLine: "make && ./bench", Environment: { LEVEL: "3" } },
      {
        Name: "nightly",
        Labels: { team: "db" },
        TimeoutSeconds: 3600,
        Commands: [
          { Name: "build", CommandLine: "make -j2", WorkingDir: "/srv/app" },
          { Name: "test", Image: "debian:12", Args: ["./run-tests"], Network: "none" },
          { Name: "clean", CommandLine: "rm -rf tmp", RunOn: "always" },
        ],
      },
    ],
  },
);

export type Command = Static<typeof Command>;
export type JobSpec = Static<typeof JobSpec>;

/** The job's steps: `CommandLine` is a job of one command. */
export function commandsOf(spec: Pick<JobSpec, "CommandLine" | "Commands">): Command[] {
  if (spec.Commands !== undefined) return spec.Commands;
  return spec.CommandLine === undefined ? [] : [{ CommandLine: spec.CommandLine }];
}

/** A field by its path in the body, and what to do about it. */
export type FieldProblem = { field: string; message: string };

/** What a schema cannot say: the first thing wrong with a spec that fits the schema, or null. */
export function findContradiction(spec: JobSpec): FieldProblem | null {
  if (spec.CommandLine !== undefined && spec.Commands !== undefined) {
    return { field: "CommandLine", message: "give either CommandLine or Commands, not both" };
  }
  if (spec.CommandLine === undefined && spec.Commands === undefined) {
    return { field: "CommandLine", message: "is missing: give CommandLine (one command) or Commands (a sequence)" };
  }
  if (spec.WorkingDir !== undefined && leavesWorkspace(spec.WorkingDir)) return outside("WorkingDir");
  const taken = findReserved(spec.Environment, "Environment");
  if (taken !== null) return taken;
  for (const [index, command] of (spec.Commands ?? []).entries()) {
    const field = `Commands[${index}]`;
    if (command.CommandLine !== undefined && command.Args !== undefined) {
      return { field: `${field}.CommandLine`, message: "give either CommandLine or Args, not both" };
    }
    if (command.CommandLine === undefined && command.Args === undefined && command.Image === undefined) {
      return {
        field: `${field}.CommandLine`,
        message: "is missing: give CommandLine (run by bash), Args (run without a shell), or an Image",
      };
    }
    if (command.Shell !== undefined && command.CommandLine === undefined) {
      return { field: `${field}.Shell`, message: "runs a CommandLine: give one, or leave it out" };
    }
    if (command.Args?.[0] === "" && command.Image === undefined)
      return { field: `${field}.Args[0]`, message: "must name a program, not be empty" };
    const reserved = findReserved(command.Environment, `${field}.Environment`);
    if (reserved !== null) return reserved;
    const directory = command.WorkingDir;
    const isBelowAbsolute = spec.WorkingDir?.startsWith("/") ?? false;
    if (directory !== undefined && !isBelowAbsolute && leavesWorkspace(directory, spec.WorkingDir)) {
      return outside(`${field}.WorkingDir`);
    }
  }
  return findSecretsProblem(spec, findReserved) ?? findLongString(spec) ?? findContainerProblem(spec);
}

/** A job's processes are found again by these, should its supervisor be killed. */
const reservedVariables = ["JOBRUNNER_JOB_ID", "JOBRUNNER_STEP", "JOBRUNNER_WORKSPACE"];

function findReserved(environment: Record<string, string> | undefined, field: string): FieldProblem | null {
  const name = reservedVariables.find((reserved) => environment !== undefined && Object.hasOwn(environment, reserved));
  return name === undefined ? null : { field: `${field}.${name}`, message: "is set by jobrunner itself: leave it out" };
}

function outside(field: string): FieldProblem {
  return { field, message: "leaves the job's workspace by '..': give a path inside it, or an absolute one" };
}

function leavesWorkspace(directory: string, base = "."): boolean {
  if (directory.startsWith("/")) return false;
  let depth = 0;
  for (const part of `${base}/${directory}`.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
