import { userInfo } from "node:os";
import { posix } from "node:path";
import { type Command, commandsOf, type JobSpec, signalNumbers } from "../job/spec.ts";

/** The plan, drawn in supervisor/formats.h: what the supervisor is to do, all decided here. */

export const stdinFileName = "stdin-text";

export type PlanContext = {
  id: string;
  directory: string; // of the job, absolute
  shell: string;
  cgroup: string | null;
};

const defaultStopTimeoutSeconds = 10;
const user = userInfo();

/** The same job gives the same plan: it may be written again after a crash. */
export function makePlan(spec: JobSpec, context: PlanContext): Buffer {
  const workspace = posix.join(context.directory, "work");
  const commands = commandsOf(spec);
  const stepVariables = new Set(["JOBRUNNER_STEP", ...commands.flatMap((command) => Object.keys(command.Environment ?? {}))]);
  const shared = Object.entries({ ...baseEnvironment(context.id, workspace), ...spec.Environment });
  const lines = [
    "jobrunner-plan 1",
    `id=${context.id}`,
    ...(context.cgroup === null ? [] : [`cgroup=${context.cgroup}`]),
    `stop_signal=${signalNumbers[spec.StopSignal ?? "SIGTERM"]}`,
    `stop_timeout_ms=${milliseconds(spec.StopTimeoutSeconds ?? defaultStopTimeoutSeconds)}`,
    ...timeout("timeout_ms", spec.TimeoutSeconds),
    ...timeout("idle_timeout_ms", spec.IdleTimeoutSeconds),
    ...(spec.Stdin === undefined ? [] : [`stdin=${stdinFileName}`]),
    ...shared.filter(([name]) => !stepVariables.has(name)).map(variable),
  ];
  const overridden = Object.fromEntries(shared.filter(([name]) => stepVariables.has(name)));
  const base = posix.resolve(workspace, spec.WorkingDir ?? ".");
  commands.forEach((command, index) => {
    const environment = { ...overridden, JOBRUNNER_STEP: String(index + 1), ...command.Environment };
    lines.push(...stepLines(command, context.shell), `workdir=${posix.resolve(base, command.WorkingDir ?? ".")}`);
    lines.push(...Object.entries(environment).map(variable));
  });
  lines.push("end");
  return Buffer.from(`${lines.join("\0")}\0`);
}

function stepLines(command: Command, shell: string): string[] {
  const argumentVector = command.Args ?? [shell, "-c", command.CommandLine ?? ""];
  return [
    "step",
    `run_on=${command.RunOn ?? "success"}`,
    ...(command.IgnoreError === true ? ["ignore_error=1"] : []),
    ...timeout("timeout_ms", command.TimeoutSeconds),
    ...argumentVector.map((argument) => `arg=${argument}`),
  ];
}

/** Small and clean: nothing of the service's own environment reaches a job. */
function baseEnvironment(id: string, workspace: string): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: user.homedir,
    USER: user.username,
    LOGNAME: user.username,
    SHELL: user.shell ?? "/bin/sh",
    LANG: "C.UTF-8",
    TMPDIR: "/tmp",
    JOBRUNNER_JOB_ID: id,
    JOBRUNNER_WORKSPACE: workspace,
  };
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
