import type { FieldProblem, JobSpec } from "./spec.ts";

/** Variables whose values nobody is to see: given to the job's environment, and masked in its output. */

const maxTotalLength = 262_144; // the masking automaton takes some 40 bytes of memory for each character

type Values = Record<string, string>;

/** A spec as it is recorded and shown: of secrets the names. */
export type RecordedSpec = Omit<JobSpec, "Secrets"> & { Secrets?: Record<string, null> };

export function withoutSecrets({ Secrets: secrets, ...spec }: JobSpec): RecordedSpec {
  return secrets === undefined ? spec : { ...spec, Secrets: withoutValues(secrets) };
}

/** The spec as it was submitted. */
export function withSecrets({ Secrets: _names, ...spec }: RecordedSpec, secrets: Values | null): JobSpec {
  return secrets === null ? spec : { ...spec, Secrets: secrets };
}

type WithoutValues<Part> = Omit<Part, "Environment"> & { Environment?: Record<string, null> };
type Commands = NonNullable<JobSpec["Commands"]>;

/** A spec as it is shown to those who may not see what is in its environment. */
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

/** What output never holds: each value whole, and its lines, since programs print them one by one; short lines would mask half a text. */
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
