import type { Option } from "./field.ts";

/** Options of fields that a job and a step have. After `--step` they are the step's. */

export const commandOption: Option = {
  flags: "-c, --command <line>",
  help: "Run a command line with bash (in a container with its sh) instead of a program",
};

export const outputOption: Option = {
  flags: "--output <streams>",
  help: "Record standard output and error as separate streams (default), or merged, in the exact order of their writes",
};

export const nameOption: Option = { flags: "--name <name>", help: "Name the job or, after --step, the step" };

export const environmentOption: Option = {
  flags: "-e, --env <name[=value]>",
  help: "Set a variable; without a value, copy it from this environment",
};

export const environmentFileOption: Option = {
  flags: "--env-file <file>",
  help: "Read variables from a file: lines of NAME=value, taken literally, or NAME to copy it from this environment",
};

export const workingDirOption: Option = {
  flags: "-w, --workdir <dir>",
  help: "Start in this directory: absolute, or relative to the job's workspace; after --step, to the job's directory",
};

export const userOption: Option = { flags: "-u, --user <user>", help: "Run as this user; in a container, as this user of the container" };

export const timeoutOption: Option = {
  flags: "--timeout <duration>",
  help: "Stop the job or, after --step, the step after this time: 90, 30s, 10m, 2h",
};
