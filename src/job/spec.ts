import { Type, type Static } from "typebox";
import { containerFields, Image } from "./container-fields.ts";
import { pattern } from "./sentences.ts";
import { stopSignals } from "./signals.ts";

/** The schemas of a submitted job. They validate requests, give the types and, with the routes, the description of the API. */

export const defaultStopTimeoutSeconds = 10;

const maxSteps = 1000;
const maxTextLength = 131_071; // in characters; size.ts checks the limits of the kernel, in bytes
const maxSeconds = 10 * 365 * 86_400;

/** The supervisor counts milliseconds in 64 bits. Ten years is long enough for any job. */
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

function output(description: string) {
  return Type.Optional(Type.Enum(["separate", "merged"], { description }));
}

/** A name, or a number with an optional group of the user. */
const userName = pattern(
  "^([A-Za-z_][A-Za-z0-9_.-]*|\\d{1,10}(:\\d{1,10})?)$",
  "must be a user of this box: a name, a number, or number:group",
);

const Secrets = Type.Optional(
  Type.Record(
    Type.String({ pattern: "^[^=\\u0000]{1,1024}$" }),
    Type.String({ minLength: 1, maxLength: 131_071, pattern: "^[^\\u0000]*$" }),
    {
      maxProperties: 1000,
      additionalProperties: false,
      description: "secret variables of every step: masked in the output, and never shown",
    },
  ),
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
    Environment: environment("variables, in addition to the job's; these win"),
    WorkingDir: path("relative to the job's WorkingDir, or absolute"),
    TimeoutSeconds: seconds("the step is stopped after this time"),
    IgnoreError: Type.Optional(Type.Boolean({ description: "a failure of the step counts as a success" })),
    Output: output("as the job's Output, for this step; it wins"),
    RunOn: Type.Optional(
      Type.Enum(["success", "failure", "always"], { description: "run if all steps before succeeded (default), if one failed, or always" }),
    ),
  },
  { additionalProperties: false, title: "Command", description: "A step: in a container if it has an Image, else on the host" },
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
    TimeoutSeconds: seconds("the job is stopped after this time"),
    IdleTimeoutSeconds: seconds("the job is stopped after this time without output"),
    StopSignal: Type.Optional(Type.Enum([...stopSignals], { description: "the signal that a stop begins with; default SIGTERM" })),
    StopTimeoutSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 86_400,
        description: `time from the stop signal to SIGKILL; default ${defaultStopTimeoutSeconds}`,
      }),
    ),
    DrainTimeoutSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 86_400,
        description: "how long, at the job's end, processes that a step left behind may go on writing its output; default 2",
      }),
    ),
    Output: output("merged: standard output and error are one pipe, so that the order is that of the writes; default separate"),
    Stdin: Type.Optional(Type.String({ maxLength: 1_048_576, description: "standard input of the first step; default: empty" })),
    User: Type.Optional(
      Type.String({
        maxLength: 255,
        ...userName,
        description: "the user that the steps run as; only if the service runs as root and allows it",
      }),
    ),
    Secrets,
  },
  {
    additionalProperties: false,
    title: "JobSpec",
    description: "A job to run: either CommandLine or Commands",
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

/** Whether a step's standard output and error are one pipe. */
export function isMerged(spec: Pick<JobSpec, "Output">, command: Command): boolean {
  return (command.Output ?? spec.Output) === "merged";
}

/** A field by its path in the body, and the rest of a sentence about it that says what to do. */
export type FieldProblem = { field: string; message: string };
