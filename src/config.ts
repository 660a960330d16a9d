import { isAbsolute } from "node:path";
import { directory, flag, hostname, hostnames, integer, oneOf, optionalFile, port, program, roleTable, users } from "./config-values.ts";
import { ownUser } from "./identity/own-user.ts";
import { isLoopbackName } from "./sockets/addresses.ts";

/** Configuration: environment variables only, each with a default. What is read, checked and printed by --help is said once, in readAll. */

export type LogLevel = "error" | "warn" | "info";
export type Config = ReturnType<typeof readAll> & { engineEnvironment: Record<string, string> };

type Environment = NodeJS.Dict<string>;
type Read = <Value>(name: string, fallback: string, meaning: string, parse: (text: string) => Value) => Value;

/** What a job finds in its environment, and what clients and bin/jobrunner read: not ours, and no mistake. */
export const foreign = new Set([
  "JOBRUNNER_JOB_ID",
  "JOBRUNNER_STEP",
  "JOBRUNNER_WORKSPACE",
  "JOBRUNNER_URL",
  "JOBRUNNER_TOKEN",
  "JOBRUNNER_CACERT",
  "JOBRUNNER_CLIENT_CERT",
  "JOBRUNNER_CLIENT_KEY",
  "JOBRUNNER_SOURCE",
]);

const maxInteger = Number.MAX_SAFE_INTEGER;

