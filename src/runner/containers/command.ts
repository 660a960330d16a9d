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

/** The command line by which an engine's client runs a step, and the one that ends what it started. */

export type ContainerStep = {
  jobId: string;
  number: number;
  stopSignal: StopSignal;
  command: Command & { Image: string };
  /** What the command finds in its environment, on top of the image's. */
  variables: Record<string, string>;
  jobDirectory: string; // on the host, absolute: plan and files of the job
  workspace: string; // likewise; mounted
  base: string; // the job's working directory; mounted
  hasStdin: boolean;
};

export type ContainerCommand = {
  args: string[];
  finalize: string[];
  /** The client's own environment. */
  environment: Record<string, string>;
  envFile: string;
  /** Where the client starts. */
  hostDirectory: string;
  /**
   * The container's own way to the supervisor: a folder to be made in the job's directory, and where in the container its command starts.
   */
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
      ...passed.map(([variable]) => `--env=${variable}`), // the client gives them the value that they have for itself
      ...mounts(step),
      ...(engine.hasOwnInit ? ownWayWords(step) : [`--workdir=${workdir}`]),
      ...(step.hasStdin ? ["--interactive"] : []),
      ...option("--network", command.Network),
      ...option("--user", command.User),
      ...option("--memory", command.Resources?.MemoryBytes),
      ...option("--memory-swap", command.Resources?.MemoryBytes), // as much as memory: no swap on top of it
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

/** The client passes on no signal: they go by the container's own way. */
function ownWayWords({ jobDirectory, number }: ContainerStep): string[] {
  return ["--sig-proxy=false", mount({ source: posix.join(jobDirectory, streamsName(number)), target: streamsTarget, isReadOnly: true })];
}

/** Docker refuses more than the box has, which is no limit anyway. */
function cpusOf({ Resources }: ContainerStep["command"]): number | undefined {
  return Resources?.CPUs === undefined || Resources.CPUs >= cpus().length ? undefined : Resources.CPUs;
}

/** The init is not the job's. */
function pidsOf({ Resources }: ContainerStep["command"]): number | undefined {
  return Resources?.Pids === undefined ? undefined : Math.min(Resources.Pids + 1, maxPids);
}

/**
 * What the engine says of the container is kept before the container is removed. One whose making was cut off may turn up a moment
 * later, so a missing one is looked for twice. "await" is told by settle in supervisor/formats.h: whoever says it also knows when it has
 * lasted too long, so that it needs no end here. Not the engine's kill and wait: Podman does not take a container for a running one if its
 * client died just after it had started.
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
 * The client writes where the command does. Podman has no daemon: what it warns of there is the set-up and what other containers left, such
 * as an incomplete layer of one that was killed while it was made.
 */
function quietWords(kind: EngineKind): string[] {
  return kind === "podman" ? ["--log-level=error"] : [];
}

/** By these the processes of a job are found whose supervisor was killed. */
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
 * What follows the options. A command line needs the shell and nothing before it, whatever the image's entrypoint; arguments go to the
 * entrypoint.
 */
export function commandWords({ Image, CommandLine, Shell, Args, Entrypoint }: ContainerStep["command"]): string[] {
  const line = CommandLine === undefined ? [] : [Shell ?? "/bin/sh", ...shellArguments(CommandLine)];
  const [program, ...words] = Entrypoint === undefined ? line : [...Entrypoint, ...line];
  return [...(program === undefined ? [] : [`--entrypoint=${program}`]), Image, ...words, ...(Args ?? [])];
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}
