import { shellArguments } from "./command-line.ts";
import { type Command, commandsOf, type FieldProblem, type JobSpec } from "./spec.ts";

/**
 * Limits of what a process is started with: execve(2), "Limits on size of arguments and environment". The kernel counts bytes of UTF-8.
 *
 *     one string     an argument, or a variable as NAME=value: MAX_ARG_STRLEN, 32 pages of 4 KiB (or more) with the NUL
 *     a path         PATH_MAX with the NUL
 *     all together   strings with NULs, and a pointer to each: a quarter of the stack limit, at least 128 KiB and at most 6 MiB
 */
export const maxStringBytes = 131_071;

const maxPathBytes = 4095;

/** For what the kernel adds: the program's path and, for each #! line, the interpreter, its argument and the script's path. */
const reserveBytes = 16_384;

const leastTotalBytes = 131_072;
const mostTotalBytes = 6 << 20;
const pointerBytes = 8;

/** The limit for all arguments and variables of a process, as `sizeOf` counts. `stackLimitBytes`: the soft limit; Infinity: none. */
export function maxTotalBytes(stackLimitBytes: number): number {
  return Math.floor(Math.min(mostTotalBytes, Math.max(leastTotalBytes, stackLimitBytes / 4))) - reserveBytes;
}

/** The bytes that arguments, or variables as NAME=value, count against `maxTotalBytes`. */
function sizeOf(strings: string[]): number {
  return strings.reduce((sum, text) => sum + Buffer.byteLength(text) + 1 + pointerBytes, 0);
}

export function isTooLong(text: string): boolean {
  return text.length * 3 > maxStringBytes && Buffer.byteLength(text) > maxStringBytes;
}

function isVariableTooLong(name: string, value: string): boolean {
  return (name.length + value.length + 1) * 3 > maxStringBytes && isTooLong(`${name}=${value}`);
}

/** The first string of a job that is too long for any process, or null. The schema counts characters, the kernel bytes. */
export function findLongString(spec: JobSpec): FieldProblem | null {
  const shared = longInEither(spec, "") ?? longVariable(spec.Secrets, "Secrets");
  if (shared !== null) return shared;
  for (const [index, command] of (spec.Commands ?? []).entries()) {
    const field = `Commands[${index}].`;
    const argument = command.Args?.findIndex(isTooLong) ?? -1;
    if (argument >= 0) return { field: `${field}Args[${argument}]`, message: tooLong };
    const problem = longInEither(command, field) ?? longPath(command.Shell, `${field}Shell`);
    if (problem !== null) return problem;
  }
  return null;
}

/** Checks the fields that both a job and a step have. */
function longInEither(
  { CommandLine, Environment, WorkingDir }: Pick<Command, "CommandLine" | "Environment" | "WorkingDir">,
  prefix: string,
): FieldProblem | null {
  return (
    longLine(CommandLine, `${prefix}CommandLine`) ??
    longVariable(Environment, `${prefix}Environment`) ??
    longPath(WorkingDir, `${prefix}WorkingDir`)
  );
}

const tooLong = `must have no more than ${maxStringBytes} bytes as UTF-8, Linux's limit for an argument: pass large texts by Stdin or file`;

function longLine(line: string | undefined, field: string): FieldProblem | null {
  return line !== undefined && shellArguments(line).some(isTooLong) ? { field, message: tooLong } : null;
}

function longPath(path: string | undefined, field: string): FieldProblem | null {
  const isLong = path !== undefined && Buffer.byteLength(path) > maxPathBytes;
  return isLong ? { field, message: `must have no more than ${maxPathBytes} bytes as UTF-8, Linux's limit for a path` } : null;
}

function longVariable(variables: Record<string, string> | undefined, field: string): FieldProblem | null {
  const found = Object.entries(variables ?? {}).find(([name, value]) => isVariableTooLong(name, value));
  if (found === undefined) return null;
  const message =
    `must have, with its name and the =, no more than ${maxStringBytes} bytes as UTF-8, Linux's limit for a variable: ` +
    "pass a large text by Stdin or a file";
  return { field: `${field}.${found[0]}`, message };
}