function readAll(read: Read, environment: Environment) {
  const seconds = integer(1, 86_400);
  const count = integer(1, 1_000_000);
  return {
    port: read("JOBRUNNER_PORT", "8080", "port of the API; 0 takes any that is free, none leaves only the unix socket", port),
    hostname: read("JOBRUNNER_HOSTNAME", "", "address to listen on; empty: the loopback addresses, IPv4 and IPv6", hostname),
    socketPath: read("JOBRUNNER_SOCKET", "", "path of a unix socket for this user and root; empty: none", optionalFile),
    stateDir: read("JOBRUNNER_STATE_DIR", defaultStateDir(environment), "directory of the database and the jobs", directory),
    maxRunning: read("JOBRUNNER_MAX_RUNNING", "10000", "jobs that run at once; more wait, first come first served", count),
    shell: read("JOBRUNNER_SHELL", "bash", "program that runs a CommandLine, by path or looked up in the job's PATH", program),
    cgroups: read("JOBRUNNER_CGROUPS", "auto", "auto: a cgroup for each job where one can be made; off: none", oneOf("auto", "off")),
    containerEngine: read(
      "JOBRUNNER_CONTAINER_ENGINE",
      "auto",
      "docker, podman, nerdctl or the path of one; auto: the first of them that answers; none: no containers",
      program,
    ),
    minFreeBytes: read(
      "JOBRUNNER_MIN_FREE_BYTES",
      "67108864",
      "with less room on the disk, new jobs are refused: what running jobs and the database need",
      integer(0, maxInteger),
    ),
    logLevel: read(
      "JOBRUNNER_LOG_LEVEL",
      "info",
      "error, warn or info; to standard error, as lines of JSON",
      oneOf("error", "warn", "info"),
    ),
    access: {
      localTrust: read(
        "JOBRUNNER_LOCAL_TRUST",
        "true",
        "true lets processes of this user and of root in over loopback without a token; false lets nobody",
        flag,
      ),
      allowedHosts: read(
        "JOBRUNNER_ALLOWED_HOSTS",
        "",
        "further names that the Host header may have, with commas between them: a proxy's, for instance",
        hostnames,
      ),
      isInsecure: read(
        "JOBRUNNER_INSECURE",
        "false",
        "true allows an address beyond loopback without TLS, where others can read along, tokens too",
        flag,
      ),
    },
    allowedUsers: read(
      "JOBRUNNER_ALLOWED_USERS",
      "",
      "users, with commas between them, as whom a service that is root may run jobs",
      users,
    ),
    tls: {
      certificate: read(
        "JOBRUNNER_TLS_CERT",
        "",
        "file of the certificate, with those that lead to its root (PEM); with it the port speaks HTTPS",
        optionalFile,
      ),
      key: read("JOBRUNNER_TLS_KEY", "", "file of its private key (PEM)", optionalFile),
      clientCa: read(
        "JOBRUNNER_TLS_CLIENT_CA",
        "",
        "file of the authority whose certificates let clients in (PEM); empty: none do",
        optionalFile,
      ),
      clientRoles: read(
        "JOBRUNNER_TLS_CLIENT_ROLES",
        "",
        "who they are, by common name, such as alice=admin,ci=submit; others are refused",
        roleTable,
      ),
    },
    limits: {
      maxBodyBytes: read(
        "JOBRUNNER_MAX_BODY_BYTES",
        "4194304",
        "of a request: a long script fits, and thousands at once do not fill the memory",
        integer(1024, 1 << 30),
      ),
      maxFileBytes: read(
        "JOBRUNNER_MAX_FILE_BYTES",
        "1073741824",
        "of a file that is put into a workspace: it is streamed to the disk",
        integer(1024, maxInteger),
      ),
      maxHeaderBytes: read(
        "JOBRUNNER_MAX_HEADER_BYTES",
        "16384",
        "of a request's path and headers together: what browsers and proxies keep to",
        integer(2048, 1 << 20),
      ),
      headersTimeoutSeconds: read(
        "JOBRUNNER_HEADERS_TIMEOUT_SECONDS",
        "20",
        "for a request's headers to arrive: a slow line does it in one",
        seconds,
      ),
      requestTimeoutSeconds: read(
        "JOBRUNNER_REQUEST_TIMEOUT_SECONDS",
        "60",
        "for a request to arrive whole, and a second more for each 16 KiB of its body that have come",
        seconds,
      ),
      idleTimeoutSeconds: read(
        "JOBRUNNER_IDLE_TIMEOUT_SECONDS",
        "75",
        "that a connection is kept between requests: longer than the 60 of common proxies",
        seconds,
      ),
      maxConnections: read(
        "JOBRUNNER_MAX_CONNECTIONS",
        "8000",
        "at once, as far as the limit of file descriptors has room: one costs up to 100 kB",
        count,
      ),
      maxReaders: read(
        "JOBRUNNER_MAX_READERS",
        "4000",
        "of output and events at once: half of all connections, so that others get through",
        count,
      ),
      maxReadersPerJob: read("JOBRUNNER_MAX_READERS_PER_JOB", "2000", "of one job's output at once: one job cannot take all", count),
      maxReadersPerIdentity: read(
        "JOBRUNNER_MAX_READERS_PER_IDENTITY",
        "2000",
        "of one token or certificate at once, and no more than half of what all may have",
        count,
      ),
      readerTimeoutSeconds: read("JOBRUNNER_READER_TIMEOUT_SECONDS", "60", "a reader that takes nothing for so long is cut off", seconds),
      maxRequestsPerSecond: read(
        "JOBRUNNER_MAX_REQUESTS_PER_SECOND",
        "5000",
        "of one identity: about half of what a core can answer",
        count,
      ),
      maxFailuresPerMinute: read(
        "JOBRUNNER_MAX_FAILURES_PER_MINUTE",
        "60",
        "failed attempts of one address that are looked at and audited one by one",
        count,
      ),
    },
    audit: {
      maxBytes: read(
        "JOBRUNNER_AUDIT_MAX_BYTES",
        "16777216",
        "of the audit log, then it is rotated: about 60,000 lines",
        integer(4096, maxInteger),
      ),
      files: read("JOBRUNNER_AUDIT_FILES", "10", "of the audit log that are kept, the one that is written among them", integer(1, 1000)),
    },
  };
}

