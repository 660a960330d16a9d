import type { JobSpec } from "../../../src/client/index.ts";

/** A job in fields: all of it text, so that nothing is lost that does not fit (yet). Empty fields say nothing. */

export type Pair = { name: string; value: string };

export type StepFields = {
  name: string;
  kind: "line" | "args" | "image"; // a command line, an argument vector (one on each line), or the image's own command
  line: string;
  args: string;
  shell: string;
  isContainer: boolean;
  image: string;
  entrypoint: string; // one argument on each line
  mounts: string; // source:target[:ro] on each line
  network: string;
  user: string;
  pull: string;
  memoryBytes: string;
  cpus: string;
  pids: string;
  environment: Pair[];
  workingDir: string;
  timeoutSeconds: string;
  ignoreError: boolean;
  runOn: string;
};

export type Fields = {
  isSequence: boolean;
  line: string;
  steps: StepFields[];
  name: string;
  labels: Pair[];
  environment: Pair[];
  secrets: Pair[];
  workingDir: string;
  timeoutSeconds: string;
  idleTimeoutSeconds: string;
  stopSignal: string;
  stopTimeoutSeconds: string;
  drainTimeoutSeconds: string;
  stdin: string;
  user: string;
};

export const emptyStep: StepFields = {
  name: "",
  kind: "line",
  line: "",
  args: "",
  shell: "",
  isContainer: false,
  image: "",
  entrypoint: "",
  mounts: "",
  network: "",
  user: "",
  pull: "",
  memoryBytes: "",
  cpus: "",
  pids: "",
  environment: [],
  workingDir: "",
  timeoutSeconds: "",
  ignoreError: false,
  runOn: "",
};

export const emptyFields: Fields = {
  isSequence: false,
  line: "",
  steps: [emptyStep],
  name: "",
  labels: [],
  environment: [],
  secrets: [],
  workingDir: "",
  timeoutSeconds: "",
  idleTimeoutSeconds: "",
  stopSignal: "",
  stopTimeoutSeconds: "",
  drainTimeoutSeconds: "",
  stdin: "",
  user: "",
};

type Command = NonNullable<JobSpec["Commands"]>[number];

/** What is no number is sent as it was typed: the service says what is wrong with it. */
export function specOfFields(fields: Fields): JobSpec {
  return {
    ...(fields.isSequence ? { Commands: fields.steps.map(commandOf) } : text("CommandLine", fields.line)),
    ...text("Name", fields.name),
    ...record("Labels", fields.labels),
    ...record("Environment", fields.environment),
    ...record("Secrets", fields.secrets),
    ...text("WorkingDir", fields.workingDir),
    ...number("TimeoutSeconds", fields.timeoutSeconds),
    ...number("IdleTimeoutSeconds", fields.idleTimeoutSeconds),
    ...text("StopSignal", fields.stopSignal),
    ...number("StopTimeoutSeconds", fields.stopTimeoutSeconds),
    ...number("DrainTimeoutSeconds", fields.drainTimeoutSeconds),
    ...text("Stdin", fields.stdin),
    ...text("User", fields.user),
  };
}

function commandOf(step: StepFields): Command {
  const { isContainer } = step;
  const resources = { ...number("MemoryBytes", step.memoryBytes), ...number("CPUs", step.cpus), ...number("Pids", step.pids) };
  const fields = {
    ...text("Name", step.name),
    ...(step.kind === "line" ? text("CommandLine", step.line) : step.kind === "args" ? lines("Args", step.args) : {}),
    ...(step.kind === "line" ? text("Shell", step.shell) : {}),
    ...(isContainer ? text("Image", step.image) : {}),
    ...(isContainer ? lines("Entrypoint", step.entrypoint) : {}),
    ...(isContainer && step.mounts.trim() !== ""
      ? {
          Mounts: step.mounts
            .split("\n")
            .filter((mount) => mount.trim() !== "")
            .map(mountOf),
        }
      : {}),
    ...(isContainer ? { ...text("Network", step.network), ...text("User", step.user), ...text("Pull", step.pull) } : {}),
    ...(isContainer && Object.keys(resources).length > 0 ? { Resources: resources } : {}),
    ...record("Environment", step.environment),
    ...text("WorkingDir", step.workingDir),
    ...number("TimeoutSeconds", step.timeoutSeconds),
    ...(step.ignoreError ? { IgnoreError: true } : {}),
    ...text("RunOn", step.runOn),
  };
  return fields;
}

