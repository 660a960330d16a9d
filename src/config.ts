import { homedir } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { isLoopbackName } from "./api/guard.ts";

/** Configuration: environment variables only, each with a default. This table is what is read, checked and printed by --help. */

export type LogLevel = "error" | "warn" | "info";

export type Config = {
  port: number; // 0: any that is free
  hostname: string; // "": the loopback addresses
  stateDir: string;
  maxRunning: number;
  shell: string;
  cgroups: "auto" | "off";
  readerTimeoutSeconds: number;
  minFreeBytes: number;
  logLevel: LogLevel;
  containerEngine: string;
  engineEnvironment: Record<string, string>; // what clients of container engines read of the service's own
};

type Environment = NodeJS.Dict<string>;
type Variable<Value> = { fallback: string; meaning: string; parse: (text: string) => Value };

/** What a job finds in its environment, and what clients read: not ours, and no mistake. */
const foreign = new Set(["JOBRUNNER_JOB_ID", "JOBRUNNER_STEP", "JOBRUNNER_WORKSPACE", "JOBRUNNER_URL", "JOBRUNNER_TOKEN"]);

function variables(environment: Environment) {
  return {
    JOBRUNNER_PORT: { fallback: "8080", meaning: "port of the API; 0 takes any that is free", parse: integer(0, 65_535) },
    JOBRUNNER_HOSTNAME: { fallback: "", meaning: "address to listen on; empty: the loopback addresses, IPv4 and IPv6", parse: hostname },
    JOBRUNNER_INSECURE: {
      fallback: "false",
      meaning: "true allows an address beyond loopback, where anybody who reaches it runs commands as this user",
      parse: oneOf("true", "false"),
    },
    JOBRUNNER_STATE_DIR: { fallback: defaultStateDir(environment), meaning: "directory of the database and the jobs", parse: directory },
    JOBRUNNER_MAX_RUNNING: { fallback: "10000", meaning: "jobs that run at once; more wait, first come first served", parse: integer(1, 1_000_000) },
    JOBRUNNER_SHELL: { fallback: "bash", meaning: "program that runs a CommandLine, by path or looked up in the job's PATH", parse: program },
    JOBRUNNER_CGROUPS: { fallback: "auto", meaning: "auto: a cgroup for each job where one can be made; off: none", parse: oneOf("auto", "off") },
    JOBRUNNER_CONTAINER_ENGINE: {
      fallback: "auto",
      meaning: "docker, podman, nerdctl or the path of one; auto: the first of them that answers; none: no containers",
      parse: program,
    },
    JOBRUNNER_READER_TIMEOUT_SECONDS: { fallback: "60", meaning: "a reader that takes nothing for so long is cut off", parse: integer(1, 86_400) },
    JOBRUNNER_MIN_FREE_BYTES: {
      fallback: "67108864",
      meaning: "with less room on the disk, new jobs are refused: what running jobs and the database need",
      parse: integer(0, Number.MAX_SAFE_INTEGER),
    },
    JOBRUNNER_LOG_LEVEL: { fallback: "info", meaning: "error, warn or info; to standard error, as lines of JSON", parse: oneOf("error", "warn", "info") },
  } satisfies Record<string, Variable<unknown>>;
}

