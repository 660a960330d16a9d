import { posix } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { shellArguments } from "../job/command-line.ts";
import { maskedTexts } from "../job/secrets.ts";
import { type Command, commandsOf, defaultStopTimeoutSeconds, isMerged, type JobSpec } from "../job/spec.ts";
import { signalNumber, type StopSignal } from "../job/signals.ts";
import type { Account } from "./accounts.ts";
import { commandWords, type ContainerCommand, containerCommand, type ContainerStep } from "./containers/command.ts";
import type { Engine } from "./containers/engine.ts";
import { workspaceOf } from "./workspaces.ts";

/** The plan, drawn in supervisor/formats.h: everything that the supervisor does is decided here. */

export const stdinFileName = "stdin-text";

export type PlanContext = {
  id: string;
  directory: string; // the job's, absolute
  shell: string;
  cgroup: string | null;
  /** The account that the steps run as; null: the service's user. */
  account: Account | null;
  /** Null: no step runs in a container. */
  containers: { engine: Engine; instance: string } | null;
};

export type Plan = { bytes: Buffer; envFiles: { step: number; text: string }[]; streams: { name: string; workdir: string }[] };

const defaultDrainTimeoutSeconds = 2;

/** The same job always gives the same plan, which may be written again after a crash. */
export function makePlan(spec: JobSpec, context: PlanContext): Plan {
  const { account } = context;
  const commands = commandsOf(spec);
  const base = baseOf(spec, context);
  // An engine's client must not find the job's variables in its environment. So variables are shared only if no step runs in a container.
  const stepVariables = new Set(["JOBRUNNER_STEP", ...commands.flatMap((command) => Object.keys(command.Environment ?? {}))]);
  const variables = Object.entries({ ...variablesAround(context), ...spec.Environment, ...spec.Secrets });
  const shared = context.containers === null ? variables.filter(([name]) => !stepVariables.has(name)) : [];
  const own = Object.fromEntries(context.containers === null ? variables.filter(([name]) => stepVariables.has(name)) : variables);
  const lines = [
    "jobrunner-plan 1",
    `id=${context.id}`,
    ...(context.cgroup === null ? [] : [`cgroup=${context.cgroup}`]),
    `stop_signal=${signalNumber(stopSignalOf(spec))}`,
    `stop_timeout_ms=${milliseconds(spec.StopTimeoutSeconds ?? defaultStopTimeoutSeconds)}`,
    `drain_timeout_ms=${milliseconds(spec.DrainTimeoutSeconds ?? defaultDrainTimeoutSeconds)}`,
    ...timeout("timeout_ms", spec.TimeoutSeconds),
    ...timeout("idle_timeout_ms", spec.IdleTimeoutSeconds),
    ...(spec.Stdin === undefined ? [] : [`stdin=${stdinFileName}`]),
    ...(account === null ? [] : [`user=${[account.uid, account.gid, ...account.groups].join(" ")}`]),
    ...maskedTexts(spec.Secrets ?? {}).map((text) => `secret=${text}`),
    ...shared.map(variable),
  ];
  const envFiles: Plan["envFiles"] = [];
  const streams: Plan["streams"] = [];
  commands.forEach((command, index) => {
    const number = index + 1;
    if (isContainer(command) && context.containers !== null) {
      const { engine, instance } = context.containers;
      const container = containerCommand(containerStep(spec, command, number, context), engine, instance);
      envFiles.push({ step: number, text: container.envFile });
      if (container.streams !== null) streams.push(container.streams);
      lines.push(...containerLines(spec, command, container));
    } else {
      lines.push(...hostLines(spec, command, context.shell), `workdir=${posix.resolve(base, command.WorkingDir ?? ".")}`);
      lines.push(...Object.entries({ ...own, ...addedBy(command, number) }).map(variable));
    }
  });
  lines.push("end");
  return { bytes: Buffer.from(`${lines.join("\0")}\0`), envFiles, streams };
}

/**
 * Arguments and variables of each process that is started for a step in a container: the engine's client, and the init with the command.
 */