/** As much of the job as fields can say; values that are not shown are empty. */
export function fieldsOf(spec: ShownSpec): Fields {
  return {
    ...emptyFields,
    isSequence: spec.Commands !== undefined,
    line: spec.CommandLine ?? "",
    steps: spec.Commands === undefined ? [emptyStep] : spec.Commands.map(stepOf),
    name: spec.Name ?? "",
    labels: pairs(spec.Labels),
    environment: pairs(spec.Environment),
    secrets: pairs(spec.Secrets),
    workingDir: spec.WorkingDir ?? "",
    timeoutSeconds: textOf(spec.TimeoutSeconds),
    idleTimeoutSeconds: textOf(spec.IdleTimeoutSeconds),
    stopSignal: spec.StopSignal ?? "",
    stopTimeoutSeconds: textOf(spec.StopTimeoutSeconds),
    drainTimeoutSeconds: textOf(spec.DrainTimeoutSeconds),
    stdin: spec.Stdin ?? "",
    user: spec.User ?? "",
  };
}

type Hidden<Part> = Omit<Part, "Environment"> & { Environment?: Record<string, string | null> };
export type ShownSpec = Omit<Hidden<JobSpec>, "Commands" | "Secrets"> & {
  Commands?: Hidden<Command>[];
  Secrets?: Record<string, string | null>;
};

function stepOf(command: Hidden<Command>): StepFields {
  const { Args, Resources = {} } = command;
  return {
    name: command.Name ?? "",
    kind: command.CommandLine !== undefined ? "line" : Args !== undefined ? "args" : "image",
    line: command.CommandLine ?? "",
    args: (Args ?? []).join("\n"),
    shell: command.Shell ?? "",
    isContainer: command.Image !== undefined,
    image: command.Image ?? "",
    entrypoint: (command.Entrypoint ?? []).join("\n"),
    mounts: (command.Mounts ?? []).map(({ Source, Target, ReadOnly }) => `${Source}:${Target}${ReadOnly === true ? ":ro" : ""}`).join("\n"),
    network: command.Network ?? "",
    user: command.User ?? "",
    pull: command.Pull ?? "",
    memoryBytes: textOf(Resources.MemoryBytes),
    cpus: textOf(Resources.CPUs),
    pids: textOf(Resources.Pids),
    environment: pairs(command.Environment),
    workingDir: command.WorkingDir ?? "",
    timeoutSeconds: textOf(command.TimeoutSeconds),
    ignoreError: command.IgnoreError ?? false,
    runOn: command.RunOn ?? "",
  };
}

function mountOf(line: string): { Source: string; Target: string; ReadOnly?: true } {
  const isReadOnly = line.trim().endsWith(":ro");
  const [source = "", ...target] = line.trim().replace(/:ro$/, "").split(":");
  return { Source: source, Target: target.join(":"), ...(isReadOnly ? { ReadOnly: true as const } : {}) };
}

function text(field: string, value: string): Record<string, string> {
  return value === "" ? {} : { [field]: value };
}

function lines(field: string, value: string): Record<string, string[]> {
  return value === "" ? {} : { [field]: value.split("\n") };
}

function number(field: string, value: string): Record<string, number | string> {
  const trimmed = value.trim();
  if (trimmed === "") return {};
  return { [field]: Number.isNaN(Number(trimmed)) ? trimmed : Number(trimmed) };
}

export function record(field: string, given: Pair[]): Record<string, Record<string, string>> {
  const named = given.filter(({ name, value }) => name !== "" || value !== "");
  return named.length === 0 ? {} : { [field]: Object.fromEntries(named.map(({ name, value }): [string, string] => [name, value])) };
}

export function pairs(values: Record<string, string | null> | undefined): Pair[] {
  return Object.entries(values ?? {}).map(([name, value]) => ({ name, value: value ?? "" }));
}

function textOf(value: number | undefined): string {
  return value === undefined ? "" : String(value);
}
