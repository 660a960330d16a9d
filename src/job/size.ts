import { shellArguments } from "./command-line.ts";
import { type Command, commandsOf, type FieldProblem, type JobSpec } from "./spec.ts";

/**
 * How large what a process is started with may be: execve(2), "Limits on size of arguments and environment". The kernel counts bytes; text is UTF-8.
 *
 *     one string     an argument, or a variable as NAME=value: MAX_ARG_STRLEN, 32 pages of 4 KiB with the NUL. Where pages are larger it is more
 *     a path         PATH_MAX with the NUL
 *     all together   the strings with their NULs, and a pointer to each: a quarter of the limit of stacks, 128 KiB at least and 6 MiB at most
 */
export const maxStringBytes = 131_071;

const maxPathBytes = 4095;

/** What the kernel adds to what is given: the program's path and, for each #! line, the interpreter, its argument and the script's path. */
const reserveBytes = 16_384;

const leastTotalBytes = 131_072;
const mostTotalBytes = 6 << 20;
const pointerBytes = 8;

/** What all arguments and variables of a process may take, by `sizeOf`. `stackLimitBytes`: the soft limit; Infinity: none. */
export function maxTotalBytes(stackLimitBytes: number): number {
  return Math.floor(Math.min(mostTotalBytes, Math.max(leastTotalBytes, stackLimitBytes / 4))) - reserveBytes;
}

/** What arguments, or variables as NAME=value, take of it. */
function sizeOf(strings: string[]): number {
  return strings.reduce((sum, text) => sum + Buffer.byteLength(text) + 1 + pointerBytes, 0);
}

export function isTooLong(text: string): boolean {
  return text.length * 3 > maxStringBytes && Buffer.byteLength(text) > maxStringBytes;
}

function isVariableTooLong(name: string, value: string): boolean {
  return (name.length + value.length + 1) * 3 > maxStringBytes && isTooLong(`${name}=${value}`);
}

/** The first string of a job that no process can be given, or null. The schema counts characters. */
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

/** In what a job and a step both have. */
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

const tooLong = `must have no more than ${maxStringBytes} bytes as UTF-8, which is what Linux takes as one argument: give a large text by Stdin or a file`;

function longLine(line: string | undefined, field: string): FieldProblem | null {
  return line !== undefined && shellArguments(line).some(isTooLong) ? { field, message: tooLong } : null;
}

function longPath(path: string | undefined, field: string): FieldProblem | null {
  const isLong = path !== undefined && Buffer.byteLength(path) > maxPathBytes;
  return isLong ? { field, message: `must have no more than ${maxPathBytes} bytes as UTF-8, which is what Linux takes as a path` } : null;
}

function longVariable(variables: Record<string, string> | undefined, field: string): FieldProblem | null {
  const found = Object.entries(variables ?? {}).find(([name, value]) => isVariableTooLong(name, value));
  if (found === undefined) return null;
  const message = `must have, with its name and the =, no more than ${maxStringBytes} bytes as UTF-8, which is what Linux takes as one variable: give a large text by Stdin or a file`;
  return { field: `${field}.${found[0]}`, message };
}

export type ExecLimits = {
  /** By `maxTotalBytes`. */
  mostBytes: number;
  /** What every step finds in its environment before the job's own. */
  variables: Record<string, string>;
  argumentsOf: (command: Command) => string[];
  /** What each process gets that is started for a step in a container, arguments and variables, by the step's index. */
  containerProcesses: (index: number) => string[][];
};

const smallCharacters = 4096;

/**
 * Whether no host step of a job can be too large, which most are not: cheaper than to add it all up. A character of JSON is three bytes of UTF-8 at most, and no string has
 * fewer than three characters of it; so all strings, with a NUL and a pointer each, take seven bytes for each character at most. What is around a job's own
 * variables are a few paths. Together that is half of the least that Linux gives.
 */
export function isSurelySmall(spec: JobSpec): boolean {
  return JSON.stringify(spec).length <= smallCharacters;
}

/** The stacks of the engine's processes are not ours: 8 MiB is what Linux gives them. */
const engineStackBytes = 8 << 20;

/** The first step whose arguments and variables are more than the kernel takes together, by what is largest of it; or null. */
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
  return `is too large: the arguments and variables of a step may take ${mostBytes} bytes together on this box, and these take ${bytes}, ${1 + pointerBytes} for each of them included: give large texts by Stdin or a file`;
}

function sizes(variables: Record<string, string>): Map<string, number> {
  return new Map(Object.entries(variables).map(([name, value]) => [name, sizeOf([`${name}=${value}`])]));
}

function sum(sizes: Map<string, number>): number {
  return [...sizes.values()].reduce((total, bytes) => total + bytes, 0);
}