/** The configuration; with every mistake in it as a sentence, where there are some: then with defaults for what cannot be read. */
export function readConfig(environment: Environment): { config: Config } | { config: Config; mistakes: string[] } {
  const known = new Set<string>();
  const mistakes: string[] = [];
  const values = readAll((name, fallback, _meaning, parse) => {
    known.add(name);
    try {
      return parse(environment[name] ?? fallback);
    } catch (error) {
      mistakes.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return parse(fallback);
    }
  }, environment);
  const unknown = Object.keys(environment)
    .filter((name) => name.startsWith("JOBRUNNER_") && !known.has(name) && !foreign.has(name))
    .map((name) => `${name} is not a variable of jobrunner: jobrunner --help lists them`);
  const all = [...unknown, ...mistakes, ...contradictions(values)];
  const config = { ...values, engineEnvironment: engineEnvironment(environment) };
  return all.length > 0 ? { config, mistakes: all } : { config };
}

/** What no variable says by itself. */
function contradictions({ port: number, hostname: host, socketPath, tls, access }: ReturnType<typeof readAll>): string[] {
  const found: string[] = [];
  if (number === null && socketPath === null)
    found.push("JOBRUNNER_PORT none leaves no way in: set JOBRUNNER_SOCKET to the path of a unix socket");
  if (tls.certificate !== null && tls.key === null)
    found.push("JOBRUNNER_TLS_KEY is missing: JOBRUNNER_TLS_CERT needs the certificate's private key");
  if (tls.key !== null && tls.certificate === null)
    found.push("JOBRUNNER_TLS_CERT is missing: JOBRUNNER_TLS_KEY is of no use without the certificate");
  if (tls.clientCa !== null && tls.certificate === null)
    found.push("JOBRUNNER_TLS_CLIENT_CA needs TLS: set JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY");
  if (tls.clientCa !== null && tls.clientRoles.size === 0)
    found.push("JOBRUNNER_TLS_CLIENT_ROLES is empty: with JOBRUNNER_TLS_CLIENT_CA, say whose certificates let in");
  if (tls.clientCa === null && tls.clientRoles.size > 0)
    found.push("JOBRUNNER_TLS_CLIENT_CA is missing: JOBRUNNER_TLS_CLIENT_ROLES needs the authority of the certificates");
  if (number !== null && host !== "" && !isLoopbackName(host) && tls.certificate === null && !access.isInsecure) {
    found.push(
      `JOBRUNNER_HOSTNAME ${JSON.stringify(host)} is beyond loopback, where without TLS others could read tokens and all else along: leave it empty, set JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY, or set JOBRUNNER_INSECURE=true`,
    );
  }
  return found;
}

export function helpText(environment: Environment): string {
  const rows = variables(environment).map(
    ({ name, fallback, meaning }) => `  ${name}${fallback === "" ? "" : ` (${fallback})`}\n      ${meaning}`,
  );
  return ["Environment variables, with their defaults:", ...rows].join("\n");
}

/** All that there are, with the defaults that hold in this environment. */
export function variables(environment: Environment): { name: string; fallback: string; meaning: string }[] {
  const all: ReturnType<typeof variables> = [];
  readAll((name, fallback, meaning, parse) => {
    all.push({ name, fallback, meaning });
    return parse(fallback);
  }, environment);
  return all;
}

function defaultStateDir({ XDG_STATE_HOME: state, HOME: home = ownUser.home }: Environment): string {
  if (state !== undefined && isAbsolute(state)) return `${state}/jobrunner`; // a relative one does not count (XDG Base Directory)
  return ownUser.uid === 0 ? "/var/lib/jobrunner" : `${home}/.local/state/jobrunner`;
}

/** By these the clients find the engine, logins and helpers, as the user has set them up. */
const engineVariable =
  /^(PATH|DOCKER_.*|CONTAINER_.*|CONTAINERS_.*|CONTAINERD_.*|NERDCTL_.*|REGISTRY_AUTH_FILE|STORAGE_DRIVER|STORAGE_OPTS|CNI_PATH|NETCONFPATH|XDG_.*|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|(http|https|no|all)_proxy|SSL_CERT_(FILE|DIR))$/i;

function engineEnvironment(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value !== undefined && engineVariable.test(name) ? [[name, value]] : [])),
  );
}