export type ExecLimits = {
  /** A result of `maxTotalBytes`. */
  mostBytes: number;
  /** The variables that every step gets besides the job's own. */
  variables: Record<string, string>;
  argumentsOf: (command: Command) => string[];
  /** By the index of a container step: arguments and variables of each process that is started for it. */
  containerProcesses: (index: number) => string[][];
};

const smallCharacters = 4096;

/**
 * Whether it is certain that no host step of a job is too large, as for most jobs. This is cheaper than adding up all sizes. A character of
 * JSON has at most three bytes of UTF-8, and every string has at least three characters of JSON. So all strings, each with a NUL and a
 * pointer, take at most seven bytes for each character. The variables besides the job's own are a few paths. Together this is half of the
 * smallest limit of Linux.
 */
export function isSurelySmall(spec: JobSpec): boolean {
  return JSON.stringify(spec).length <= smallCharacters;
}

/** Linux's default stack limit, which the engine's processes are assumed to have. */
const engineStackBytes = 8 << 20;

/** The largest field of the first step whose arguments and variables together exceed the limit of the kernel; or null. */
export function findLargeStep(
  spec: JobSpec,
  { mostBytes: hostMostBytes, variables, argumentsOf, containerProcesses }: ExecLimits,
): FieldProblem | null {
  const shared = sizes({ ...variables, ...spec.Environment, ...spec.Secrets });
  const sharedBytes = sum(shared);
  for (const [index, command] of commandsOf(spec).entries()) {
    const isContainer = command.Image !== undefined;
    const own = sizes(command.Environment ?? {});
    const hiddenBytes = [...own.keys()].reduce((total, name) => total + (shared.get(name) ?? 0), 0);
    const argumentBytes = sizeOf(argumentsOf(command));
    const hostBytes = sharedBytes - hiddenBytes + sum(own) + argumentBytes;
    const bytes = isContainer ? Math.max(...containerProcesses(index).map(sizeOf)) : hostBytes;
    const mostBytes = isContainer ? Math.min(hostMostBytes, maxTotalBytes(engineStackBytes)) : hostMostBytes;
    if (bytes > mostBytes) return { field: largestField(spec, index, argumentBytes), message: tooMuch(bytes, mostBytes) };
  }
  return null;
}

function largestField(spec: JobSpec, index: number, argumentBytes: number): string {
  const command = spec.Commands?.[index];
  const prefix = command === undefined ? "" : `Commands[${index}].`;
  const fields: [string, number][] = [
    [`${prefix}${command?.Args === undefined ? "CommandLine" : "Args"}`, argumentBytes],
    [`${prefix}Entrypoint`, sizeOf(command?.Entrypoint ?? [])],
    [`${prefix}Mounts`, sizeOf((command?.Mounts ?? []).flatMap(({ Source, Target }) => [Source, Target]))],
    [`${prefix}Environment`, sum(sizes(command?.Environment ?? {}))],
    ["Environment", sum(sizes(spec.Environment ?? {}))],
    ["Secrets", sum(sizes(spec.Secrets ?? {}))],
  ];
  return fields.reduce((largest, field) => (field[1] > largest[1] ? field : largest))[0];
}

function tooMuch(bytes: number, mostBytes: number): string {
  return (
    `is too large: the arguments and variables of a step may take ${mostBytes} bytes together on this box, and these take ${bytes} ` +
    `(including ${1 + pointerBytes} for each of them): pass large texts by Stdin or a file`
  );
}

function sizes(variables: Record<string, string>): Map<string, number> {
  return new Map(Object.entries(variables).map(([name, value]) => [name, sizeOf([`${name}=${value}`])]));
}

function sum(sizes: Map<string, number>): number {
  return [...sizes.values()].reduce((total, bytes) => total + bytes, 0);
}
