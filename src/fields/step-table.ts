import type { JobSpec } from "../client/index.ts";
import { leavesOf, type TableOf } from "./field.ts";
import { expectedMount, formatMount, parseMount } from "./mount.ts";
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

export type Step = NonNullable<JobSpec["Commands"]>[number];

/** Every field of a step, as the command line and the page offer it, in their order. */
export const stepTable = {
  Name: { kind: "text", option: nameOption, place: "own", label: "Name" },
  CommandLine: { kind: "text", isLong: true, option: commandOption, place: "own", label: "Command line" },
  Args: {
    kind: "list",
    option: {
      flags: "--arg <argument>",
      help: "Add a word of a program and its arguments, run without a shell; for the last step, [command...] does the same",
    },
    place: "own",
    label: "Program and arguments, one per line",
  },
  Shell: {
    kind: "text",
    isMono: true,
    option: { flags: "--shell <program>", help: "Run the command line with this program instead of bash or sh" },
    place: "own",
    label: "Shell",
    hint: "empty: bash; in a container /bin/sh",
  },
  WorkingDir: { kind: "text", isMono: true, option: workingDirOption, place: "more", label: "Working directory" },
  TimeoutSeconds: { kind: "seconds", option: timeoutOption, place: "more", label: "Timeout in seconds" },
  RunOn: {
    kind: "choice",
    option: { flags: "--run-on <when>", help: "Run the step on success of all steps before it (default), on failure of one, or always" },
    place: "more",
    label: "Runs",
    otherwise: "if all previous steps succeeded",
    choices: [
      ["failure", "if a previous step failed"],
      ["always", "always"],
    ],
  },
  IgnoreError: {
    kind: "flag",
    option: { flags: "--ignore-error", help: "Count a failure of the step as a success" },
    place: "more",
    label: "Its failure does not count",
  },
  Output: {
    kind: "choice",
    option: outputOption,
    place: "more",
    label: "Standard output and error of this step",
    otherwise: "as the job's",
    choices: [
      ["merged", "merged, in the order of the writes"],
      ["separate", "separate"],
    ],
  },
  Environment: {
    kind: "variables",
    option: environmentOption,
    fileOption: environmentFileOption,
    place: "more",
    label: "Environment of this step",
    what: "Variable",
  },
  Image: {
    kind: "text",
    isMono: true,
    option: { flags: "--image <image>", help: "Run the command in a container of this image; without a command, run the image's own" },
    place: "container",
    label: "Image",
    placeholder: "debian:12",
  },
  Network: {
    kind: "text",
    option: { flags: "--network <network>", help: "Use this network: none, bridge, host or a name" },
    place: "container",
    label: "Network",
    placeholder: "none, bridge, host or a name",
  },
  User: { kind: "text", option: userOption, place: "container", label: "User in the container" },
  Pull: {
    kind: "choice",
    option: { flags: "--pull <when>", help: "Pull the image if it is missing, always or never (default missing)" },
    place: "container",
    label: "Pulled",
    otherwise: "if it is missing",
    choices: [
      ["always", "always"],
      ["never", "never"],
    ],
  },
  Resources: {
    kind: "group",
    fields: {
      MemoryBytes: {
        kind: "bytes",
        option: { flags: "--memory <bytes>", help: "Limit memory: 512m, 2g" },
        place: "container",
        label: "Memory in bytes",
      },
      CPUs: {
        kind: "number",
        option: { flags: "--cpus <number>", help: "Limit the number of CPUs" },
        place: "container",
        label: "Processors",
      },
      Pids: {
        kind: "integer",
        option: { flags: "--pids-limit <number>", help: "Limit the number of processes" },
        place: "container",
        label: "Processes",
      },
    },
  },
  Mounts: {
    kind: "items",
    parse: parseMount,
    format: formatMount,
    expected: expectedMount,
    option: { flags: "-v, --volume <source:target[:ro]>", help: "Mount a path of the service's machine, or of the workspace" },
    place: "container",
    label: "Mounts, one per line",
    hint: "/on/the/box:/in/the/container, with :ro where it is only read",
  },
  Entrypoint: {
    kind: "list",
    option: { flags: "--entrypoint <program>", help: "Replace the image's entrypoint; repeatable, for its arguments" },
    place: "container",
    label: "Entrypoint, one argument per line",
  },
} satisfies TableOf<Step>;

export const stepLeaves = leavesOf(stepTable);
