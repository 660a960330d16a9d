import type { FieldProblem, JobSpec } from "./spec.ts";

/** Variables with secret values: the job's environment gets them, and its output is masked. */

const maxTotalLength = 262_144; // the masking automaton needs about 40 bytes of memory per character

type Values = Record<string, string>;

/** A spec as it is recorded and shown: secrets by name only. */
export type RecordedSpec = Omit<JobSpec, "Secrets"> & { Secrets?: Record<string, null> };

export function withoutSecrets({ Secrets: secrets, ...spec }: JobSpec): RecordedSpec {
  return secrets === undefined ? spec : { ...spec, Secrets: withoutValues(secrets) };
}

/** The inverse of `withoutSecrets`. */
export function withSecrets({ Secrets: _names, ...spec }: RecordedSpec, secrets: Values | null): JobSpec {
  return secrets === null ? spec : { ...spec, Secrets: secrets };
}

type WithoutValues<Part> = Omit<Part, "Environment"> & { Environment?: Record<string, null> };
type Commands = NonNullable<JobSpec["Commands"]>;

/** A spec without the values of its environment, which not every role may see. */
export type ShownSpec = RecordedSpec | (WithoutValues<Omit<RecordedSpec, "Commands">> & { Commands?: WithoutValues<Commands[number]>[] });

export function withoutEnvironment({ Commands: commands, ...spec }: RecordedSpec): ShownSpec {
  return { ...hide(spec), ...(commands === undefined ? {} : { Commands: commands.map(hide) }) };
}

function hide<Part extends { Environment?: Values | undefined }>({ Environment, ...part }: Part): WithoutValues<Part> {
  return Environment === undefined ? part : { ...part, Environment: withoutValues(Environment) };
}

function withoutValues(values: Values): Record<string, null> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, null]));
}

const minLineCharacters = 4;

/**
 * The texts that output never contains: each value, and each of its lines, because programs print line by line. Short lines are left out:
 * they would mask half a text.
 */
export function maskedTexts(secrets: Values): string[] {
  const texts = Object.values(secrets).flatMap((value) => {
    const lines = value.split("\n").map((line) => line.replace(/\r$/, ""));
    const withoutEnd = value.replace(/[\r\n]+$/, ""); // as the shell's $(…) gives it
    return [value, ...(withoutEnd === "" ? [] : [withoutEnd]), ...lines.filter((line) => Array.from(line).length >= minLineCharacters)];
  });
  return [...new Set(texts)];
}

export function findSecretsProblem(
  spec: JobSpec,
  findReserved: (variables: Values | undefined, field: string) => FieldProblem | null,
): FieldProblem | null {
  const { Secrets: secrets = {}, Commands: commands = [] } = spec;
  const reserved = findReserved(secrets, "Secrets");
  if (reserved !== null) return reserved;
  const environments = [spec.Environment, ...commands.map(({ Environment }) => Environment)];
  const twice = Object.keys(secrets).find((name) =>
    environments.some((environment) => environment !== undefined && Object.hasOwn(environment, name)),
  );
  if (twice !== undefined) return { field: `Secrets.${twice}`, message: "is in an Environment too: give it once" };
  const total = Object.values(secrets).reduce((sum, value) => sum + value.length, 0);
  return total <= maxTotalLength
    ? null
    : { field: "Secrets", message: `must have no more than ${maxTotalLength} characters in all: give large ones by a file` };
}
