import { containerFields } from "./container-fields.ts";
import { isTooLong, maxStringBytes } from "./size.ts";
import type { Command, FieldProblem, JobSpec } from "./spec.ts";

/** Checks of a job's containers that the schema cannot express. */

/** Linux: PATH_MAX, less its NUL. */
const maxPathBytes = 4095;

/** The first problem with the containers of a job that fits the schema; null: none. */
export function findContainerProblem(spec: JobSpec): FieldProblem | null {
  const commands = spec.Commands ?? [];
  const containers = [...commands.entries()].filter(([, { Image }]) => Image !== undefined);
  for (const [index, command] of commands.entries()) {
    const field = Object.keys(containerFields).find((name) => Object.hasOwn(command, name));
    if (field === undefined || command.Image !== undefined) continue;
    return { field: `Commands[${index}].${field}`, message: "is for a container: give an Image too, or leave it out" };
  }
  if (containers.length === 0) return null;
  if (spec.User !== undefined) {
    const field = `Commands[${containers[0]?.[0]}].Image`;
    return {
      field,
      message:
        "cannot be in a job with User, because a user who starts containers can become root: leave out the job's User; the step's own " +
        "User is " +
        "the user in the container",
    };
  }
  if (spec.WorkingDir !== undefined && /^\/+$/.test(spec.WorkingDir)) {
    return { field: "WorkingDir", message: "is mounted in every container of the job, and / cannot be mounted: give a directory below it" };
  }
  const shared = findVariableProblem(spec.Environment, "Environment") ?? findVariableProblem(spec.Secrets, "Secrets");
  if (shared !== null) return shared;
  for (const [index, command] of containers) {
    const source = command.Mounts?.findIndex(({ Source }) => !Source.startsWith("/") && Source.split("/").includes("..")) ?? -1;
    if (source >= 0)
      return {
        field: `Commands[${index}].Mounts[${source}].Source`,
        message: "leaves the job's directory by '..': give a path inside it, or an absolute one",
      };
    const large = findLargePart(command);
    if (large !== null) return { field: `Commands[${index}].${large.field}`, message: large.message };
    const wrong = findVariableProblem(command.Environment, `Commands[${index}].Environment`);
    if (wrong !== null) return wrong;
  }
  return null;
}

const entrypointWord = "--entrypoint=";

/** Finds parts that are too long for the client or the kernel, which count bytes. The schema counts characters. */
function findLargePart({ Entrypoint = [], Mounts = [] }: Command): FieldProblem | null {
  const long = Entrypoint.findIndex((text, index) => isTooLong(index === 0 ? `${entrypointWord}${text}` : text));
  if (long >= 0)
    return {
      field: `Entrypoint[${long}]`,
      message:
        `must have no more than ${maxStringBytes} bytes as UTF-8 (the first one ${entrypointWord.length} fewer): ` +
        "pass a large text by Stdin or a file",
    };
  for (const [index, { Source, Target }] of Mounts.entries()) {
    const field = Buffer.byteLength(Source) > maxPathBytes ? "Source" : Buffer.byteLength(Target) > maxPathBytes ? "Target" : null;
    if (field !== null)
      return {
        field: `Mounts[${index}].${field}`,
        message: `must have no more than ${maxPathBytes} bytes as UTF-8, Linux's limit for a path`,
      };
  }
  return null;
}

/** Variables that affect the clients themselves: HOME leads to logins, DOCKER_HOST to the engine, LD_PRELOAD to code to run. */
const clientVariable =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|LANG|LC_.*|LD_.*|GLIBC_.*|MALLOC_.*|GO[A-Z0-9]*|SSL_.*|DOCKER_.*|BUILDKIT.*|CONTAINER.*|PODMAN.*|NERDCTL.*|CNI_.*|NETCONFPATH|REGISTRY_.*|STORAGE_.*|LIBPOD.*|_CONTAINERS.*|XDG_.*|DBUS_.*|SSH_.*|.*_PROXY|NOTIFY_SOCKET|LISTEN_.*|OTEL_.*|TZ|JOBRUNNER_.*)$/i;

/**
 * Whether a line of an env file passes the variable unchanged to every engine. Engines read lines of up to 64 KiB; some remove a carriage
 * return, and some a pair of quotes.
 */
export function fitsEnvFile(name: string, value: string): boolean {
  return !/[\n\r]/.test(value) && !/^["'`]/.test(value) && Buffer.byteLength(name) + Buffer.byteLength(value) < 60_000;
}

function findVariableProblem(environment: Record<string, string> | undefined, field: string): FieldProblem | null {
  for (const [name, value] of Object.entries(environment ?? {})) {
    // In env files, # begins a comment, * is a wildcard, and a name contains no white space.
    if (/^#|[\s*\p{Cc}]/u.test(name))
      return {
        field: `${field}.${name}`,
        message: "cannot be given to a container: its name must not hold white space or *, nor begin with #",
      };
    if (clientVariable.test(name) && !fitsEnvFile(name, value)) {
      return {
        field: `${field}.${name}`,
        message:
          "cannot be given to a container: the engine's client reads a variable of this name itself, so its value must be one short " +
          "line that does " +
          "not begin with a quote",
      };
    }
  }
  return null;
}
