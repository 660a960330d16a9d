import { cpus } from "node:os";
import { posix } from "node:path";
import type { StopSignal } from "../../job/signals.ts";
import type { Command } from "../../job/spec.ts";
import { shellArguments } from "../../job/command-line.ts";
import { maxPids } from "../../job/container-fields.ts";
import { fitsEnvFile } from "../../job/container-spec.ts";
import { containerName, type Engine, type EngineKind, labels, mount, removeWords } from "./engine.ts";
import { envFileName, stateFileName } from "./files.ts";
import { streamsName, streamsTarget } from "./own-init.ts";

/** The command line with which an engine's client runs a step, and the one that finalizes the step's container. */

export type ContainerStep = {
  jobId: string;
  number: number;
  stopSignal: StopSignal;
  command: Command & { Image: string };
  /** The command's variables, besides those of the image. */
  variables: Record<string, string>;
  jobDirectory: string; // an absolute path on the host, for plan and files of the job
  workspace: string; // an absolute path on the host; it is mounted
  base: string; // the job's working directory; it is mounted
  hasStdin: boolean;
};

export type ContainerCommand = {
  args: string[];
  finalize: string[];
  /** The environment of the client itself. */
  environment: Record<string, string>;
  envFile: string;
  /** The client's working directory. */
  hostDirectory: string;
  /** The container's own streams: the name of a folder to create in the job's directory, and the command's working directory. */
  streams: { name: string; workdir: string } | null;
};

export function containerCommand(step: ContainerStep, engine: Engine, instance: string): ContainerCommand {
  const { jobId, number, command, jobDirectory } = step;
  const { kind, path } = engine.client;
  const name = containerName(jobId, number);
  const variables = Object.entries(step.variables);
  const plain = variables.filter((variable) => fitsEnvFile(...variable));
  const passed = variables.filter((variable) => !fitsEnvFile(...variable));
  const workdir = posix.resolve(step.base, command.WorkingDir ?? ".");
  return {
    args: [
      path,
      "run",
      ...quietWords(kind),
      ...engine.initWords,
      ...engine.healthWords,
      `--name=${name}`,
      `--label=${labels.job}=${jobId}`,
      `--label=${labels.step}=${number}`,
      `--label=${labels.instance}=${instance}`,
      `--pull=${command.Pull ?? "missing"}`,
      `--stop-signal=${step.stopSignal}`,
      ...engine.outputWords,
      `--env-file=${posix.join(jobDirectory, envFileName(number))}`,
      ...passed.map(([variable]) => `--env=${variable}`), // the client takes the values from its own environment
      ...mounts(step),
      ...(engine.hasOwnInit ? ownWayWords(step) : [`--workdir=${workdir}`]),
      ...(step.hasStdin ? ["--interactive"] : []),
      ...option("--network", command.Network),
      ...option("--user", command.User),
      ...option("--memory", command.Resources?.MemoryBytes),
      ...option("--memory-swap", command.Resources?.MemoryBytes), // the same limit as for memory, so no swap
      ...option("--cpus", cpusOf(command)),
      ...option("--pids-limit", pidsOf(command)),
      ...commandWords(command),
    ],
    finalize: ["/bin/sh", "-c", finalizeScript(kind), "settle", name, stateFileName(number), path],
    environment: { ...Object.fromEntries(passed), ...engine.environment, ...clientMarks(step) },
    envFile: plain.map(([variable, value]) => `${variable}=${value}\n`).join(""),
    hostDirectory: command.WorkingDir?.startsWith("/") === true ? step.base : workdir,
    streams: engine.hasOwnInit ? { name: streamsName(number), workdir } : null,
  };
}

/** The client passes no signals on, because the container's own streams carry them. */
function ownWayWords({ jobDirectory, number }: ContainerStep): string[] {
  return ["--sig-proxy=false", mount({ source: posix.join(jobDirectory, streamsName(number)), target: streamsTarget, isReadOnly: true })];
}

/** Docker refuses more CPUs than the machine has. So many would be no limit. */
function cpusOf({ Resources }: ContainerStep["command"]): number | undefined {
  return Resources?.CPUs === undefined || Resources.CPUs >= cpus().length ? undefined : Resources.CPUs;
}

/** One more process than the job's limit: the init. */
function pidsOf({ Resources }: ContainerStep["command"]): number | undefined {
  return Resources?.Pids === undefined ? undefined : Math.min(Math.max(Resources.Pids + 1, runtimeThreads), maxPids);
}

/** The runtime (runc) counts too while it starts a container. With room for fewer threads, a start fails now and then. */
const runtimeThreads = 16;

/**
 * Stores the engine's report on the container before it removes the container. If the creation was interrupted, the container may appear a
 * moment later, so a missing one is inspected twice. settle in supervisor/formats.h explains "await"; the supervisor limits that wait, so
 * the script has no limit. The engine's kill and wait commands cannot be used: if the client died just after it had started a container,
 * Podman does not regard the container as running.
 */
function finalizeScript(kind: EngineKind): string {
  return `
container=$1 file=$2 client=$3 how=$4
ask() { "$client" inspect --type container --format '{{json .State}}' "$container" > "$file.new" 2> /dev/null && mv "$file.new" "$file"; }
ask || { sleep 0.3; ask; }
if [ "$how" = await ] && ! grep -q '"Status":"exited"' "$file"; then
  "$client" stop -t 31536000 "$container"
  ask
fi
exec "$client" ${removeWords(kind).join(" ")} "$container"
`;
}

/**
 * The client may share the command's standard error. Podman, which has no daemon, prints warnings there that do not concern the job: about
 * its set-up, and about incomplete layers of containers that were killed during their creation.
 */
function quietWords(kind: EngineKind): string[] {
  return kind === "podman" ? ["--log-level=error"] : [];
}

/** The variables by which a job's processes are found if its supervisor was killed. */
function clientMarks({ variables }: ContainerStep): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => name.startsWith("JOBRUNNER_")));
}

function mounts({ command, workspace, base }: ContainerStep): string[] {
  const own = [workspace, ...(isWithin(base, workspace) ? [] : [base])].map((path) => mount({ source: path, target: path }));
  const given = (command.Mounts ?? []).map(({ Source, Target, ReadOnly = false }) => {
    return mount({ source: posix.resolve(base, Source), target: Target, isReadOnly: ReadOnly });
  });
  return [...own, ...given];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/**
 * The words after the options. For a command line, the shell replaces the image's entrypoint. Arguments are passed to the entrypoint.
 */
export function commandWords({ Image, CommandLine, Shell, Args, Entrypoint }: ContainerStep["command"]): string[] {
  const line = CommandLine === undefined ? [] : [Shell ?? "/bin/sh", ...shellArguments(CommandLine)];
  const [program, ...words] = Entrypoint === undefined ? line : [...Entrypoint, ...line];
  return [...(program === undefined ? [] : [`--entrypoint=${program}`]), Image, ...words, ...(Args ?? [])];
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}