export function containerProcesses(
  spec: JobSpec,
  index: number,
  context: StepContext & { containers: { engine: Engine; instance: string } },
): string[][] {
  const command = commandsOf(spec)[index];
  if (command === undefined || !isContainer(command)) return [];
  const step = containerStep(spec, command, index + 1, context);
  const { args, environment } = containerCommand(step, context.containers.engine, context.containers.instance);
  const assigned = (variables: Record<string, string>): string[] => Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [
    [...args, ...assigned({ ...baseEnvironment, ...environment })],
    [...commandWords(command), ...assigned(step.variables)],
  ];
}

type StepContext = Pick<PlanContext, "id" | "directory" | "account">;

function containerStep(spec: JobSpec, command: ContainerStep["command"], number: number, context: StepContext): ContainerStep {
  return {
    jobId: context.id,
    number,
    stopSignal: stopSignalOf(spec),
    command,
    variables: { ...marksOf(context), ...spec.Environment, ...spec.Secrets, ...addedBy(command, number) },
    jobDirectory: context.directory,
    workspace: workspaceOf(context.directory, context.account),
    base: baseOf(spec, context),
    hasStdin: spec.Stdin !== undefined && number === 1,
  };
}

function baseOf(spec: JobSpec, { directory, account }: StepContext): string {
  return posix.resolve(workspaceOf(directory, account), spec.WorkingDir ?? ".");
}

function stopSignalOf({ StopSignal = "SIGTERM" }: JobSpec): StopSignal {
  return StopSignal;
}

function addedBy(command: Command, number: number): Record<string, string> {
  return { JOBRUNNER_STEP: String(number), ...command.Environment };
}

function isContainer(command: Command): command is ContainerStep["command"] {
  return command.Image !== undefined;
}

function hostLines(spec: JobSpec, command: Command, shell: string): string[] {
  return [...stepLines(spec, command), ...hostArguments(command, shell).map((argument) => `arg=${argument}`)];
}

/** The argument vector of a step on the host. */
export function hostArguments({ Args, Shell, CommandLine }: Command, shell: string): string[] {
  return Args ?? [Shell ?? shell, ...shellArguments(CommandLine ?? "")];
}

function containerLines(
  spec: JobSpec,
  command: Command,
  { args, finalize, environment, hostDirectory, streams }: ContainerCommand,
): string[] {
  return [
    ...stepLines(spec, command),
    `workdir=${hostDirectory}`,
    ...args.map((argument) => `arg=${argument}`),
    ...(streams === null ? [] : [`streams=${streams.name}`]),
    ...finalize.map((argument) => `settle=${argument}`),
    ...Object.entries({ ...baseEnvironment, ...environment }).map(variable),
  ];
}

function stepLines(spec: JobSpec, command: Command): string[] {
  return [
    "step",
    `run_on=${command.RunOn ?? "success"}`,
    ...(command.IgnoreError === true ? ["ignore_error=1"] : []),
    ...timeout("timeout_ms", command.TimeoutSeconds),
    ...(isMerged(spec, command) ? ["output=merged"] : []),
  ];
}

/** Nothing of the service's own environment reaches a job. */
export const baseEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: ownUser.home,
  USER: ownUser.name,
  LOGNAME: ownUser.name,
  SHELL: ownUser.shell,
  LANG: "C.UTF-8",
  TMPDIR: "/tmp",
};

/** The variables that a step on the host gets besides the job's own and JOBRUNNER_STEP. */
export function variablesAround(context: Pick<PlanContext, "id" | "directory" | "account">): Record<string, string> {
  return { ...baseEnvironment, ...(context.account === null ? {} : variablesOf(context.account)), ...marksOf(context) };
}

function marksOf({
  id,
  directory,
  account,
}: Pick<PlanContext, "id" | "directory" | "account">): Record<"JOBRUNNER_JOB_ID" | "JOBRUNNER_WORKSPACE", string> {
  return { JOBRUNNER_JOB_ID: id, JOBRUNNER_WORKSPACE: workspaceOf(directory, account) };
}

function variablesOf({ name, home, shell }: Account): Record<string, string> {
  return { HOME: home, USER: name, LOGNAME: name, SHELL: shell };
}

function timeout(key: string, seconds: number | undefined): string[] {
  return seconds === undefined ? [] : [`${key}=${milliseconds(seconds)}`];
}

function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

function variable([name, value]: [string, string]): string {
  return `env=${name}=${value}`;
}