/** The configuration, or every mistake in it as a sentence. */
export function readConfig(environment: Environment): { config: Config } | { mistakes: string[] } {
  const table = variables(environment);
  const mistakes = Object.keys(environment)
    .filter((name) => name.startsWith("JOBRUNNER_") && !Object.hasOwn(table, name) && !foreign.has(name))
    .map((name) => `${name} is not a variable of jobrunner: jobrunner --help lists them`);
  const read = <Value>(name: keyof typeof table, { fallback, parse }: Variable<Value>): Value => {
    try {
      return parse(environment[name] ?? fallback);
    } catch (error) {
      mistakes.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return parse(fallback);
    }
  };
  const host = read("JOBRUNNER_HOSTNAME", table.JOBRUNNER_HOSTNAME);
  const config: Config = {
    port: read("JOBRUNNER_PORT", table.JOBRUNNER_PORT),
    hostname: host,
    stateDir: read("JOBRUNNER_STATE_DIR", table.JOBRUNNER_STATE_DIR),
    maxRunning: read("JOBRUNNER_MAX_RUNNING", table.JOBRUNNER_MAX_RUNNING),
    shell: read("JOBRUNNER_SHELL", table.JOBRUNNER_SHELL),
    cgroups: read("JOBRUNNER_CGROUPS", table.JOBRUNNER_CGROUPS),
    readerTimeoutSeconds: read("JOBRUNNER_READER_TIMEOUT_SECONDS", table.JOBRUNNER_READER_TIMEOUT_SECONDS),
    minFreeBytes: read("JOBRUNNER_MIN_FREE_BYTES", table.JOBRUNNER_MIN_FREE_BYTES),
    logLevel: read("JOBRUNNER_LOG_LEVEL", table.JOBRUNNER_LOG_LEVEL),
    containerEngine: read("JOBRUNNER_CONTAINER_ENGINE", table.JOBRUNNER_CONTAINER_ENGINE),
    engineEnvironment: engineEnvironment(environment),
  };
  if (read("JOBRUNNER_INSECURE", table.JOBRUNNER_INSECURE) === "false" && host !== "" && !isLoopbackName(host)) {
    mistakes.push(
      `JOBRUNNER_HOSTNAME ${JSON.stringify(host)} is beyond loopback, where anybody who reaches it could run commands as this user: leave it empty, or set JOBRUNNER_INSECURE=true`,
    );
  }
  return mistakes.length > 0 ? { mistakes } : { config };
}

export function helpText(environment: Environment): string {
  const rows = Object.entries(variables(environment)).map(([name, { fallback, meaning }]) => {
    return `  ${name}${fallback === "" ? "" : ` (${fallback})`}\n      ${meaning}`;
  });
  return [
    "Usage: jobrunner [--help | --version]",
    "",
    "Runs jobs on this box, over HTTP and JSON, and lets people watch them live.",
    "",
    "Environment variables, with their defaults:",
    ...rows,
    "",
    `First job:  curl -d '{"CommandLine": "echo hello"}' localhost:8080`,
  ].join("\n");
}

function defaultStateDir({ XDG_STATE_HOME: state }: Environment): string {
  if (state !== undefined && isAbsolute(state)) return `${state}/jobrunner`; // a relative one does not count (XDG Base Directory)
  return process.getuid?.() === 0 ? "/var/lib/jobrunner" : `${homedir()}/.local/state/jobrunner`;
}

/** By these the clients find the engine, logins and helpers, as the user has set them up. */
const engineVariable =
  /^(PATH|DOCKER_.*|CONTAINER_.*|CONTAINERS_.*|CONTAINERD_.*|NERDCTL_.*|REGISTRY_AUTH_FILE|STORAGE_DRIVER|STORAGE_OPTS|CNI_PATH|NETCONFPATH|XDG_.*|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|(http|https|no|all)_proxy|SSL_CERT_(FILE|DIR))$/i;

function engineEnvironment(environment: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value !== undefined && engineVariable.test(name) ? [[name, value]] : [])));
}

function integer(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    throw new Error(`must be a whole number from ${from} to ${to}, not ${JSON.stringify(text)}`);
  };
}

function oneOf<const Word extends string>(...words: Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new Error(`must be ${words.join(" or ")}, not ${JSON.stringify(text)}`);
  };
}

function hostname(text: string): string {
  if (text === "" || /^[a-z0-9._:-]{1,253}$/i.test(text)) return text.toLowerCase();
  throw new Error(`must be a name or address without port, not ${JSON.stringify(text)}`);
}

function directory(text: string): string {
  if (text === "") throw new Error("must name a directory, not be empty");
  return resolve(text);
}

function program(text: string): string {
  if (text === "") throw new Error("must name a program, not be empty");
  return text;
}
