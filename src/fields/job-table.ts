import type { JobSpec } from "../client/index.ts";
import { leavesOf, type TableOf } from "./field.ts";
import {
  commandOption,
  environmentFileOption,
  environmentOption,
  nameOption,
  outputOption,
  timeoutOption,
  userOption,
  workingDirOption,
} from "./shared-options.ts";

/** Every field of a job, as the command line and the page offer it, in their order. */
export const jobTable = {
  CommandLine: {
    kind: "text",
    isLong: true,
    option: commandOption,
    place: "own",
    label: "Command line",
    placeholder: "make && ./bench",
  },
  Commands: {
    kind: "steps",
    option: { flags: "--step", help: "Begin a step: options after it that a step can have are this step's" },
    label: "Steps",
  },
  Name: { kind: "text", option: nameOption, place: "first", label: "Name" },
  WorkingDir: {
    kind: "text",
    isMono: true,
    option: workingDirOption,
    place: "first",
    label: "Working directory",
    hint: "absolute, or relative to the job's workspace",
  },
  TimeoutSeconds: {
    kind: "seconds",
    option: timeoutOption,
    place: "first",
    label: "Timeout in seconds",
    hint: "empty: no limit",
  },
  IdleTimeoutSeconds: {
    kind: "seconds",
    option: { flags: "--idle-timeout <duration>", help: "Stop the job after this time without output" },
    place: "first",
    label: "Timeout without output, in seconds",
    hint: "empty: no limit",
  },
  Environment: {
    kind: "variables",
    option: environmentOption,
    fileOption: environmentFileOption,
    place: "first",
    label: "Environment",
    what: "Variable",
  },
  Labels: {
    kind: "map",
    option: { flags: "-l, --label <key=value>", help: "Label the job, to find it in lists" },
    expected: "a key and a value, as team=db",
    place: "first",
    label: "Labels",
    what: "Label",
  },
  Secrets: {
    kind: "secrets",
    option: {
      flags: "--secret <name[=file]>",
      help: "Set a secret variable, masked in the output; its value comes from this environment or from a file",
    },
    place: "more",
    label: "Secrets",
    what: "Secret",
    hint: "environment variables whose values are masked in the output and never shown again",
  },
  StopSignal: {
    kind: "choice",
    option: { flags: "--stop-signal <signal>", help: "Begin a stop with this signal (default SIGTERM)" },
    place: "more",
    label: "Stop signal",
    otherwise: "SIGTERM (default)",
    choices: [
      ["SIGTERM", "SIGTERM"],
      ["SIGHUP", "SIGHUP"],
      ["SIGINT", "SIGINT"],
      ["SIGQUIT", "SIGQUIT"],
      ["SIGUSR1", "SIGUSR1"],
      ["SIGUSR2", "SIGUSR2"],
      ["SIGKILL", "SIGKILL"],
    ],
  },
  StopTimeoutSeconds: {
    kind: "seconds",
    option: { flags: "--stop-timeout <duration>", help: "Send SIGKILL this long after the stop signal (default 10s)" },
    place: "more",
    label: "Grace period before SIGKILL, in seconds",
    placeholder: "10",
  },
  DrainTimeoutSeconds: {
    kind: "seconds",
    option: {
      flags: "--drain-timeout <duration>",
      help: "Let filters that a step left behind finish writing for this long at the job's end (default 2s)",
    },
    place: "more",
    label: "Time for background filters to write their last output, in seconds",
    placeholder: "2",
  },
  Output: {
    kind: "choice",
    option: outputOption,
    place: "more",
    label: "Standard output and error",
    otherwise: "separate (default)",
    choices: [
      ["merged", "merged, in the order of the writes"],
      ["separate", "separate"],
    ],
  },
  User: { kind: "text", option: userOption, place: "more", label: "User", hint: "if the service runs as root and allows it" },
  Stdin: {
    kind: "contents",
    option: { flags: "--stdin <file>", help: "Read standard input of the first step from a file (- for standard input)" },
    place: "more",
    label: "Standard input of the first step",
    hint: "empty: no standard input",
  },
} satisfies TableOf<JobSpec>;

export const jobLeaves = leavesOf(jobTable);
