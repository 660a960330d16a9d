import type { JobSpec } from "../../../src/client/index.ts";

/**
 * The same job, for a terminal. Secrets stand there by their names alone, and a token not at all. What is written here was typed: it need
 * not be a job, and is shown as it is.
 */

const placeholder = "…";

export function asJson(spec: JobSpec): string {
  return JSON.stringify(withoutSecrets(spec), null, 2);
}

/** `hasToken`: one is needed; it is taken from the environment. */
export function asCurl(spec: JobSpec, { url, hasToken }: { url: string; hasToken: boolean }): string {
  const token = hasToken ? ' -H "Authorization: Bearer $JOBRUNNER_TOKEN"' : "";
  return `curl${token} -d ${quote(JSON.stringify(withoutSecrets(spec)))} ${quote(url)}`;
}

/** By options where they can say all of it, else from a file that is written here. */
export function asRun(spec: JobSpec): string {
  const { Secrets, CommandLine, ...rest } = spec;
  const secrets = Object.keys(Secrets ?? {}).flatMap((name) => ["--secret", quote(name)]);
  const options = optionsOf(rest);
  if (options !== null && typeof CommandLine === "string")
    return ["jobrunner run", ...options, ...secrets, "-c", quote(CommandLine)].join(" ");
  const { Secrets: _secrets, ...file } = spec;
  const end = "END";
  return `${["jobrunner run", ...secrets, "--file -"].join(" ")} <<'${end}'\n${JSON.stringify(file, null, 2)}\n${end}`;
}

type Rest = Omit<JobSpec, "CommandLine" | "Secrets">;

/** Null: there are no options for all of it. */
function optionsOf({
  Name,
  Labels,
  Environment,
  WorkingDir,
  User,
  TimeoutSeconds,
  IdleTimeoutSeconds,
  StopSignal,
  StopTimeoutSeconds,
  DrainTimeoutSeconds,
  ...others
}: Rest): string[] | null {
  const options = [
    optionOf("--name", Name),
    optionsOfPairs("--label", Labels),
    optionsOfPairs("--env", Environment),
    optionOf("--workdir", WorkingDir),
    optionOf("--user", User),
    optionOf("--timeout", TimeoutSeconds),
    optionOf("--idle-timeout", IdleTimeoutSeconds),
    optionOf("--stop-signal", StopSignal),
    optionOf("--stop-timeout", StopTimeoutSeconds),
    optionOf("--drain-timeout", DrainTimeoutSeconds),
  ];
  if (Object.keys(others).length > 0) return null;
  return options.includes(null) ? null : options.flatMap((words) => words ?? []);
}

function optionOf(option: string, value: unknown): string[] | null {
  if (value === undefined) return [];
  return typeof value === "string" || typeof value === "number" ? [option, quote(String(value))] : null;
}

/** The option takes name and value apart at the first "=". */
function optionsOfPairs(option: string, pairs: unknown): string[] | null {
  if (pairs === undefined) return [];
  if (typeof pairs !== "object" || pairs === null) return null;
  const entries = Object.entries(pairs);
  if (!entries.every(([name, value]) => typeof value === "string" && name !== "" && !name.includes("="))) return null;
  return entries.flatMap(([name, value]) => [option, quote(`${name}=${String(value)}`)]);
}

function withoutSecrets(spec: JobSpec): JobSpec {
  const { Secrets } = spec;
  return Secrets === undefined ? spec : { ...spec, Secrets: Object.fromEntries(Object.keys(Secrets).map((name) => [name, placeholder])) };
}

/** A word for a shell of POSIX's kind. */
function quote(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) && !word.startsWith("-") && !word.startsWith("=")
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
