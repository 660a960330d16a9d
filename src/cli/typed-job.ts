import type { JobSpec } from "../client/index.ts";
import { parseEnvFile } from "./env-file.ts";
import type { Session } from "./session.ts";
import { readJob, readText } from "./typed-text.ts";
import { pair } from "./values.ts";
import { UsageError } from "./usage-error.ts";

/** What is typed of a job. Options that can be given several times are lists. */
export type JobOptions = {
  file?: string;
  command?: string;
  shell?: string;
  env?: string[];
  envFile?: string[];
  secret?: string[];
  stdin?: string;
  workdir?: string;
  user?: string;
  name?: string;
  label?: string[];
  timeout?: number;
  idleTimeout?: number;
  stopSignal?: string;
  stopTimeout?: number;
  drainTimeout?: number;
  image?: string;
  entrypoint?: string;
  volume?: string[];
  network?: string;
  pull?: string;
  memory?: number;
  cpus?: number;
  pidsLimit?: number;
};

type Fields = Record<string, unknown>;

/**
 * What was typed, as a job. It is the service that says whether it may be one. Throws UsageError where it contradicts itself, or names what
 * is not here.
 */
export async function jobOf(session: Session, { words, options }: { words: string[]; options: JobOptions }): Promise<JobSpec> {
  const { file, command, image } = options;
  const step = stepOf(words, options);
  if (command !== undefined && words.length > 0) throw new UsageError("give either --command or a program, not both");
  if (file !== undefined && Object.keys(step).length > 0)
    throw new UsageError("with --file, commands and containers must be in the file: remove them here");
  if (file === undefined && command === undefined && words.length === 0 && image === undefined) {
    throw new UsageError(
      "there is no command: jobrunner run -- make, jobrunner run -c 'make && ./bench', or jobrunner run --file job.yaml",
    );
  }
  refuseStdinTwice(options);
  const job = file === undefined ? asJob(step) : await readJob(session.stdin, file);
  return { ...job, ...(await fieldsOf(session, { options, job })) };
}

/** Of a container, user and directory are those inside; they are the step's. */
function stepOf(
  words: string[],
  { command, shell, image, user, workdir, entrypoint, volume, network, pull, memory, cpus, pidsLimit }: JobOptions,
): Fields {
  const resources = given({ MemoryBytes: memory, CPUs: cpus, Pids: pidsLimit });
  return given({
    CommandLine: command,
    Args: words.length > 0 ? words : undefined,
    Shell: shell,
    Image: image,
    ...(image === undefined ? {} : { User: user, WorkingDir: workdir }),
    Entrypoint: entrypoint === undefined ? undefined : [entrypoint],
    Mounts: volume?.map(mountOf),
    Network: network,
    Pull: pull,
    Resources: Object.keys(resources).length > 0 ? resources : undefined,
  });
}

function asJob(step: Fields): Fields {
  return Object.keys(step).join() === "CommandLine" ? step : { Commands: [step] };
}

/** `SOURCE:TARGET`, `SOURCE:TARGET:ro`. */
function mountOf(text: string): object {
  const [, source, target, mode] = /^([^:]+):([^:]+)(?::(ro|rw))?$/.exec(text) ?? [];
  if (source === undefined) throw new UsageError(`--volume ${text}: give a source and a target, as /data:/data or /data:/data:ro`);
  return given({ Source: source, Target: target, ReadOnly: mode === "ro" ? true : undefined });
}

/** Fields of the job itself. Maps are added to those of the file. */
async function fieldsOf(session: Session, { options, job }: { options: JobOptions; job: Fields }): Promise<Fields> {
  const { image, user, workdir, name, timeout, idleTimeout, stopSignal, stopTimeout, drainTimeout, stdin } = options;
  return given({
    ...(image === undefined ? { User: user, WorkingDir: workdir } : {}),
    Name: name,
    Labels: merged(job["Labels"], labelsOf(options)),
    Environment: merged(job["Environment"], await environmentOf(session, options)),
    Secrets: merged(job["Secrets"], await secretsOf(session, options)),
    Stdin: stdin === undefined ? undefined : await readText(session.stdin, { option: "--stdin", file: stdin }),
    TimeoutSeconds: timeout,
    IdleTimeoutSeconds: idleTimeout,
    StopSignal: stopSignal,
    StopTimeoutSeconds: stopTimeout,
    DrainTimeoutSeconds: drainTimeout,
  });
}

function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Undefined where nothing was typed, so that what stands in a file stays, whatever it is. */
function merged(before: unknown, typed: [string, string][]): object | undefined {
  if (typed.length === 0) return undefined;
  return { ...(typeof before === "object" ? before : {}), ...Object.fromEntries(typed) };
}

function labelsOf({ label = [] }: JobOptions): [string, string][] {
  return label.map((text) => {
    const parts = pair(text);
    if (parts === null) throw new UsageError(`--label ${text}: give a key and a value, as team=db`);
    return parts;
  });
}

async function environmentOf(session: Session, { env = [], envFile = [] }: JobOptions): Promise<[string, string][]> {
  const ofFiles = await Promise.all(
    envFile.map(async (file) =>
      parseEnvFile(await readText(session.stdin, { option: "--env-file", file }), {
        what: `--env-file ${JSON.stringify(file)}`,
        environment: session.environment,
      }),
    ),
  );
  return [...ofFiles.flat(), ...env.map((text) => pair(text) ?? ownVariable(session, { option: "--env", name: text }))];
}

/** No value of a secret is ever typed, since others see argument vectors. The newline that ends a file is not the secret's. */
async function secretsOf(session: Session, { secret = [] }: JobOptions): Promise<[string, string][]> {
  return await Promise.all(
    secret.map(async (text): Promise<[string, string]> => {
      const [name, file] = pair(text) ?? [];
      if (name === undefined || file === undefined) return ownVariable(session, { option: "--secret", name: text });
      return [name, (await readText(session.stdin, { option: "--secret", file })).replace(/\r?\n$/, "")];
    }),
  );
}

function ownVariable({ environment }: Session, { option, name }: { option: string; name: string }): [string, string] {
  const value = environment[name];
  if (value !== undefined) return [name, value];
  throw new UsageError(`${option} ${name}: this environment has no such variable`);
}

function refuseStdinTwice({ file, stdin, envFile = [], secret = [] }: JobOptions): void {
  const files = [file, stdin, ...envFile, ...secret.map((text) => pair(text)?.[1])];
  if (files.filter((name) => name === "-").length > 1) throw new UsageError("standard input (-) can be used for one option only");
}
